import { routeSchema } from "../config/documents/route.ts";
import { topLevel } from "../config/documents.ts";
import { type JsonSchema, jsonSchemaOf, policyFileSchema } from "../config/schema.ts";
import type { PolicyType } from "../core/policy.ts";
import { type OrderedPolicy, policyOrder } from "../policies/index.ts";

/** The generated files by their path in the project: the editor's schema and the reference for people. */
export const referenceFiles = (): Readonly<Record<string, string>> => {
  const types = [...new Set(policyOrder.map(({ type }) => type))];
  return {
    "openapi/policies.schema.json": `${JSON.stringify(policyFileSchema(types), undefined, 2)}\n`,
    "policies/README.md": reference(types, policyOrder),
  };
};

const reference = (types: readonly PolicyType[], order: readonly OrderedPolicy[]): string =>
  [
    "# Policy reference",
    "",
    "Generated from the schemas by `npm run generate`; not for editing. Every `*.yaml` below this folder is read and merged;",
    "a name is defined once. Quantities carry units: `250ms 5s 10m 1h 30d`, `64KiB 10MiB`, `10%`, `100/1m`. A secret is a",
    "reference: `{ env: NAME }`.",
    "",
    "## Attachment",
    "",
    "A policy is attached to the `gateway`, an api, or a route. **Guards** of all levels must pass. **Every other** policy is",
    "replaced by the inner one of the same name; where that loses keys it says `inherit: true` (keep them) or `inherit: false`.",
    "`name: none` removes an inherited policy. Only `public: true` opens a node; a route with neither an identity policy nor",
    "`public: true` is an error.",
    "",
    "Templates (`{params.x}`, `{identity.id}`, `{claims.x}`, `{client.ip}`, `{request.path}`) may stand where a key says so.",
    "",
    "## Order",
    "",
    `A request passes the policies in this order: ${order
      .filter(({ type }) => type.attachment !== "identity")
      .map(({ type, stage }) => `\`${type.name}\`${stage === "only" ? "" : ` (${stage.replace("-", " ")})`}`)
      .join(", ")}.`,
    `The identity policies (${types
      .filter(({ attachment }) => attachment === "identity")
      .map(({ name }) => `\`${name}\``)
      .join(", ")}) run inside of \`identity\`. The state of limits and balancers lives in each isolate.`,
    "",
    ...Object.entries({
      gateway: topLevel.gateway,
      issuers: topLevel.issuers,
      upstreams: topLevel.upstreams,
      apis: topLevel.apis,
      "apis.*.routes": routeSchema,
    }).flatMap(([name, schema]) => section(`\`${name}\``, "", jsonSchemaOf(schema))),
    "## Policies",
    "",
    ...types.flatMap((type) =>
      section(
        `${type.name}${type.attachment === "guard" ? " (guard)" : type.attachment === "identity" ? " (identity)" : ""}`,
        type.summary,
        jsonSchemaOf(type.schema),
        "###",
      ),
    ),
  ].join("\n");

const section = (title: string, summary: string, schema: JsonSchema, level = "##"): string[] => {
  const rows = [...keyRows(schema, "")];
  const table =
    rows.length === 0
      ? ["It takes no keys.", ""]
      : ["| key | takes | default | meaning |", "| --- | --- | --- | --- |", ...rows, ""];
  return [`${level} ${title}`, "", ...(summary === "" ? [] : [summary, ""]), ...table];
};

/** A row a key; the keys of maps follow with their path. */
function* keyRows(schema: JsonSchema, path: string): Generator<string> {
  for (const branch of branches(schema)) {
    const required = new Set((branch["required"] as string[] | undefined) ?? []);
    for (const [key, value] of Object.entries(
      (branch["properties"] as Record<string, JsonSchema> | undefined) ?? {},
    )) {
      const name = path + key;
      const fallback =
        value["default"] === undefined
          ? required.has(key)
            ? "required"
            : ""
          : `\`${JSON.stringify(value["default"])}\``;
      yield `| \`${name}\` | ${cell(takes(value))} | ${cell(fallback)} | ${cell(String(value["description"] ?? ""))} |`;
      yield* below(value, name);
    }
  }
}

function* below(value: JsonSchema, name: string): Generator<string> {
  for (const branch of branches(value)) {
    if (branch["properties"] !== undefined) yield* keyRows(branch, `${name}.`);
    const items = branch["items"] as JsonSchema | undefined;
    if (items !== undefined) yield* below(items, `${name}[]`);
    const members = branch["additionalProperties"];
    if (typeof members === "object" && members !== null) yield* below(members as JsonSchema, `${name}.*`);
  }
}

const branches = (schema: JsonSchema): readonly JsonSchema[] =>
  (schema["anyOf"] ?? schema["oneOf"] ?? [schema]) as JsonSchema[];

const takes = (schema: JsonSchema): string =>
  [
    ...new Set(
      branches(schema).map((branch) => {
        if (branch["const"] !== undefined) return `\`${String(branch["const"])}\``;
        if (Array.isArray(branch["enum"]))
          return branch["enum"].map((word) => `\`${String(word)}\``).join(", ");
        if (branch["type"] === "array") return "list";
        if (branch["type"] === "object") return "map";
        return branch["type"] === "string"
          ? "text"
          : branch["type"] === "integer"
            ? "whole number"
            : String(branch["type"] ?? "anything");
      }),
    ),
  ].join(" or ");

const cell = (text: string): string => text.replaceAll("|", "\\|");
