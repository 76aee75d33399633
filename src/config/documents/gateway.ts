import { z } from "zod";
import { NO_REDIS } from "../../core/redis.ts";
import { explain, named, oneOf, secret } from "../../policies/shapes.ts";
import { docsSchema } from "./docs.ts";
import { hostPattern, policies } from "./shapes.ts";

const forwardedFor = z
  .strictObject({
    trustedHops: z
      .number()
      .int()
      .min(1)
      .max(16)
      .describe(
        "How many proxies in front of the gateway append to X-Forwarded-For; counted from the right.",
      ),
  })
  .describe("The address that the outermost trusted proxy put into X-Forwarded-For.");

const stores = z
  .strictObject({
    redis: z
      .strictObject({
        url: secret().describe("The secret with its address: Upstash's REST interface."),
        token: secret().describe("The secret with its token."),
      })
      .optional()
      .describe("Where Redis is."),
    consumers: oneOf("inline", "redis")
      .default("inline")
      .describe(
        "Where keys of consumers are. inline: in these files; redis: in Redis too, where `postern key` makes and revokes them without a deployment, which counts within a minute. While it is away, keys that were used in the last minute are good, and others are answered with 503.",
      ),
  })
  .superRefine(({ redis, consumers }, context) => {
    if (consumers !== "redis" || redis !== undefined) return;
    const { code, message, remedy } = NO_REDIS;
    context.addIssue({
      code: "custom",
      path: ["consumers"],
      message: explain(message, remedy),
      params: { code },
    });
  });

const url = () =>
  z.url({
    protocol: /^https?$/,
    error: () => explain("This is not an address.", "Write a whole URL: https://www.example.com."),
  });

const info = z
  .strictObject({
    title: z.string().min(1).optional().describe("What the API is called; default the gateway's name."),
    version: z.string().min(1).optional().describe("The version of the API; default 1.0.0."),
    summary: z.string().min(1).optional().describe("The API in a few words."),
    description: z.string().min(1).optional().describe("The API in more words, in Markdown."),
    termsOfService: url().optional().describe("Page with the terms of its use."),
    contact: z
      .strictObject({
        name: z.string().min(1).optional().describe("Who answers."),
        url: url().optional().describe("Page of who answers."),
        email: z
          .email({
            error: () => explain("This is not an address of e-mail.", "Write it as in api@example.com."),
          })
          .optional()
          .describe("Where to write."),
      })
      .optional()
      .describe("Whom callers may ask."),
    license: z
      .strictObject({
        name: z.string().min(1).describe("Name of the license."),
        identifier: z.string().min(1).optional().describe("Its SPDX identifier: Apache-2.0."),
        url: url().optional().describe("Page with its text."),
      })
      .refine((it) => it.identifier === undefined || it.url === undefined, {
        error: explain("A license has an identifier or an address, not both.", "Remove one of the two."),
      })
      .optional()
      .describe("Under which the API is offered."),
  })
  .describe("What the public document, which `postern openapi` writes, says of the API as a whole.");

const control = z
  .strictObject({
    token: secret()
      .optional()
      .describe(
        "The bearer token that opens /__postern/metrics and /__postern/plan, and with them the metrics.",
      ),
    purgeToken: secret()
      .optional()
      .describe(
        "The bearer token that opens POST /__postern/purge, which takes stored answers away: at once in the isolate that answers, in all others within 5 seconds through the Redis of `stores`. It opens nothing else, and no other token opens this.",
      ),
  })
  .refine(({ token, purgeToken }) => token !== undefined || purgeToken !== undefined, {
    error: explain("Nothing is opened.", "Write `token`, `purgeToken` or both, or remove `control`."),
  })
  .refine(({ token, purgeToken }) => token === undefined || token.env !== purgeToken?.env, {
    path: ["purgeToken"],
    error: explain("Whoever reads metrics could purge.", "Name another secret: { env: PURGE_TOKEN }."),
  });

/** `gateway:`. */
export const gatewaySchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,39}$/,
      explain("This cannot be the gateway's name.", "Write lower-case letters, digits and hyphens: shop."),
    )
    .default("postern")
    .describe("Names the gateway in Via-like fields, realms and logs."),
  hosts: named(hostPattern())
    .refine(
      (hosts) => Object.keys(hosts).length > 0,
      explain("The gateway has no host.", "Name at least one: hosts: { public: api.example.com }."),
    )
    .describe("Host names and patterns by name; any other host is answered 404."),
  clientIp: z
    .union([oneOf("cloudflare", "connection"), z.strictObject({ forwardedFor })])
    .optional()
    .describe("Where the client's address comes from; without it, keys by ip are errors."),
  paths: z
    .strictObject({
      encodedSlash: oneOf("reject", "keep")
        .default("reject")
        .describe("Whether %2F and other encoded separators are refused, or kept inside one parameter."),
      matrixParameters: oneOf("reject", "keep")
        .default("reject")
        .describe("Whether `;` in a path is refused or kept."),
    })
    .prefault({})
    .describe("What request paths may hold."),
  control: control.optional().describe("Opens control routes; only /__postern/health is there without."),
  docs: docsSchema.optional(),
  info: info.optional(),
  stores: stores.optional().describe("Where the gateway keeps what is not in the plan."),
  policies: policies(),
});

export type GatewayDocument = z.output<typeof gatewaySchema>;
