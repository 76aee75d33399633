import type { Json } from "../../core/json.ts";
import type {
  BodyInfo,
  BundledDocument,
  MediaInfo,
  OperationInfo,
  ParameterInfo,
  ResponseInfo,
} from "../../core/operation.ts";
import { stepsOfReference } from "./document.ts";
import { pointerOf, stepInto } from "./pointer.ts";

type JsonObject = { readonly [name: string]: Json };

/** A value behind its references, and where it stands. */
export interface Resolved {
  readonly json: JsonObject;
  readonly pointer: string;
}

/** Follows the references of a value; undefined where they lead to no object. */
export const resolved = (
  document: BundledDocument,
  value: unknown,
  pointer: string,
): Resolved | undefined => {
  let at = pointer;
  let found = value;
  for (let hops = 0; hops <= 100; hops++) {
    if (!isObject(found)) return undefined;
    const reference = found["$ref"];
    if (typeof reference !== "string") return { json: found, pointer: at };
    const steps = stepsOfReference(reference);
    if (steps === undefined) return undefined;
    at = pointerOf(steps);
    found = steps.reduce<unknown>(stepInto, document.json);
  }
  return undefined;
};

/** Where parameters can stand. */
export const LOCATIONS = ["path", "query", "header", "cookie"] as const;

/** The styles of each location, its default first (OpenAPI 3.1 section 4.8.12.3). */
export const STYLES: Readonly<Record<ParameterInfo["in"], readonly ParameterInfo["style"][]>> = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
  cookie: ["form"],
};

/** Fields that are described elsewhere in a document; as parameters they count for nothing (section 4.8.12.1). */
const NO_PARAMETERS = new Set(["accept", "content-type", "authorization"]);

/** What tells parameters of an operation apart; names of header fields are the same in either case. */
export const parameterKey = (name: string, location: string): string =>
  `${location} ${location === "header" ? name.toLowerCase() : name}`;

/** Describes an operation with what it inherits of its path and its document. */
export const operationInfo = (
  document: BundledDocument,
  path: string,
  method: string,
  item: JsonObject,
): OperationInfo => {
  const json = item[method] as JsonObject;
  const at = pointerOf(["paths", path]);
  const pointer = `${at}/${method}`;
  const parameters = new Map<string, ParameterInfo>();
  for (const [list, place] of [
    [item["parameters"], `${at}/parameters`],
    [json["parameters"], `${pointer}/parameters`],
  ] as const) {
    if (!Array.isArray(list)) continue;
    for (const [index, written] of list.entries()) {
      const found = resolved(document, written, `${place}/${index}`);
      const parameter = found && parameterInfo(found);
      if (parameter !== undefined) parameters.set(parameterKey(parameter.name, parameter.in), parameter);
    }
  }
  const { operationId } = json;
  return {
    id: typeof operationId === "string" ? operationId : "",
    method: method.toUpperCase(),
    path,
    document,
    pointer,
    json,
    parameters: [...parameters.values()],
    body: bodyInfo(document, json["requestBody"], `${pointer}/requestBody`),
    responses: responsesOf(document, json["responses"], `${pointer}/responses`),
    security: securityOf(json["security"] ?? document.json["security"]),
    deprecated: json["deprecated"] === true,
  };
};

/** A parameter with the defaults of its location; undefined for one that counts for nothing. */
const parameterInfo = ({ json, pointer }: Resolved): ParameterInfo | undefined => {
  const { name, in: location } = json;
  if (typeof name !== "string" || !isLocation(location)) return undefined;
  if (location === "header" && NO_PARAMETERS.has(name.toLowerCase())) return undefined;
  const style = STYLES[location].find((known) => known === json["style"]) ?? STYLES[location][0]!;
  const contentType = Object.keys(object(json["content"]))[0];
  const schema =
    contentType === undefined ? `${pointer}/schema` : pointer + pointerOf(["content", contentType, "schema"]);
  const hasSchema =
    contentType === undefined
      ? json["schema"] !== undefined
      : object(object(json["content"])[contentType])["schema"] !== undefined;
  return {
    name,
    in: location,
    required: location === "path" || json["required"] === true,
    deprecated: json["deprecated"] === true,
    style,
    // Of deepObject there is no other form (section 4.8.12.3).
    explode:
      typeof json["explode"] === "boolean" && style !== "deepObject"
        ? json["explode"]
        : style === "form" || style === "deepObject",
    allowReserved: json["allowReserved"] === true,
    schema: hasSchema ? schema : undefined,
    contentType,
    pointer,
    json,
  };
};

const isLocation = (value: unknown): value is ParameterInfo["in"] =>
  LOCATIONS.some((location) => location === value);

const bodyInfo = (document: BundledDocument, value: unknown, at: string): BodyInfo | undefined => {
  const found = value === undefined ? undefined : resolved(document, value, at);
  if (found === undefined) return undefined;
  const { json, pointer } = found;
  return {
    required: json["required"] === true,
    content: contentOf(document, json["content"], `${pointer}/content`),
    pointer,
  };
};

const contentOf = (document: BundledDocument, value: unknown, at: string): Record<string, MediaInfo> =>
  Object.fromEntries(
    Object.entries(object(value)).flatMap(([type, media]) => {
      const found = resolved(document, media, at + pointerOf([type]));
      if (found === undefined) return [];
      const { json, pointer } = found;
      const schema = json["schema"] === undefined ? undefined : `${pointer}/schema`;
      return [[type, { schema, encoding: json["encoding"], pointer, json }]];
    }),
  );

const responsesOf = (document: BundledDocument, value: unknown, at: string): Record<string, ResponseInfo> =>
  Object.fromEntries(
    Object.entries(object(value)).flatMap(([status, response]) => {
      const found = status.startsWith("x-")
        ? undefined
        : resolved(document, response, at + pointerOf([status]));
      if (found === undefined) return [];
      const { json, pointer } = found;
      const { description } = json;
      const headers = Object.entries(object(json["headers"])).flatMap(([name, header]) => {
        const behind = resolved(document, header, pointer + pointerOf(["headers", name]));
        return behind === undefined ? [] : [[name, behind.pointer]];
      });
      const info: ResponseInfo = {
        description: typeof description === "string" ? description : "",
        content: contentOf(document, json["content"], `${pointer}/content`),
        headers: Object.fromEntries(headers),
        pointer,
        json,
      };
      return [[status, info]];
    }),
  );

const securityOf = (value: unknown): OperationInfo["security"] =>
  Array.isArray(value)
    ? value
        .filter(isObject)
        .map((alternative) =>
          Object.fromEntries(
            Object.entries(alternative).map(([scheme, scopes]) => [
              scheme,
              Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : [],
            ]),
          ),
        )
    : undefined;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const object = (value: unknown): JsonObject => (isObject(value) ? value : {});
