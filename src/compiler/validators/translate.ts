import type { Json } from "../../core/json.ts";
import type { ValidatorSpec } from "../../core/validator.ts";
import { pointerToken } from "../../lib/json-pointer-path.ts";
import { ComposedSchema, isObject, type JsonObject } from "./composed.ts";
import { discriminated } from "./discriminator.ts";
import { NUMBER_FORMATS, TEXT_FORMATS } from "./formats.ts";

/** How schemas of one document are meant, apart from which schema it is. */
export type Meaning = Pick<
  ValidatorSpec,
  "document" | "direction" | "refuseOtherDirection" | "closed" | "formats"
>;

/** What a translation asks of whoever makes one after the other. */
export interface Translation {
  /** The id under which the schema at a JSON Pointer of the document is, or will be, translated. */
  idOf(pointer: string): string;
  /** Whether a regular expression can be matched; tells of it where it cannot. */
  takesPattern(pattern: string, pointer: string): boolean;
  /** Takes down that a reference leads nowhere, of which whoever read the document has told. */
  unresolved(): void;
}

/** Schemas below these keywords judge the same value as the schema around them. */
const SAME_VALUE_LISTS = ["allOf", "anyOf", "oneOf"];
const SAME_VALUE = ["not", "if", "then", "else"];
const OTHER_VALUE = [
  "items",
  "additionalProperties",
  "contains",
  "propertyNames",
  "unevaluatedItems",
  "unevaluatedProperties",
];
const MAPS = ["properties", "patternProperties", "dependentSchemas"];

/** Keywords that are taken over as they are. */
const PLAIN = [
  "type",
  "enum",
  "const",
  "maximum",
  "exclusiveMaximum",
  "minimum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "maxItems",
  "minItems",
  "maxContains",
  "minContains",
  "maxProperties",
  "minProperties",
  "dependentRequired",
  "$dynamicRef",
  "$dynamicAnchor",
  "$anchor",
];

/** Keywords that the dialect of OpenAPI 3.0 does not have, and which therefore mean nothing there. */
const NEW_IN_31 = new Set([
  ...[
    "const",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
  ],
  ...["patternProperties", "dependentSchemas", "prefixItems", "maxContains", "minContains"],
  ...["dependentRequired", "$dynamicRef", "$dynamicAnchor", "$anchor"],
]);

/** Where a schema stands: whether another one judges the same value, which then decides on what else an object may have. */
interface Standing {
  readonly pointer: string;
  readonly inside: boolean;
  /** Properties that `required` does not count, for a schema around this one says that they are of the other direction. */
  readonly exempt: ReadonlySet<string>;
}

/** Turns schemas of OpenAPI 3.0 and 3.1 into such of draft 2020-12 as the generator takes. */
export class Translator {
  readonly #meaning: Meaning;
  readonly #work: Translation;
  readonly #composed: ComposedSchema;

  constructor(meaning: Meaning, work: Translation) {
    this.#meaning = meaning;
    this.#work = work;
    this.#composed = new ComposedSchema(meaning.document, meaning.direction);
  }

  /** The translation of a schema. `inside` says that it is referred to by a schema that judges the same value. */
  translate(schema: Json, pointer: string, inside: boolean): Json {
    return this.#schema(schema, { pointer, inside, exempt: new Set() });
  }

  #schema(schema: Json, standing: Standing): Json {
    if (!isObject(schema)) return schema;
    const is30 = this.#meaning.document.dialect === "3.0";
    const reference = schema["$ref"];
    if (typeof reference === "string" && is30) return this.#reference(reference, standing);
    const out: Record<string, Json> = {};
    for (const key of PLAIN)
      if (schema[key] !== undefined && !(is30 && NEW_IN_31.has(key))) out[key] = schema[key];
    if (is30) exclusiveOf30(out);
    this.#ownKeywords(schema, standing, out);
    const exempt = this.#directions(schema, standing, out);
    this.#subschemas(schema, { ...standing, exempt }, out, is30);
    if (typeof reference === "string") {
      const target = this.#reference(reference, { ...standing, inside: true });
      // A reference beside other keywords is one more schema for the same value.
      out["allOf"] = [...((out["allOf"] as readonly Json[] | undefined) ?? []), target];
    }
    if (schema["discriminator"] !== undefined) this.#discriminate(schema, standing, out);
    if (this.#meaning.closed && !standing.inside && this.#composed.isClosable(schema)) close(out);
    return is30 && schema["nullable"] === true ? nullable(out, schema) : out;
  }

  #reference(reference: string, { inside }: Standing): Json {
    const target = this.#composed.pointerOf(reference);
    if (target === undefined) {
      this.#work.unresolved();
      return true;
    }
    const { closed } = this.#meaning;
    return { $ref: this.#work.idOf(closed && inside ? `${target}#inside` : target) };
  }

  /** Keywords that generated code asks functions of ours about. */
  #ownKeywords(schema: JsonObject, { pointer }: Standing, out: Record<string, Json>): void {
    const { pattern, format, uniqueItems, multipleOf } = schema;
    if (typeof pattern === "string" && this.#work.takesPattern(pattern, `${pointer}/pattern`))
      out["pattern"] = pattern;
    if (uniqueItems === true) out["unique"] = true;
    if (typeof multipleOf === "number" && multipleOf > 0) out["multiple"] = multipleOf;
    if (!this.#meaning.formats || typeof format !== "string") return;
    if (Object.hasOwn(TEXT_FORMATS, format)) out["textFormat"] = format;
    if (Object.hasOwn(NUMBER_FORMATS, format)) out["numberFormat"] = format;
  }

  /** `required` without what is of the other direction; answers all names that are. */
  #directions(schema: JsonObject, { exempt }: Standing, out: Record<string, Json>): ReadonlySet<string> {
    const own = this.#composed.otherDirection(schema);
    const all = own.size === 0 ? exempt : new Set([...exempt, ...own]);
    const { required } = schema;
    if (Array.isArray(required)) {
      const names = required.filter((name) => !all.has(name as string));
      if (names.length > 0) out["required"] = names;
    }
    return all;
  }

  #subschemas(schema: JsonObject, standing: Standing, out: Record<string, Json>, is30: boolean): void {
    const { pointer } = standing;
    const has = (key: string): boolean => schema[key] !== undefined && !(is30 && NEW_IN_31.has(key));
    const other = (value: Json, at: string): Json =>
      this.#schema(value, { pointer: at, inside: false, exempt: new Set() });
    const same = (value: Json, at: string): Json =>
      this.#schema(value, { ...standing, pointer: at, inside: true });
    for (const key of SAME_VALUE_LISTS)
      if (Array.isArray(schema[key]))
        out[key] = (schema[key] as readonly Json[]).map((item, index) =>
          same(item, `${pointer}/${key}/${index}`),
        );
    for (const key of SAME_VALUE) if (has(key)) out[key] = same(schema[key]!, `${pointer}/${key}`);
    for (const key of OTHER_VALUE) if (has(key)) out[key] = other(schema[key]!, `${pointer}/${key}`);
    const { prefixItems } = schema;
    if (has("prefixItems") && Array.isArray(prefixItems))
      out["prefixItems"] = prefixItems.map((item: Json, index) =>
        other(item, `${pointer}/prefixItems/${index}`),
      );
    for (const key of MAPS) {
      const map = schema[key];
      if (!has(key) || !isObject(map)) continue;
      const judge = key === "dependentSchemas" ? same : other;
      out[key] = Object.fromEntries(
        Object.entries(map).map(([name, value]) => [
          name,
          key === "properties" && this.#composed.isOther(value)
            ? !this.#meaning.refuseOtherDirection
            : judge(value, `${pointer}/${key}/${pointerToken(name)}`),
        ]),
      );
    }
    this.#patternProperties(out, pointer);
    protoByPattern(out, () => this.#work.takesPattern(PROTO, pointer));
    this.#unevaluatedItems(schema, pointer, out);
  }

  /** What `contains` finds is evaluated (JSON Schema core, section 11.2): such items pass as those that nobody else judges do. */
  #unevaluatedItems(schema: JsonObject, pointer: string, out: Record<string, Json>): void {
    const rest = out["unevaluatedItems"];
    if (rest === undefined) return;
    const found = this.#composed.containsOf(schema, pointer);
    if (found.length > 0)
      out["unevaluatedItems"] = { anyOf: [...found.map((at) => ({ $ref: this.#work.idOf(at) })), rest] };
  }

  /** Where the names of a pattern cannot be told, neither can those of the rest. */
  #patternProperties(out: Record<string, Json>, pointer: string): void {
    const patterns = out["patternProperties"];
    if (!isObject(patterns)) return;
    const taken = Object.entries(patterns).filter(([pattern]) =>
      this.#work.takesPattern(pattern, `${pointer}/patternProperties/${pointerToken(pattern)}`),
    );
    if (taken.length === Object.keys(patterns).length) return;
    out["patternProperties"] = Object.fromEntries(taken);
    out["additionalProperties"] = true;
  }

  #discriminate(schema: JsonObject, { pointer }: Standing, out: Record<string, Json>): void {
    const made = discriminated(schema, (reference) => {
      const target = this.#composed.pointerOf(reference);
      return target === undefined
        ? undefined
        : this.#reference(reference, { pointer, inside: true, exempt: new Set() });
    });
    if (made === undefined) return;
    delete out[made.replaces];
    out["allOf"] = [...((out["allOf"] as readonly Json[] | undefined) ?? []), ...made.schemas];
  }
}

const PROTO = "^__proto__$";

/** ajv passes over a property of this name; not over a pattern that takes it alone. */
const protoByPattern = (out: Record<string, Json>, takePattern: () => boolean): void => {
  const { properties } = out;
  if (!isObject(properties) || !Object.hasOwn(properties, "__proto__") || !takePattern()) return;
  const { ["__proto__"]: proto, ...rest } = properties;
  out["properties"] = rest;
  const patterns = (out["patternProperties"] ?? {}) as JsonObject;
  out["patternProperties"] = { ...patterns, [PROTO]: proto! };
};

/** Bounds that a boolean makes exclusive are numbers of their own since draft 6. */
const exclusiveOf30 = (out: Record<string, Json>): void => {
  for (const [key, bound] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    if (typeof out[key] !== "boolean") continue;
    const value = out[bound];
    if (out[key] === true && value !== undefined) {
      out[key] = value;
      delete out[bound];
    } else delete out[key];
  }
};

/**
 * What `nullable` permits. With `type` it adds null to the types, and an `enum` has to name null by itself (OpenAPI 3.0.3
 * section 4.7.24.1); beside other schemas alone it is read as it is meant, that null is as good as these.
 */
const nullable = (out: Record<string, Json>, schema: JsonObject): Json => {
  const { type } = schema;
  if (typeof type === "string" && !("allOf" in out) && !("oneOf" in out) && !("anyOf" in out))
    return { ...out, type: [type, "null"] };
  if (type === undefined && !("allOf" in out) && !("oneOf" in out) && !("anyOf" in out)) return out;
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  return { if: { not: { type: "null" } }, then: out };
};

/** An object has what its schemas name, and no more. */
const close = (out: Record<string, Json>): void => {
  const composed = ["allOf", "anyOf", "oneOf", "if", "dependentSchemas", "$dynamicRef"].some(
    (key) => key in out,
  );
  out[composed ? "unevaluatedProperties" : "additionalProperties"] = false;
};

/** The documents whose schemas are told apart by how they are meant. */
export const sameMeaning = (one: Meaning, other: Meaning): boolean =>
  one.document === other.document &&
  one.direction === other.direction &&
  one.refuseOtherDirection === other.refuseOtherDirection &&
  one.closed === other.closed &&
  one.formats === other.formats;
