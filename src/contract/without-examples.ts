import { FIELDS, type Field, type Kind, OPEN_KINDS } from "../config/openapi/grammar.ts";
import type { Json } from "../core/json.ts";

type JsonObject = { readonly [name: string]: Json };

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Objects that have `example` and `examples` of their own. */
const WITH_EXAMPLES: readonly Kind[] = ["schema", "parameter", "header", "mediaType"];

/** A document without examples: they are data, in which what looks like a reference is none, and no type comes of them. */
export const withoutExamples = (document: Json): Json => without(document, "document");

const without = (value: Json, kind: Kind): Json => {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !isExample(key, kind))
      .map(([key, inner]) => {
        const field = Object.hasOwn(FIELDS[kind], key)
          ? FIELDS[kind][key]
          : key.startsWith("x-")
            ? undefined
            : OPEN_KINDS[kind];
        return [key, field === undefined ? inner : inField(inner, field)];
      }),
  );
};

const isExample = (key: string, kind: Kind): boolean =>
  kind === "components"
    ? key === "examples"
    : (key === "example" || key === "examples") && WITH_EXAMPLES.includes(kind);

const inField = (value: Json, { kind, holds }: Field): Json => {
  if (holds === "map" && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, without(inner, kind)]));
  return Array.isArray(value) ? value.map((inner: Json) => without(inner, kind)) : without(value, kind);
};
