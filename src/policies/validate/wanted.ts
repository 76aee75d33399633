import type { Json } from "../../core/json.ts";
import type { BundledDocument } from "../../core/operation.ts";
import type { Wanted } from "../../lib/parameter-styles.ts";

type JsonObject = { readonly [name: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is looked at in schemas that are made of others. */
const MOST_LEVELS = 16;

/** What schemas say together of the kinds of a value. */
interface Kinds {
  /** Types of JSON Schema; undefined where nothing is said of them. */
  types: Set<string> | undefined;
  items: Json | undefined;
  properties: Map<string, Json>;
  /** The schema of other members; `true` where nothing is said. */
  rest: Json | undefined;
}

/** The order in which kinds of scalars are tried. */
const SCALARS = [
  ["null", "z"],
  ["boolean", "b"],
  ["integer", "i"],
  ["number", "n"],
  ["string", "s"],
] as const;

/**
 * What a text has to be read as to be judged by a schema: that is decided here and not when it comes, so that the text "1" never
 * becomes a number where a text is meant. Lists and objects are looked into one level deep, for styles can write no more.
 */
export const wantedOf = (schema: Json | undefined, document: BundledDocument, level = 0): Wanted => {
  const kinds = kindsOf(schema, document);
  const { types } = kinds;
  const scalars =
    types === undefined
      ? "s"
      : SCALARS.flatMap(([type, letter]) => (types.has(type) ? [letter] : [])).join("");
  if (level > 1) return { scalars };
  const isList = types?.has("array") ?? kinds.items !== undefined;
  const isMap = types?.has("object") ?? kinds.properties.size > 0;
  const compound = types === undefined && (isList || isMap);
  return {
    scalars: compound ? "" : scalars,
    ...(isList && { items: wantedOf(kinds.items, document, level + 1) }),
    ...(isMap && membersOf(kinds, document, level)),
  };
};

const membersOf = (
  { properties, rest }: Kinds,
  document: BundledDocument,
  level: number,
): Partial<Wanted> => ({
  properties: Object.fromEntries(
    [...properties].map(([name, schema]) => [name, wantedOf(schema, document, level + 1)]),
  ),
  // An object that lists its properties takes only these out of a query, unless it says that there are others.
  ...((rest === undefined ? properties.size === 0 : rest !== false) && {
    rest: wantedOf(rest === true ? undefined : rest, document, level + 1),
  }),
});

/** Properties of a schema and of what it is made of. */
export const propertiesOf = (
  schema: Json | undefined,
  document: BundledDocument,
): ReadonlyMap<string, Json> => kindsOf(schema, document).properties;

const kindsOf = (schema: Json | undefined, document: BundledDocument, level = 0): Kinds => {
  const kinds: Kinds = { types: undefined, items: undefined, properties: new Map(), rest: undefined };
  if (!isObject(schema) || level > MOST_LEVELS) return kinds;
  if (typeof schema["$ref"] === "string") {
    const target = document.resolve(schema);
    if (target !== schema) take(kinds, kindsOf(target, document, level + 1));
    if (document.dialect === "3.0") return kinds;
  }
  takeOwn(kinds, schema);
  for (const part of listOf(schema["allOf"])) take(kinds, kindsOf(part, document, level + 1));
  for (const key of ["oneOf", "anyOf"])
    if (Array.isArray(schema[key])) takeAlternatives(kinds, listOf(schema[key]), document, level);
  return kinds;
};

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const takeOwn = (kinds: Kinds, schema: JsonObject): void => {
  const { type, items, properties, additionalProperties, nullable } = schema;
  const types = typesOf(schema);
  if (types !== undefined)
    narrow(kinds, nullable === true && type !== undefined ? new Set([...types, "null"]) : types);
  if (items !== undefined) kinds.items ??= items;
  if (isObject(properties))
    for (const [name, value] of Object.entries(properties)) kinds.properties.set(name, value);
  if (additionalProperties !== undefined) kinds.rest = additionalProperties;
};

/** Types as they are written, or those of the values that there can be. */
const typesOf = ({ type, enum: values, const: only }: JsonObject): Set<string> | undefined => {
  if (typeof type === "string") return new Set([type]);
  if (Array.isArray(type)) return new Set(type as string[]);
  if (only !== undefined) return new Set([typeOf(only)]);
  return Array.isArray(values) ? new Set((values as readonly Json[]).map(typeOf)) : undefined;
};

const typeOf = (value: Json): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "array"
      : typeof value === "number"
        ? Number.isInteger(value)
          ? "integer"
          : "number"
        : typeof value;

const narrow = (kinds: Kinds, types: ReadonlySet<string>): void => {
  const has = (type: string): boolean => types.has(type) || (type === "integer" && types.has("number"));
  kinds.types =
    kinds.types === undefined
      ? new Set(types)
      : new Set(
          [...kinds.types].flatMap((type) =>
            has(type) ? [type] : type === "number" && types.has("integer") ? ["integer"] : [],
          ),
        );
};

const take = (kinds: Kinds, other: Kinds): void => {
  if (other.types !== undefined) narrow(kinds, other.types);
  kinds.items ??= other.items;
  for (const [name, value] of other.properties)
    if (!kinds.properties.has(name)) kinds.properties.set(name, value);
  kinds.rest ??= other.rest;
};

const takeAlternatives = (
  kinds: Kinds,
  alternatives: readonly Json[],
  document: BundledDocument,
  level: number,
): void => {
  const all = alternatives.map((alternative) => kindsOf(alternative, document, level + 1));
  if (all.every(({ types }) => types !== undefined))
    narrow(kinds, new Set(all.flatMap(({ types }) => [...types!])));
  for (const { items, properties, rest } of all) take(kinds, { types: undefined, items, properties, rest });
};
