import type { HeaderEdit } from "./header-edits.ts";
import { forHeader } from "./template.ts";

/** Fields that carry the message itself; a claim has no place in them (RFC 9110 sections 7.2, 7.6.1, 8.6). */
export const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Deletes every header that the policy can set, whatever comes of the token: no client may set them (S7). */
export const deleteForwarded = (forward: Readonly<Record<string, string>>): readonly HeaderEdit[] =>
  Object.keys(forward).map((name) => ({ op: "remove", name }));

/** Sets headers from claims or the like; one that is not there, or is no text, number, boolean or list of these, sets none. */
export const setForwarded = (
  forward: Readonly<Record<string, string>>,
  claims: Readonly<Record<string, unknown>>,
): readonly HeaderEdit[] =>
  Object.entries(forward).flatMap(([name, claim]) => {
    const value = fieldValue(Object.hasOwn(claims, claim) ? claims[claim] : undefined);
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
