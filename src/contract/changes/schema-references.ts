import type { Json } from "../../core/json.ts";

/** A schema, and where it stands in its document. */
export interface PlacedSchema {
  readonly json: Json | undefined;
  readonly pointer: string;
  readonly document: Json;
}

/** A schema as an object. */
export type Schema = Readonly<Record<string, Json>>;

/** Follows references, and joins what `allOf` says of one value. */
export const followed = ({ json, pointer, document }: PlacedSchema): PlacedSchema => {
  let found: PlacedSchema = { json, pointer, document };
  for (let hops = 0; hops < 64; hops++) {
    const reference = schemaOf(found.json)["$ref"];
    if (typeof reference !== "string" || !reference.startsWith("#")) break;
    const target = reference.slice(1);
    const { $ref: _, ...beside } = schemaOf(found.json);
    const behind = valueAt(document, target);
    const joined = Object.keys(beside).some((key) => !ANNOTATIONS.has(key))
      ? mergeAll([schemaOf(behind), beside])
      : behind;
    found = { json: joined, pointer: target, document };
  }
  const { allOf, ...rest } = schemaOf(found.json);
  if (!Array.isArray(allOf)) return found;
  const parts = (allOf as readonly Json[]).map((part, index) =>
    schemaOf(followed({ json: part, pointer: `${found.pointer}/allOf/${index}`, document }).json),
  );
  return { ...found, json: mergeAll([rest, ...parts]) };
};

const ANNOTATIONS = new Set(["description", "title", "example", "examples", "deprecated", "summary"]);

/** What several schemas say of one value, as far as keywords join; of others the last counts. */
const mergeAll = (schemas: readonly Schema[]): Schema => {
  const properties: Schema = Object.assign({}, ...schemas.map((schema) => schemaOf(schema["properties"])));
  const required = [...new Set(schemas.flatMap((schema) => textsOf(schema["required"])))];
  return {
    ...(Object.assign({}, ...schemas) as Schema),
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  };
};

/** What stands behind a value's references, as an object, and where. */
export const resolved = (
  json: Json | undefined,
  pointer: string,
  document: Json,
): { readonly json: Schema; readonly pointer: string } => {
  let found = { json: schemaOf(json), pointer };
  for (let hops = 0; hops < 64; hops++) {
    const reference = found.json["$ref"];
    if (typeof reference !== "string" || !reference.startsWith("#")) break;
    found = { json: schemaOf(valueAt(document, reference.slice(1))), pointer: reference.slice(1) };
  }
  return found;
};

/** The value behind a JSON Pointer (RFC 6901). */
export const valueAt = (document: Json, pointer: string): Json | undefined =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<Json | undefined>(
      (value, step) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, step)
          ? (value as Schema)[step]
          : undefined,
      document,
    );

/** A schema as an object: `true` and none at all say nothing, `false` takes nothing. */
export const schemaOf = (json: Json | undefined): Schema =>
  json === false
    ? { enum: [] }
    : typeof json === "object" && json !== null && !Array.isArray(json)
      ? (json as Schema)
      : {};

export const textsOf = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.map(String) : [];
