import type { Json } from "../../core/json.ts";
import { isObject, type JsonObject } from "./composed.ts";

/** Schemas that stand for an alternative which a property decides. */
export interface Discriminated {
  readonly replaces: "oneOf" | "anyOf";
  readonly schemas: readonly Json[];
}

/**
 * A choice that names the property which decides (OpenAPI 3.1 section 4.8.25): the value is judged by the one schema that
 * the property's value stands for, so that faults are those of what the caller meant. Alternatives are named by the
 * last part of their reference and by the mapping. Undefined where a schema stands among them that has no name: then all
 * are tried, as without a discriminator.
 */
export const discriminated = (
  schema: JsonObject,
  refer: (reference: string) => Json | undefined,
): Discriminated | undefined => {
  const { discriminator } = schema;
  const replaces = Array.isArray(schema["oneOf"])
    ? "oneOf"
    : Array.isArray(schema["anyOf"])
      ? "anyOf"
      : undefined;
  if (replaces === undefined || !isObject(discriminator)) return undefined;
  const { propertyName, mapping } = discriminator;
  if (typeof propertyName !== "string") return undefined;
  const references = (schema[replaces] as readonly Json[]).map((item) =>
    isObject(item) ? item["$ref"] : undefined,
  );
  if (!references.every((reference) => typeof reference === "string")) return undefined;
  const byName = new Map<string, string>(references.map((reference) => [nameOf(reference), reference]));
  if (isObject(mapping))
    for (const [name, value] of Object.entries(mapping)) {
      if (typeof value !== "string") continue;
      const known = references.find((reference) => reference === value || nameOf(reference) === value);
      if (known !== undefined) byName.set(name, known);
    }
  const branches = [...byName].map(([name, reference]) => ({ name, target: refer(reference) }));
  if (branches.some(({ target }) => target === undefined)) return undefined;
  return {
    replaces,
    schemas: [
      {
        type: "object",
        required: [propertyName],
        properties: { [propertyName]: { enum: branches.map(({ name }) => name) } },
      },
      ...branches.map(({ name, target }) => ({
        if: { type: "object", required: [propertyName], properties: { [propertyName]: { const: name } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: target!,
      })),
    ],
  };
};

const nameOf = (reference: string): string => reference.slice(reference.lastIndexOf("/") + 1);
