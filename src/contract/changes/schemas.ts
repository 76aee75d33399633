import type { Json } from "../../core/json.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import { followed, type PlacedSchema, type Schema, schemaOf, textsOf } from "./schema-references.ts";
import { compareValues, type Tell, type Trend } from "./schema-values.ts";

/** Who writes what the schema describes: a caller, whom narrowing fails, or the gateway, whom callers must understand. */
export type Direction = "request" | "response";

/** A difference of two schemas. */
export interface SchemaDifference {
  /** `type`, `enum`, `required` …: what the id of the change is made from. */
  readonly what: string;
  readonly trend: Trend;
  /** Whether it surely matters, or only to some callers. */
  readonly certain: boolean;
  /** Place inside of the value, as `items[].price`; empty for the whole. */
  readonly at: string;
  readonly message: string;
  /** JSON Pointers into the two schemas: to the keyword in question, which one of them may be without. */
  readonly base: string;
  readonly head: string;
}

interface Comparing {
  readonly direction: Direction;
  readonly report: (difference: SchemaDifference) => void;
  /** Pairs that are being compared: a recursive schema meets itself. */
  readonly met: Set<string>;
}

/**
 * Compares two schemas (JSON Schema 2020-12, as the public document has them) and reports each difference. What it cannot follow,
 * such as `not` or `if`, it reports as a difference of which nobody can tell what it means.
 */
export const compareSchemas = (
  base: PlacedSchema,
  head: PlacedSchema,
  direction: Direction,
  report: (difference: SchemaDifference) => void,
): void => compare(base, head, "", { direction, report, met: new Set() });

const compare = (one: PlacedSchema, other: PlacedSchema, at: string, comparing: Comparing): void => {
  const base = followed(one);
  const head = followed(other);
  const pair = `${base.pointer} ${head.pointer}`;
  if (comparing.met.has(pair)) return;
  comparing.met.add(pair);
  const old = schemaOf(base.json);
  const now = schemaOf(head.json);
  const tell: Tell = (what, trend, message, certain = true, keyword = what) =>
    comparing.report({
      what,
      trend,
      certain,
      at,
      message,
      base: `${base.pointer}/${keyword}`,
      head: `${head.pointer}/${keyword}`,
    });
  compareValues(old, now, tell);
  compareProperties(base, head, at, comparing, tell);
  compareItems(base, head, at, comparing);
  compareVariants(base, head, at, comparing, tell);
  for (const key of OPAQUE) {
    if (canonical(old[key]) !== canonical(now[key]))
      tell("schema", "narrowed", `is described by another \`${key}\``, false);
  }
};

/** Keywords that are compared as a whole, for what a change of them means cannot be told. */
const OPAQUE = [
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "contains",
  "patternProperties",
  "propertyNames",
  "unevaluatedItems",
];

const canonical = (value: Json | undefined): string => (value === undefined ? "" : canonicalJson(value));

const isClosed = (schema: Schema): boolean =>
  schema["additionalProperties"] === false || schema["unevaluatedProperties"] === false;

const compareProperties = (
  base: PlacedSchema,
  head: PlacedSchema,
  at: string,
  comparing: Comparing,
  tell: Tell,
): void => {
  const old = schemaOf(base.json);
  const now = schemaOf(head.json);
  const before = schemaOf(old["properties"]);
  const after = schemaOf(now["properties"]);
  const hidden = comparing.direction === "request" ? "readOnly" : "writeOnly";
  const isHidden = (name: string): boolean =>
    [before[name], after[name]].some((property) => schemaOf(property)[hidden] === true);
  const wasRequired = new Set(textsOf(old["required"]));
  const isRequired = new Set(textsOf(now["required"]));
  for (const name of isRequired)
    if (!wasRequired.has(name) && !isHidden(name)) tell("required", "narrowed", `must now have \`${name}\``);
  for (const name of wasRequired) {
    if (!isRequired.has(name) && !isHidden(name))
      tell(
        "required",
        "widened",
        after[name] === undefined ? `has no longer \`${name}\`` : `may now be without \`${name}\``,
      );
  }
  for (const name of Object.keys(before)) {
    if (isHidden(name)) continue;
    if (after[name] !== undefined) {
      compare(
        placed(base, ["properties", name], before[name]),
        placed(head, ["properties", name], after[name]),
        at === "" ? name : `${at}.${name}`,
        comparing,
      );
    } else if (isClosed(now)) tell("property", "narrowed", `may no longer have \`${name}\``);
    else if (!wasRequired.has(name))
      tell("property", "widened", `is no longer described with \`${name}\``, false);
  }
  if (isClosed(old) && !isClosed(now))
    tell("additional-properties", "widened", "may now have properties that are not described", false);
  if (!isClosed(old) && isClosed(now))
    tell("additional-properties", "narrowed", "may no longer have properties that are not described");
  const [inner, outer] = [old["additionalProperties"], now["additionalProperties"]];
  if (typeof inner === "object" && typeof outer === "object")
    compare(
      placed(base, ["additionalProperties"], inner),
      placed(head, ["additionalProperties"], outer),
      `${at}{}`,
      comparing,
    );
};

const placed = (schema: PlacedSchema, steps: readonly string[], json: Json | undefined): PlacedSchema => ({
  json,
  pointer: `${schema.pointer}/${steps.map((step) => step.replaceAll("~", "~0").replaceAll("/", "~1")).join("/")}`,
  document: schema.document,
});

const compareItems = (base: PlacedSchema, head: PlacedSchema, at: string, comparing: Comparing): void => {
  const before = schemaOf(base.json)["items"];
  const after = schemaOf(head.json)["items"];
  if (before === undefined && after === undefined) return;
  compare(placed(base, ["items"], before), placed(head, ["items"], after), `${at}[]`, comparing);
};

/** How alternatives find each other again: by what they refer to, else by their whole text. */
const variantsOf = (schema: PlacedSchema): ReadonlyMap<string, PlacedSchema> | undefined => {
  for (const key of ["oneOf", "anyOf"]) {
    const list = schemaOf(schema.json)[key];
    if (!Array.isArray(list)) continue;
    return new Map(
      (list as readonly Json[]).map((json, index) => {
        const reference = schemaOf(json)["$ref"];
        const name = typeof reference === "string" ? reference : canonicalJson(json);
        return [name, placed(schema, [key, String(index)], json)];
      }),
    );
  }
  return undefined;
};

const compareVariants = (
  base: PlacedSchema,
  head: PlacedSchema,
  at: string,
  comparing: Comparing,
  tell: Tell,
): void => {
  const before = variantsOf(base);
  const after = variantsOf(head);
  if (before === undefined && after === undefined) return;
  if (before === undefined || after === undefined) {
    const plain = before === undefined ? base : head;
    // What says nothing at all takes each of the alternatives.
    if (Object.keys(schemaOf(plain.json)).length > 0)
      tell("schema", "narrowed", "is described by alternatives in another way", false);
    else if (before === undefined) tell("variant", "narrowed", "must now be one of several forms");
    else tell("variant", "widened", "may now have any form");
    return;
  }
  for (const [name, variant] of before) {
    const same = after.get(name);
    if (same !== undefined) compare(variant, same, at, comparing);
    else tell("variant", "narrowed", `may no longer be ${shortName(name)}`);
  }
  for (const name of after.keys())
    if (!before.has(name)) tell("variant", "widened", `may now be ${shortName(name)}`);
};

const shortName = (name: string): string =>
  name.startsWith("#") ? name.slice(name.lastIndexOf("/") + 1) : name.slice(0, 60);
