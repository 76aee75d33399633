import { z } from "zod";
import { explain } from "../../policies/shapes.ts";

const literalPath = (example: string) =>
  z
    .string()
    .regex(
      /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/,
      explain(
        "This is not a plain path.",
        `Write letters, digits, dots and hyphens behind each slash, and no slash at the end: ${example}.`,
      ),
    );

/** `gateway.docs`. */
export const docsSchema = z
  .strictObject({
    path: literalPath("/docs").default("/docs").describe("Path of the page; its files are below it."),
    openapi: literalPath("/openapi")
      .default("/openapi")
      .describe(
        "Path of the description, without its ending: at /openapi, it is /openapi.json and /openapi.yaml.",
      ),
    hosts: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Names of the gateway's hosts that have the page; default all of them."),
    title: z
      .string()
      .regex(
        /^(?=.*\S)[^\p{C}]{1,120}$/u,
        explain("This cannot be a title.", "Write one line of up to 120 characters: The shop's API."),
      )
      .optional()
      .describe("Title of the page; default that of the description."),
  })
  .describe(
    "Publishes a description of what callers are offered, made from policies and OpenAPI documents, as JSON and YAML, and a page to read it and to try calls with a token. Both are public, and nothing on the page comes from elsewhere.",
  );

export type DocsDocument = z.output<typeof docsSchema>;
