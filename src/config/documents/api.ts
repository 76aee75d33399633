import { z } from "zod";
import { explain, oneOf } from "../../policies/shapes.ts";
import { forwarding } from "./forwarding.ts";
import { attachable } from "./route.ts";

const tags = z.strictObject({ tags: z.array(z.string()).min(1).describe("Tags of operations.") });

const operations = z
  .union([oneOf("all"), tags, z.strictObject({ except: tags.describe("Which operations stay inside.") })], {
    error: (issue) =>
      issue.input === undefined
        ? explain(
            'The key "operations" is missing.',
            "Say which operations are published: `operations: all`, `{ tags: [public] }` or `{ except: { tags: [internal] } }`.",
          )
        : undefined,
  })
  .describe("Which operations are published: all, those with a tag, or all but those with a tag.");

const openapi = z.strictObject({
  file: z.string().describe("The document, in the folder of OpenAPI documents."),
  prefix: z
    .string()
    .regex(
      /^\/[^{}]*[^/{}]$/,
      explain("This is not a prefix.", "Write it with a slash before and none behind: /v2."),
    )
    .optional()
    .describe("Stands before every path in public, and is taken off for the upstream."),
  operations,
});

/** One entry of `apis:`. */
export const apiSchema = z.strictObject({
  hosts: z.array(z.string()).min(1).optional().describe("Names of the gateway's hosts; default all of them."),
  openapi: openapi.optional().describe("Takes routes from an OpenAPI document."),
  ...forwarding,
  routes: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Routes by name; an operationId adds to that operation's route."),
  ...attachable,
});

export type ApiDocument = z.output<typeof apiSchema>;
