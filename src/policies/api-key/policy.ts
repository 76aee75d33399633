import { z } from "zod";
import { definePolicy } from "../../core/policy.ts";
import type { TokenSource } from "../../core/token-source.ts";
import { isCredentialParameter } from "../../lib/http/credential-parameters.ts";
import { admitConsumers, consumerShape } from "../consumers.ts";
import { explain, headerName } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const token = (what: string, example: string) =>
  z
    .string()
    .regex(
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
      explain(`This is not the name of ${what}.`, `Write letters, digits and hyphens: ${example}.`),
    );

const from = z
  .strictObject({
    header: headerName()
      .refine((name) => name !== "authorization", {
        error: explain(
          "An Authorization field begins with a scheme.",
          "Write the scheme behind which the key stands: { scheme: ApiKey }.",
        ),
      })
      .optional()
      .describe("A header that holds the key alone: x-api-key."),
    query: z
      .string()
      .min(1)
      .refine(isCredentialParameter, {
        error: explain(
          "Logs would show the key: they do not know this name as that of a credential.",
          "Write a name that ends in key or token: api_key.",
        ),
      })
      .optional()
      .describe(
        "A query parameter, whose name ends in key or token so that logs mask it; it ends in histories all the same, so avoid it.",
      ),
    cookie: token("a cookie", "api-key").optional().describe("A cookie that holds the key."),
    scheme: token("a scheme", "ApiKey")
      .optional()
      .describe("A scheme of Authorization behind which the key stands: ApiKey, Bearer."),
  })
  .refine((places) => Object.values(places).filter((name) => name !== undefined).length === 1, {
    error: explain(
      "A key is read from one place.",
      "Write one of `header: x-api-key`, `query: api_key`, `cookie: api-key` and `scheme: ApiKey`.",
    ),
  });

const schema = z.strictObject({
  from: from.default({ header: "x-api-key" }).describe("Where the key stands in a request."),
  ...consumerShape,
  forwardCredential: z
    .boolean()
    .default(false)
    .describe("Passes the key on to the upstream, which otherwise does not see it."),
});

const sourceOf = ({ header, query, cookie, scheme }: z.output<typeof from>): TokenSource => {
  if (scheme !== undefined) return { in: "scheme", name: scheme };
  if (cookie !== undefined) return { in: "cookie", name: cookie };
  return query === undefined ? { in: "header", name: header! } : { in: "query", name: query };
};

/** Proves who calls by a key of a consumer. */
export const apiKey = definePolicy({
  name: "apiKey",
  summary:
    "Proves who calls by a key of one of the consumers, as `postern key new` makes them; a key from elsewhere has to be as random.",
  attachment: "identity",
  schema,
  compile: ([instance], context): Step | undefined => {
    if (instance === undefined) return undefined;
    const { from: place, forwardCredential } = instance.config;
    return { ...admitConsumers(instance, context), from: sourceOf(place), forwardCredential };
  },
  describe: (instances, context) => describe(instances, context, sourceOf(instances[0]!.config.from)),
  filter: () => import("./filter.ts"),
});
