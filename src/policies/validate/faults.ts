import type { SchemaFault, Validator } from "../../core/validator.ts";
import { pointerToken } from "../../lib/json-pointer-path.ts";
import type { Unreadable } from "../../lib/parameter-styles.ts";

/** What is wrong with one place of a request or an answer. Never quotes what stands there. */
export interface Fault {
  readonly in: "path" | "query" | "header" | "cookie" | "body";
  /** Of a parameter. */
  readonly name?: string;
  /** JSON Pointer (RFC 6901) into the body, or into a parameter that is an object or a list. */
  readonly pointer?: string;
  readonly code: string;
  readonly message: string;
}

/** As many faults are told at most. */
export const MOST_FAULTS = 100;
/** Longer names and pointers are not repeated. */
const LONGEST = 256;

/** What is told of what cannot be read. */
export const UNREADABLE: Readonly<Record<Unreadable["unreadable"], string>> = {
  "malformed-encoding": "has a percent-encoding that is broken",
  "malformed-value": "is not written as it must be",
  repeated: "stands more than once",
};

/** Says what is wrong by a validator; nothing where nothing is. */
export const judge = (
  validator: Validator,
  value: unknown,
  place: Pick<Fault, "in" | "name">,
  faults: Fault[],
): void => {
  try {
    if (validator(value)) return;
  } catch (error) {
    // The stack is what a value may be nested to.
    if (!(error instanceof RangeError)) throw error;
    faults.push({ ...place, code: "too-deep", message: "is nested too deeply" });
    return;
  }
  const told = new Set<string>();
  for (const found of validator.errors ?? []) {
    if (faults.length >= MOST_FAULTS) return;
    const words = wordsOf(found);
    if (words === undefined) continue;
    const [code, message, member] = words;
    const pointer = pointerOf(found.instancePath, member);
    const key = `${pointer} ${code} ${message}`;
    if (told.has(key)) continue;
    told.add(key);
    const isWhole = place.in !== "body" && pointer === "";
    faults.push({ ...place, ...(isWhole ? {} : { pointer }), code, message });
  }
};

const pointerOf = (path: string, member: string | undefined): string => {
  const pointer = member === undefined ? path : `${path}/${pointerToken(member)}`;
  if (pointer.length <= LONGEST) return pointer;
  return path.length <= LONGEST ? path : "";
};

/** A name that callers chose, as far as it is repeated. */
export const nameOf = (name: string): string =>
  name.length <= LONGEST ? name : `${name.slice(0, LONGEST)}…`;

type Words = readonly [code: string, message: string, member?: string];

const plural = (count: unknown, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

const TYPES: Readonly<Record<string, string>> = {
  array: "an array",
  boolean: "true or false",
  integer: "an integer",
  number: "a number",
  object: "an object",
  string: "a string",
};

/** Code and words by keyword of JSON Schema; the third is the member that they are about. */
const WORDS: Readonly<Record<string, (params: SchemaFault["params"]) => Words>> = {
  minLength: ({ limit }) => ["too-short", `must have at least ${plural(limit, "character")}`],
  maxLength: ({ limit }) => ["too-long", `must have at most ${plural(limit, "character")}`],
  minItems: ({ limit }) => ["too-few", `must have at least ${plural(limit, "item")}`],
  maxItems: ({ limit }) => ["too-many", `must have at most ${plural(limit, "item")}`],
  minProperties: ({ limit }) => ["too-few", `must have at least ${plural(limit, "member")}`],
  maxProperties: ({ limit }) => ["too-many", `must have at most ${plural(limit, "member")}`],
  minimum: ({ limit }) => ["too-small", `must be ${limit} or more`],
  exclusiveMinimum: ({ limit }) => ["too-small", `must be more than ${limit}`],
  maximum: ({ limit }) => ["too-large", `must be ${limit} or less`],
  exclusiveMaximum: ({ limit }) => ["too-large", `must be less than ${limit}`],
  multiple: ({ multipleOf }) => ["not-a-multiple", `must be a multiple of ${multipleOf}`],
  unique: () => ["not-unique", "must not have the same item twice"],
  contains: ({ minContains }) => [
    "too-few",
    `must have at least ${plural(minContains ?? 1, "item")} of a certain kind`,
  ],
  pattern: () => ["pattern", "does not have the form that it must have"],
  textFormat: ({ format }) => ["format", `must be of the format ${String(format)}`],
  numberFormat: ({ format }) => ["format", `must be of the format ${String(format)}`],
  type: ({ type }) => [
    "type",
    `must be ${alternatives((Array.isArray(type) ? type : String(type).split(",")).map((one) => TYPES[one as string] ?? one))}`,
  ],
  enum: ({ allowedValues }) => [
    "enum",
    `must be ${alternatives((allowedValues as unknown[]).map((value) => JSON.stringify(value)))}`,
  ],
  const: ({ allowedValue }) => ["const", `must be ${shortened(JSON.stringify(allowedValue))}`],
  required: ({ missingProperty }) => ["required", "is missing", String(missingProperty)],
  dependentRequired: ({ missingProperty }) => ["required", "is missing", String(missingProperty)],
  additionalProperties: ({ additionalProperty }) => [
    "unknown",
    "is not known here",
    String(additionalProperty),
  ],
  unevaluatedProperties: ({ unevaluatedProperty }) => [
    "unknown",
    "is not known here",
    String(unevaluatedProperty),
  ],
  additionalItems: ({ limit }) => ["too-many", `must have at most ${plural(limit, "item")}`],
  items: ({ limit }) => ["too-many", `must have at most ${plural(limit, "item")}`],
  unevaluatedItems: () => ["too-many", "has items that are not known here"],
  propertyNames: ({ propertyName }) => ["name", "has a name that it must not have", String(propertyName)],
  "false schema": () => ["not-allowed", "must not be there"],
  not: () => ["not", "is what it must not be"],
  oneOf: ({ passingSchemas }) =>
    passingSchemas === null || passingSchemas === undefined
      ? ["one-of", "fits none of the schemas of which it must fit one"]
      : ["one-of", "fits more than one of the schemas of which it must fit one"],
  anyOf: () => ["any-of", "fits none of the schemas of which it must fit one"],
};

/** Undefined for what only says that something inside of it is wrong. */
const wordsOf = ({ keyword, params }: SchemaFault): Words | undefined => {
  if (keyword === "if") return undefined;
  return WORDS[keyword]?.(params) ?? ["schema", "does not fit its schema"];
};

const alternatives = (values: readonly unknown[]): string => {
  const texts = values.map(String);
  return shortened(
    texts.length === 1 ? texts[0]! : `${texts.slice(0, -1).join(", ")} or ${texts[texts.length - 1]}`,
  );
};

const shortened = (text: string): string => (text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`);
