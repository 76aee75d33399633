/** Sorts of objects in an OpenAPI document, as far as references stand in them. */
export type Kind =
  | "document"
  | "components"
  | "paths"
  | "pathItem"
  | "operation"
  | "responses"
  | "response"
  | "parameter"
  | "header"
  | "requestBody"
  | "mediaType"
  | "encoding"
  | "callback"
  | "example"
  | "link"
  | "securityScheme"
  | "schema";

/** What stands in a field: one object, a map of such, a list of such, or either of one and a list. */
export interface Field {
  readonly kind: Kind;
  readonly holds: "one" | "map" | "list" | "oneOrList";
}

const one = (kind: Kind): Field => ({ kind, holds: "one" });
const map = (kind: Kind): Field => ({ kind, holds: "map" });
const list = (kind: Kind): Field => ({ kind, holds: "list" });

/** Operations of a path, in the order in which they are read. */
export const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;

const described = { schema: one("schema"), content: map("mediaType"), examples: map("example") };

/** Objects whose every field is named by the author, but for extensions. */
export const OPEN_KINDS: Readonly<Partial<Record<Kind, Field>>> = {
  paths: one("pathItem"),
  callback: one("pathItem"),
  responses: one("response"),
};

/** Fields that hold further objects. Whatever is not named here (examples, defaults, extensions) is data. */
export const FIELDS: Readonly<Record<Kind, Readonly<Record<string, Field>>>> = {
  document: { paths: one("paths"), webhooks: map("pathItem"), components: one("components") },
  components: {
    schemas: map("schema"),
    responses: map("response"),
    parameters: map("parameter"),
    examples: map("example"),
    requestBodies: map("requestBody"),
    headers: map("header"),
    securitySchemes: map("securityScheme"),
    links: map("link"),
    callbacks: map("callback"),
    pathItems: map("pathItem"),
  },
  paths: {},
  pathItem: {
    ...Object.fromEntries(METHODS.map((method) => [method, one("operation")])),
    parameters: list("parameter"),
  },
  operation: {
    parameters: list("parameter"),
    requestBody: one("requestBody"),
    responses: one("responses"),
    callbacks: map("callback"),
  },
  responses: {},
  response: { headers: map("header"), content: map("mediaType"), links: map("link") },
  parameter: described,
  header: described,
  requestBody: { content: map("mediaType") },
  mediaType: { schema: one("schema"), examples: map("example"), encoding: map("encoding") },
  encoding: { headers: map("header") },
  callback: {},
  example: {},
  link: {},
  securityScheme: {},
  schema: {
    properties: map("schema"),
    patternProperties: map("schema"),
    dependentSchemas: map("schema"),
    $defs: map("schema"),
    definitions: map("schema"),
    additionalProperties: one("schema"),
    propertyNames: one("schema"),
    unevaluatedProperties: one("schema"),
    unevaluatedItems: one("schema"),
    items: { kind: "schema", holds: "oneOrList" },
    prefixItems: list("schema"),
    contains: one("schema"),
    allOf: list("schema"),
    anyOf: list("schema"),
    oneOf: list("schema"),
    not: one("schema"),
    if: one("schema"),
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    then: one("schema"),
    else: one("schema"),
    contentSchema: one("schema"),
  },
};

/** The section of `components` for what is taken from other files; only these may be referred to. */
export const SECTIONS: Readonly<Partial<Record<Kind, string>>> = {
  schema: "schemas",
  response: "responses",
  parameter: "parameters",
  example: "examples",
  requestBody: "requestBodies",
  header: "headers",
  securityScheme: "securitySchemes",
  link: "links",
  callback: "callbacks",
  // Never put there: a path item is laid in where it is referred to.
  pathItem: "pathItems",
};
