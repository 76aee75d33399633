import type { Exchange } from "../../core/exchange.ts";
import type { PurgeScope } from "../../core/purge.ts";
import { fillTemplate, forTag, type Template } from "../../core/template.ts";
import { picked } from "../../lib/json-pointer.ts";
import { decodedText, itemsOf, jsonTextOf, kindOf } from "../../lib/json-text.ts";
import { scopeOfTag } from "./scopes.ts";

/** Tags that the body of a request names. */
export type TagsFromStep = {
  /** Segments of a JSON Pointer. */
  readonly body: readonly string[];
  /** What stands before, between and behind the values. */
  readonly as: readonly Template[];
  readonly max: number;
  readonly maxBytes: number;
};

/** The scopes of the tags in a body, and how many more it names; none where it is not JSON, or has nothing at that place. */
export const scopesInBody = (
  { body: pointer, as, max }: TagsFromStep,
  body: Uint8Array<ArrayBuffer>,
  exchange: Exchange,
): { readonly scopes: readonly PurgeScope[]; readonly left: number } => {
  const json = body.byteLength === 0 ? undefined : jsonTextOf(body);
  const value = json === undefined ? undefined : picked(json, pointer);
  if (value === undefined) return { scopes: [], left: 0 };
  const values = new Set<string>();
  for (const item of kindOf(value) === "array" ? itemsOf(value) : [value]) {
    const text = textOf(item);
    if (text !== undefined) values.add(forTag(text));
  }
  const parts = as.map((template) => fillTemplate(template, exchange, forTag));
  const scopes = [...values].slice(0, max).flatMap((text) => scopeOfTag(parts.join(text)) ?? []);
  return { scopes, left: Math.max(0, values.size - max) };
};

/** A text, or a number or truth value as it is written; what else there is names nothing. */
const textOf = (json: string): string | undefined => {
  const kind = kindOf(json);
  if (kind === "text") return decodedText(json).toWellFormed();
  return kind === "other" && json !== "null" ? json : undefined;
};
