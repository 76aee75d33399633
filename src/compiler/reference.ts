import { routeSchema } from "../config/documents/route.ts";
import { topLevel } from "../config/documents.ts";
import { type JsonSchema, jsonSchemaOf } from "../config/json-schema.ts";
import { policyFileSchema, TOP_LEVEL_SUMMARIES } from "../config/schema.ts";
import type { PolicyType } from "../core/policy.ts";
import { type OrderedPolicy, policyOrder } from "../policies/index.ts";
import { ENVIRONMENTS, INTRODUCTION, kindOf, NAMES, orderSection, ROUTING } from "./reference/prose.ts";
import { keyTable } from "./reference/tables.ts";

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
    INTRODUCTION,
    ...orderSection(order),
    NAMES,
    ROUTING,
    ENVIRONMENTS,
    ...section("`gateway`", TOP_LEVEL_SUMMARIES.gateway, jsonSchemaOf(topLevel.gateway)),
    ...section("`issuers.*`", TOP_LEVEL_SUMMARIES.issuers, jsonSchemaOf(topLevel.issuers)),
    ...section("`upstreams.*`", TOP_LEVEL_SUMMARIES.upstreams, jsonSchemaOf(topLevel.upstreams)),
    ...section("`apis.*`", TOP_LEVEL_SUMMARIES.apis, jsonSchemaOf(topLevel.apis)),
    ...section(
      "`apis.*.routes.*`",
      "A route has exactly one of `upstream`, `split`, `aggregate`, `redirect` and `respond`, or its api's upstream or split. A route that is named after an operation adds to it, and only hosts, headers and query to its match.",
      jsonSchemaOf(routeSchema),
    ),
    "## Policies",
    "",
    ...types.flatMap((type) => {
      const kind = kindOf(type);
      return section(
        type.name,
        `${kind === "" ? "" : `*${kind === "guard" ? "Guard" : "Identity"}.* `}${type.summary}`,
        jsonSchemaOf(type.schema),
        "###",
      );
    }),
  ]
    .join("\n")
    .replace(/\n+$/, "\n");

const section = (title: string, summary: string, schema: JsonSchema, level = "##"): readonly string[] => [
  `${level} ${title}`,
  "",
  summary,
  "",
  ...keyTable(schema),
];
