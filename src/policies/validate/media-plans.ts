import type { Json } from "../../core/json.ts";
import type { BundledDocument, MediaInfo } from "../../core/operation.ts";
import { isJsonEssence } from "../../lib/http/media-type.ts";
import { valueAt } from "../../lib/json-pointer-path.ts";
import type { FieldPlan, MediaPlan } from "./body.ts";
import { propertiesOf, wantedOf } from "./wanted.ts";

type JsonObject = { readonly [name: string]: Json };
type Content = Readonly<Record<string, MediaInfo>>;

/** Names the validator of a schema, by its JSON Pointer. */
export type NameValidator = (pointer: string) => string;

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A media type or range without its parameters, in lower case. */
const rangeOf = (written: string): string => written.split(";", 1)[0]!.trim().toLowerCase();

const breadth = (range: string): number =>
  range === "*/*" ? 3 : range.endsWith("/*") ? 2 : range.includes("*") ? 1 : 0;

/** Plans what is done with bodies by their types, the narrowest range first. */
export const mediaPlans = (content: Content, document: BundledDocument, name: NameValidator): MediaPlan[] =>
  Object.entries(content)
    .map(([written, media]) => ({ range: rangeOf(written), media }))
    .sort((one, other) => breadth(one.range) - breadth(other.range))
    .flatMap(({ range, media }) => plansOfRange(range, media, document, name));

const plansOfRange = (
  range: string,
  media: MediaInfo,
  document: BundledDocument,
  name: NameValidator,
): MediaPlan[] => {
  const { schema } = media;
  if (schema === undefined) return [{ range, kind: "unread" }];
  const json = document.resolve(valueAt(document.json, schema) as Json);
  if (isJsonEssence(range) || range === "application/*+json")
    return [{ range, kind: "json", validator: name(schema) }];
  if (range === "application/x-www-form-urlencoded" || range === "multipart/form-data") {
    const kind = range === "multipart/form-data" ? "multipart" : "form";
    const { rest } = wantedOf(json, document);
    const fields = fieldPlans(json, media.encoding, kind, document);
    return [{ range, kind, validator: name(schema), fields, ...(rest && { rest }) }];
  }
  // What such a range has of JSON is judged; the rest of it cannot be.
  if (range === "*/*" || range === "application/*") {
    const validator = name(schema);
    return [
      { range: "application/json", kind: "json", validator },
      { range: "application/*+json", kind: "json", validator },
      { range, kind: "unread" },
    ];
  }
  if (range.startsWith("text/") && isObject(json) && json["format"] !== "binary" && isBounded(json))
    return [{ range, kind: "text", validator: name(schema), wanted: wantedOf(json, document) }];
  return [{ range, kind: "unread" }];
};

/** Whether there is anything to judge of a text. */
const isBounded = (schema: JsonObject): boolean =>
  schema["type"] !== "string" ||
  Object.keys(schema).some(
    (key) => !["type", "description", "title", "example", "examples", "default"].includes(key),
  );

const fieldPlans = (
  schema: Json | undefined,
  encoding: Json | undefined,
  kind: "form" | "multipart",
  document: BundledDocument,
): FieldPlan[] =>
  [...propertiesOf(schema, document)].map(([name, property]): FieldPlan => {
    const how = isObject(encoding) && isObject(encoding[name]) ? encoding[name] : {};
    const wanted = wantedOf(property, document);
    const types = typeof how["contentType"] === "string" ? how["contentType"].split(",").map(rangeOf) : [];
    const styled =
      how["style"] !== undefined || how["explode"] !== undefined || how["allowReserved"] !== undefined;
    const style = (how["style"] as FieldPlan["style"] | undefined) ?? "form";
    const explode =
      typeof how["explode"] === "boolean" ? how["explode"] : style === "form" || style === "deepObject";
    const items = wanted.items;
    const content = items ?? wanted;
    const isFile = kind === "multipart" && holdsFile(property, types, document);
    // Objects are written as JSON, unless a style says otherwise (OpenAPI 3.1 section 4.8.14.4).
    const isJson =
      types.length > 0
        ? types.every(isJsonEssence)
        : content.properties !== undefined && !(styled && kind === "form");
    const plain = isFile || isJson ? { scalars: "s" } : wanted;
    return {
      name,
      style,
      explode,
      wanted: items !== undefined && (isFile || isJson) ? { scalars: "", items: plain } : plain,
      ...(isJson && !isFile && { json: true as const }),
      ...(isFile && { file: types }),
    };
  });

/** Whether a part is a file: bytes by its schema, or by the media types that it may have. */
const holdsFile = (property: Json, types: readonly string[], document: BundledDocument): boolean => {
  const schema = document.resolve(property);
  if (!isObject(schema)) return true;
  if (schema["type"] === "array") return holdsFile(schema["items"] ?? true, types, document);
  if (types.length > 0) return types.some((type) => !isJsonEssence(type) && !type.startsWith("text/"));
  return (
    schema["format"] === "binary" ||
    schema["contentMediaType"] !== undefined ||
    Object.keys(schema).every((key) => ["title", "description", "deprecated"].includes(key))
  );
};
