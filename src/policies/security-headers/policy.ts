import { z } from "zod";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { duration, explain, oneOf } from "../shapes.ts";
import type { Step } from "./filter.ts";

const YEAR_MS = 365 * 86_400_000;

const none = z.literal("none");

const fieldText = () =>
  z
    .string()
    .min(1, explain("This value is empty.", "Write the field's value, or `none` to leave the field out."))
    .regex(
      /^[\x20-\x7e]*$/,
      explain(
        "A header field cannot hold this text.",
        "Write it in one line of visible ASCII characters; in YAML, fold longer ones with >-.",
      ),
    );

const hstsOptions = z.strictObject({
  maxAge: duration()
    .prefault("365d")
    .describe("How long browsers refuse plain http for this host; 0s takes an earlier promise back."),
  includeSubDomains: z
    .boolean()
    .default(true)
    .describe("Whether the promise holds for every host below this one too."),
  preload: z
    .boolean()
    .default(false)
    .describe(
      "Whether browsers may ship with the promise; needs a maxAge of a year and includeSubDomains, and is hard to undo.",
    ),
});

const schema = z.strictObject({
  hsts: z
    .union([none, hstsOptions])
    .prefault({})
    .describe("Strict-Transport-Security (RFC 6797), sent over https only; or none."),
  contentTypeOptions: oneOf("nosniff", "none")
    .default("nosniff")
    .describe("X-Content-Type-Options: keeps browsers from guessing types."),
  frame: oneOf("deny", "sameorigin", "none")
    .default("deny")
    .describe("X-Frame-Options: who may show an answer in a frame."),
  referrer: oneOf(
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
    "none",
  )
    .default("no-referrer")
    .describe("Referrer-Policy: what links from an answer tell of their page; none leaves the field out."),
  csp: fieldText()
    .default("default-src 'none'; frame-ancestors 'none'")
    .describe(
      "Content-Security-Policy; the default suits answers that are data, not pages. Replaces the upstream's; or none.",
    ),
  permissions: fieldText().default("none").describe("Permissions-Policy, such as geolocation=(); or none."),
  openerPolicy: oneOf(
    "same-origin",
    "same-origin-allow-popups",
    "noopener-allow-popups",
    "unsafe-none",
    "none",
  )
    .default("none")
    .describe("Cross-Origin-Opener-Policy, for answers that are pages; or none."),
  resourcePolicy: oneOf("same-origin", "same-site", "cross-origin", "none")
    .default("none")
    .describe("Cross-Origin-Resource-Policy: who may embed an answer without CORS; or none."),
});

type Config = z.output<typeof schema>;

export const securityHeaders = definePolicy({
  name: "securityHeaders",
  summary:
    "Adds the header fields that tell browsers to be strict; every one has a default and can be switched off with none.",
  attachment: "replaced",
  schema,
  compile: ([instance], context): Step | undefined => {
    if (instance === undefined) return undefined;
    const hsts = hstsValue(instance, context);
    const fields = fieldsOf(instance.config);
    if (hsts === undefined) return fields.length === 0 ? undefined : { fields };
    return { fields, hsts };
  },
  filter: () => import("./filter.ts"),
});

const hstsValue = (instance: Instance<Config>, context: CompileContext): string | undefined => {
  const { hsts } = instance.config;
  if (hsts === "none") return undefined;
  if (hsts.preload && (hsts.maxAge < YEAR_MS || !hsts.includeSubDomains)) {
    context.report(instance, ["hsts", "preload"], {
      code: "hsts-preload-too-weak",
      message: "Browsers preload a host only with a maxAge of at least a year and includeSubDomains.",
      remedy: "Write `maxAge: 365d` and `includeSubDomains: true`, or remove `preload`.",
    });
  }
  const seconds = Math.floor(hsts.maxAge / 1000);
  return `max-age=${seconds}${hsts.includeSubDomains ? "; includeSubDomains" : ""}${hsts.preload ? "; preload" : ""}`;
};

const fieldsOf = (config: Config): (readonly [string, string])[] =>
  (
    [
      ["x-content-type-options", config.contentTypeOptions],
      ["x-frame-options", config.frame === "none" ? "none" : config.frame.toUpperCase()],
      ["referrer-policy", config.referrer],
      ["content-security-policy", config.csp],
      ["permissions-policy", config.permissions],
      ["cross-origin-opener-policy", config.openerPolicy],
      ["cross-origin-resource-policy", config.resourcePolicy],
    ] as const
  ).filter(([, value]) => value !== "none");
