import { z } from "zod";
import { NO_REDIS } from "../../core/redis.ts";
import { explain, named, oneOf, secret } from "../../policies/shapes.ts";
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
  control: z
    .strictObject({ token: secret().describe("The bearer token that opens them.") })
    .optional()
    .describe(
      "Opens the control routes /__postern/metrics and /__postern/plan, and with them the metrics; only /__postern/health is there without.",
    ),
  stores: stores.optional().describe("Where the gateway keeps what is not in the plan."),
  policies: policies(),
});

export type GatewayDocument = z.output<typeof gatewaySchema>;
