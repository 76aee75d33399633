import type { PolicyType } from "../core/policy.ts";
import { routeSchema } from "./documents/route.ts";
import { topLevel } from "./documents.ts";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";

/** What an entry of each top-level key is. */
export const TOP_LEVEL_SUMMARIES: Readonly<Record<keyof typeof topLevel, string>> = {
  gateway: "Settings of the gateway, and policies for everything that it offers.",
  environments: "What differs between environments, laid over everything else.",
  plans: "How much callers may ask.",
  issuers: "Who may sign tokens.",
  consumers: "Who may call with a key.",
  upstreams: "Named pools of targets.",
  apis: "What the gateway offers.",
};

/** The schema by which editors check and complete policy files: every file holds some of the top-level keys. */
export const policyFileSchema = (types: readonly PolicyType[]): JsonSchema => {
  const entries: Record<string, JsonSchema> = {
    plans: map(TOP_LEVEL_SUMMARIES.plans, jsonSchemaOf(topLevel.plans)),
    issuers: map(TOP_LEVEL_SUMMARIES.issuers, jsonSchemaOf(topLevel.issuers)),
    consumers: map(TOP_LEVEL_SUMMARIES.consumers, jsonSchemaOf(topLevel.consumers)),
    upstreams: map(TOP_LEVEL_SUMMARIES.upstreams, jsonSchemaOf(topLevel.upstreams)),
    apis: map(TOP_LEVEL_SUMMARIES.apis, apiSchema()),
  };
  const gateway = {
    description: TOP_LEVEL_SUMMARIES.gateway,
    ...withPolicies(jsonSchemaOf(topLevel.gateway)),
  };
  const environment = jsonSchemaOf(topLevel.environments);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Postern policies",
    type: "object",
    additionalProperties: false,
    properties: {
      // Files share what the gateway must have.
      gateway: { ...gateway, required: [] },
      environments: map(TOP_LEVEL_SUMMARIES.environments, {
        type: "object",
        additionalProperties: false,
        properties: {
          ...(environment["properties"] as JsonSchema),
          ...(withoutRequired({ properties: { gateway, ...entries } })["properties"] as JsonSchema),
        },
      }),
      ...entries,
    },
    $defs: {
      route: withPolicies(jsonSchemaOf(routeSchema)),
      policies: {
        type: "object",
        description: "Policies by name.",
        additionalProperties: false,
        properties: Object.fromEntries(types.map((type) => [type.name, policySchema(type)])),
      },
    },
  };
};

const map = (description: string, schema: JsonSchema): JsonSchema => ({
  description,
  type: "object",
  additionalProperties: schema,
});

/** Policies stand in one place of the schema, for the many places where they are attached. */
const withPolicies = (schema: JsonSchema): JsonSchema => ({
  ...schema,
  properties: { ...(schema["properties"] as JsonSchema), policies: { $ref: "#/$defs/policies" } },
});

const apiSchema = (): JsonSchema => {
  const api = withPolicies(jsonSchemaOf(topLevel.apis));
  const routes = map("Routes by name; an operationId adds to that operation's route.", {
    $ref: "#/$defs/route",
  });
  return { ...api, properties: { ...(api["properties"] as JsonSchema), routes } };
};

/** What is laid over a map needs none of its keys; lists are replaced, and stay as they are. */
const withoutRequired = (schema: JsonSchema): JsonSchema =>
  Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
      if (key === "required") return [];
      if (key === "properties")
        return [
          [
            key,
            Object.fromEntries(
              Object.entries(value as JsonSchema).map(([name, member]) => [
                name,
                withoutRequired(member as JsonSchema),
              ]),
            ),
          ],
        ];
      if (key === "additionalProperties" && typeof value === "object")
        return [[key, withoutRequired(value as JsonSchema)]];
      if (key === "anyOf" || key === "oneOf") return [[key, (value as JsonSchema[]).map(withoutRequired)]];
      return [[key, value]];
    }),
  );

const policySchema = (type: PolicyType): JsonSchema => {
  const own = jsonSchemaOf(type.schema);
  const inherit =
    type.attachment === "guard"
      ? {}
      : {
          inherit: {
            type: "boolean",
            description: "Whether the keys of the outer policy of this name are kept.",
          },
        };
  return {
    description: type.summary,
    anyOf: [
      { const: "none", description: "Removes the inherited policy." },
      { ...own, required: [], properties: { ...(own["properties"] as JsonSchema), ...inherit } },
    ],
  };
};
