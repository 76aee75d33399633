import type { WithheldParameters } from "../../core/contribution.ts";
import type { Json } from "../../core/json.ts";
import type { BundledDocument, OperationInfo, ParameterInfo } from "../../core/operation.ts";
import { isJsonEssence } from "../../lib/http/media-type.ts";
import { valueAt } from "../../lib/json-pointer-path.ts";
import { isObjectWanted, type Wanted } from "../../lib/parameter-styles.ts";
import type { NameValidator } from "./media-plans.ts";
import type { ParameterPlan } from "./parameters.ts";
import { wantedOf } from "./wanted.ts";

/** Keywords that say nothing of which values there can be. */
const ANNOTATIONS = new Set([
  ...[
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "externalDocs",
    "$comment",
  ],
]);

/** Plans how the parameters of an operation are read and judged, but for those that callers do not send. */
export const parameterPlans = (
  operation: OperationInfo,
  name: NameValidator,
  isOurs: (parameter: ParameterInfo) => boolean,
): ParameterPlan[] =>
  operation.parameters
    .filter((parameter) => !isOurs(parameter))
    .map((parameter) => parameterPlan(parameter, operation, name));

/** Whether a parameter is set by the gateway, or goes no further than the gateway: then it is nothing of the callers'. */
export const isWithheld = (
  { name, in: location }: ParameterInfo,
  withheld: readonly WithheldParameters[],
): boolean =>
  withheld.some(({ header, query, cookie, onlyHeader, onlyQuery }) => {
    const lower = name.toLowerCase();
    if (location === "header") return header?.includes(lower) || onlyHeader?.includes(lower) === false;
    if (location === "query") return query?.includes(name) || onlyQuery?.includes(name) === false;
    return location === "cookie" && cookie?.includes(name) === true;
  });

const parameterPlan = (
  parameter: ParameterInfo,
  { path, document }: OperationInfo,
  name: NameValidator,
): ParameterPlan => {
  const { in: location, required, style, explode, schema, contentType, allowReserved, json } = parameter;
  const isJson =
    contentType !== undefined && isJsonEssence(contentType.split(";", 1)[0]!.trim().toLowerCase());
  const written = schema === undefined ? undefined : (valueAt(document.json, schema) as Json);
  const wanted: Wanted = isJson ? { scalars: "s" } : wantedOf(written, document);
  const segment = location === "path" ? segmentOf(parameter, path, wanted) : undefined;
  return {
    name: parameter.name,
    in: location,
    // A JSON text stands as a whole, whatever it describes.
    style:
      contentType === undefined ? style : location === "query" || location === "cookie" ? "form" : "simple",
    explode: contentType === undefined && explode,
    wanted,
    ...(required && { required: true as const }),
    ...(allowReserved && { reserved: true as const }),
    ...(location === "query" && json["allowEmptyValue"] === true && { allowEmpty: true as const }),
    ...(isJson && { json: true as const }),
    ...(segment !== undefined && { segment }),
    ...(schema !== undefined && (isJson || judges(written, document)) && { validator: name(schema) }),
  };
};

/** Whether a schema refuses any text at all. */
const judges = (schema: Json | undefined, document: BundledDocument): boolean => {
  const target = document.resolve(schema);
  if (typeof target !== "object" || target === null || Array.isArray(target)) return target === false;
  return Object.entries(target).some(
    ([key, value]) =>
      !(ANNOTATIONS.has(key) || key.startsWith("x-") || (key === "type" && value === "string")),
  );
};

/**
 * Which segment a parameter is, from the end, where its delimiters have to be told from what is encoded; the prefix that an api
 * adds changes nothing in that.
 */
const segmentOf = ({ name, style }: ParameterInfo, path: string, wanted: Wanted): number | undefined => {
  if (style === "simple" && wanted.items === undefined && !isObjectWanted(wanted)) return undefined;
  const segments = path.split("/");
  const index = segments.indexOf(`{${name}}`);
  return index < 0 ? undefined : segments.length - 1 - index;
};
