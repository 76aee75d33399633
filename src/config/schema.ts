import { z } from "zod";
import type { PolicyType } from "../core/policy.ts";
import { routeSchema } from "./documents/route.ts";
import { topLevel } from "./documents.ts";

/** A JSON Schema, as plain JSON. */
export type JsonSchema = { [key: string]: unknown };

/** JSON Schema (2020-12) of what people write, not of what it becomes. */
export const jsonSchemaOf = (schema: z.ZodType): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    reused: "inline",
  }) as JsonSchema;
  return rest;
};

/** The schema by which editors check and complete policy files: every file holds some of the top-level keys. */
export const policyFileSchema = (types: readonly PolicyType[]): JsonSchema => {
  const policies = { $ref: "#/$defs/policies" };
  const attachable = (schema: JsonSchema): JsonSchema => ({
    ...schema,
    properties: {
      ...(schema["properties"] as JsonSchema),
      ...("policies" in (schema["properties"] as JsonSchema) ? { policies } : {}),
    },
  });
  const map = (schema: JsonSchema): JsonSchema => ({ type: "object", additionalProperties: schema });
  const route = attachable(jsonSchemaOf(routeSchema));
  const api = attachable(jsonSchemaOf(topLevel.apis));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Postern policies",
    type: "object",
    additionalProperties: false,
    properties: {
      gateway: {
        description: "Settings of the gateway.",
        ...attachable(jsonSchemaOf(topLevel.gateway)),
        required: [],
      },
      environments: {
        description: "What differs between environments, laid over everything else.",
        ...map(jsonSchemaOf(topLevel.environments)),
      },
      issuers: { description: "Who may sign tokens.", ...map(jsonSchemaOf(topLevel.issuers)) },
      upstreams: { description: "Named pools of targets.", ...map(jsonSchemaOf(topLevel.upstreams)) },
      apis: {
        description: "What the gateway offers.",
        ...map({
          ...api,
          properties: {
            ...(api["properties"] as JsonSchema),
            routes: { description: "Routes by name.", ...map({ $ref: "#/$defs/route" }) },
          },
        }),
      },
    },
    $defs: {
      route,
      policies: {
        type: "object",
        description: "Policies by name.",
        additionalProperties: false,
        properties: Object.fromEntries(types.map((type) => [type.name, policySchema(type)])),
      },
    },
  };
};

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
