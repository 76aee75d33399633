import type { Json } from "../core/json.ts";
import { isObject, type JsonObject } from "./json.ts";

/**
 * A schema of the dialect of OpenAPI 3.0 as draft 2020-12 says it; only its own keywords, for schemas inside of it are converted
 * by themselves (OpenAPI 3.1, and "Migrating from OpenAPI 3.0 to 3.1.0").
 */
export const modernSchema = (schema: JsonObject): JsonObject => {
  const made: Record<string, Json> = { ...schema };
  convertNull(made);
  convertBound(made, "minimum", "exclusiveMinimum");
  convertBound(made, "maximum", "exclusiveMaximum");
  if ("example" in made) {
    made["examples"] = [made["example"]!];
    delete made["example"];
  }
  convertBytes(made);
  return made;
};

/** `nullable` counts only beside a `type` (OpenAPI 3.0.3). */
const convertNull = (made: Record<string, Json>): void => {
  const { nullable, type, enum: values } = made;
  delete made["nullable"];
  if (nullable !== true || typeof type !== "string") return;
  made["type"] = [type, "null"];
  // An enum without null took no null in 3.0 either, but whoever wrote `nullable` meant it.
  if (Array.isArray(values) && !values.includes(null)) made["enum"] = [...values, null];
};

const convertBound = (
  made: Record<string, Json>,
  bound: "minimum" | "maximum",
  exclusive: "exclusiveMinimum" | "exclusiveMaximum",
): void => {
  const flag = made[exclusive];
  if (typeof flag !== "boolean") return;
  delete made[exclusive];
  if (!flag || made[bound] === undefined) return;
  made[exclusive] = made[bound];
  delete made[bound];
};

/** Files and encoded bytes, which 3.1 describes by the keywords of JSON Schema for content. */
const convertBytes = (made: Record<string, Json>): void => {
  if (made["type"] !== "string") return;
  if (made["format"] === "binary") {
    delete made["format"];
    made["contentMediaType"] = "application/octet-stream";
  } else if (made["format"] === "byte") {
    delete made["format"];
    made["contentEncoding"] = "base64";
  }
};

/** A schema without the properties that are `x-internal`. */
export const withoutInternal = (schema: JsonObject): JsonObject => {
  const { properties, required } = schema;
  if (!isObject(properties)) return schema;
  const hidden = Object.keys(properties).filter((name) => {
    const property = properties[name];
    return isObject(property) && property["x-internal"] === true;
  });
  if (hidden.length === 0) return schema;
  const kept = Object.entries(properties).filter(([name]) => !hidden.includes(name));
  return {
    ...schema,
    properties: Object.fromEntries(kept),
    ...(Array.isArray(required) && {
      required: required.filter((name) => !hidden.includes(String(name))),
    }),
  };
};
