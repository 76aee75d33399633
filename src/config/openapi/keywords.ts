import type { JsonRecord } from "./records.ts";

/** Fields of a Reference Object that count beside `$ref` (OpenAPI 3.1 section 4.8.23). */
const DESCRIBING = new Set(["summary", "description"]);

/**
 * A reference without what counts for nothing beside it, the very same where nothing does. `counting` are those keys by which
 * the author will have meant something: words for people, and extensions, change no judgement.
 */
export const bareReference = (
  value: JsonRecord,
  internal: string,
  dialect: "3.0" | "3.1",
): { readonly made: JsonRecord; readonly counting: readonly string[] } => {
  const ignored = Object.keys(value).filter(
    (key) => key !== "$ref" && !(dialect === "3.1" && DESCRIBING.has(key)),
  );
  if (ignored.length === 0 && value["$ref"] === internal) return { made: value, counting: [] };
  const entries = Object.entries({ ...value, $ref: internal }).filter(([key]) => !ignored.includes(key));
  const counting = ignored.filter((key) => !/^(x-.*|summary|description|title|example|examples)$/.test(key));
  return { made: Object.fromEntries(entries), counting };
};

/** Keywords of draft 2020-12 that identify a schema; references were made internal without them. */
const DROPPED = new Set(["$id", "$schema", "$anchor"]);
const UNHONORED = ["$id", "$schema", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];
const DIALECTS = new Set([
  "https://json-schema.org/draft/2020-12/schema",
  "https://spec.openapis.org/oas/3.1/dialect/base",
]);

/** A schema of OpenAPI 3.1 without what identifies it, the very same where nothing does; `unhonored` is to be told. */
export const honored = (
  value: JsonRecord,
): { readonly made: JsonRecord; readonly unhonored: readonly string[] } => {
  const unhonored = UNHONORED.filter(
    (keyword) =>
      Object.hasOwn(value, keyword) && !(keyword === "$schema" && DIALECTS.has(String(value[keyword]))),
  );
  const isPlain = unhonored.length === 0 && ![...DROPPED].some((keyword) => Object.hasOwn(value, keyword));
  if (isPlain) return { made: value, unhonored };
  const kept = Object.entries(value).filter(([keyword]) => !DROPPED.has(keyword));
  return { made: Object.fromEntries(kept), unhonored };
};
