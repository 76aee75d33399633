import type { HeaderEdit } from "../../core/header-edits.ts";
import { forHeader } from "../../core/template.ts";
import { member } from "./jws.ts";

/** Deletes every header that the policy can set, whatever comes of the token: no client may set them (S7). */
export const deleteForwarded = (forward: Readonly<Record<string, string>>): readonly HeaderEdit[] =>
  Object.keys(forward).map((name) => ({ op: "remove", name }));

/** Sets headers from claims; a claim that is not there, or is no text, number, boolean or list of these, sets none. */
export const setForwarded = (
  forward: Readonly<Record<string, string>>,
  claims: Readonly<Record<string, unknown>>,
): readonly HeaderEdit[] =>
  Object.entries(forward).flatMap(([name, claim]) => {
    const value = fieldValue(member(claims, claim));
    return value === undefined ? [] : [{ op: "set", name, value }];
  });

/** A list becomes `a,b`; a comma inside a member is escaped, so that one member never reads as two. */
const fieldValue = (value: unknown): string | undefined => {
  if (!Array.isArray(value)) return plainValue(value);
  const members = value.map((one) => plainValue(one)?.replaceAll(",", "%2C"));
  return members.includes(undefined) ? undefined : members.join(",");
};

/**
 * Whatever cannot stand in a field value is percent-encoded, and so are blanks at either end: a recipient cuts them off
 * (RFC 9110 section 5.5), and then " 42" would pass for "42". Half a surrogate pair has no UTF-8, and is replaced first.
 */
const plainValue = (value: unknown): string | undefined =>
  typeof value === "string"
    ? forHeader(value.toWellFormed()).replace(/^ +| +$/g, encodeURIComponent)
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : undefined;
