import type { Json } from "../../core/json.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import type { Schema } from "./schema-references.ts";

/** Whether fewer values are good than before, or more. */
export type Trend = "narrowed" | "widened";

/**
 * Reports that a value is narrower or wider than before; `certain` is false where it only matters to some callers. `keyword` is
 * where it stands in the schema, where that has another name than what has changed.
 */
export type Tell = (what: string, trend: Trend, message: string, certain?: boolean, keyword?: string) => void;

/** Compares what two schemas say of a value as such: types, values, bounds, forms of texts. */
export const compareValues = (old: Schema, now: Schema, tell: Tell): void => {
  compareTypes(old, now, tell);
  compareListed(old, now, tell);
  for (const bound of BOUNDS) compareBound(bound, old, now, tell);
  compareTexts(old, now, tell);
};

/** Keywords that bound a value from above or below. */
const BOUNDS: readonly { readonly key: string; readonly upper: boolean; readonly unit: string }[] = [
  { key: "maximum", upper: true, unit: "maximum" },
  { key: "exclusiveMaximum", upper: true, unit: "bound from above" },
  { key: "minimum", upper: false, unit: "minimum" },
  { key: "exclusiveMinimum", upper: false, unit: "bound from below" },
  { key: "maxLength", upper: true, unit: "greatest length" },
  { key: "minLength", upper: false, unit: "least length" },
  { key: "maxItems", upper: true, unit: "greatest number of items" },
  { key: "minItems", upper: false, unit: "least number of items" },
  { key: "maxProperties", upper: true, unit: "greatest number of properties" },
  { key: "minProperties", upper: false, unit: "least number of properties" },
];

const ALL = ["array", "boolean", "null", "number", "object", "string"];

/** The types of which a value may be. `integer` is kept apart from `number`, of which it is a part. */
const typesOf = (schema: Readonly<Record<string, Json>>): ReadonlySet<string> => {
  const written = schema["type"];
  if (written === undefined) return new Set([...ALL, "integer"]);
  const types = new Set((Array.isArray(written) ? written : [written]).map(String));
  if (types.has("number")) types.add("integer");
  return types;
};
const compareTypes = (old: Schema, now: Schema, tell: Tell): void => {
  const before = typesOf(old);
  const after = typesOf(now);
  const lost = [...before].filter((type) => !after.has(type));
  const gained = [...after].filter((type) => !before.has(type));
  if (lost.length > 0) tell("type", "narrowed", `is no longer ${orList(lost)}`);
  if (gained.length > 0) tell("type", "widened", `may now be ${orList(gained)}`);
};

const orList = (names: readonly string[]): string => names.join(" or ");

const valuesOf = (schema: Schema): ReadonlySet<string> | undefined => {
  const values = schema["const"] === undefined ? schema["enum"] : [schema["const"]];
  return Array.isArray(values) ? new Set(values.map((value) => canonicalJson(value))) : undefined;
};

const compareListed = (old: Schema, now: Schema, tell: Tell): void => {
  const before = valuesOf(old);
  const after = valuesOf(now);
  if (after === undefined) {
    if (before !== undefined) tell("enum", "widened", "may now be any value");
    return;
  }
  if (before === undefined) {
    tell("enum", "narrowed", `may only be ${orList([...after])}`);
    return;
  }
  const lost = [...before].filter((value) => !after.has(value));
  const gained = [...after].filter((value) => !before.has(value));
  if (lost.length > 0) tell("enum", "narrowed", `may no longer be ${orList(lost)}`);
  if (gained.length > 0) tell("enum", "widened", `may now also be ${orList(gained)}`, false);
};

const compareBound = (
  { key, upper, unit }: (typeof BOUNDS)[number],
  old: Schema,
  now: Schema,
  tell: Tell,
): void => {
  const before = old[key];
  const after = now[key];
  if (before === after) return;
  if (typeof after !== "number") {
    if (typeof before === "number")
      tell("bound", "widened", `has no longer a ${unit} (it was ${before})`, true, key);
    return;
  }
  const from = typeof before === "number" ? before : upper ? Infinity : -Infinity;
  const tighter = upper ? after < from : after > from;
  const was = typeof before === "number" ? ` (it was ${before})` : "";
  tell("bound", tighter ? "narrowed" : "widened", `has a ${unit} of ${after}${was}`, true, key);
};

const compareTexts = (old: Schema, now: Schema, tell: Tell): void => {
  for (const key of [
    "pattern",
    "format",
    "multipleOf",
    "uniqueItems",
    "contentEncoding",
    "contentMediaType",
  ]) {
    const before = old[key] === false ? undefined : old[key];
    const after = now[key] === false ? undefined : now[key];
    if (before === after) continue;
    if (after === undefined)
      tell(key, "widened", `has no longer \`${key}: ${String(before)}\``, key !== "format");
    else if (before === undefined) tell(key, "narrowed", `must now have \`${key}: ${String(after)}\``);
    else tell(key, "narrowed", `has \`${key}: ${String(after)}\` in place of \`${String(before)}\``, false);
  }
};
