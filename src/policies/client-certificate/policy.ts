import { z } from "zod";
import { callerPlan } from "../../core/caller.ts";
import { checkForward } from "../../core/check-forward.ts";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { explain, headerName, named } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const fingerprint = () =>
  z
    .string({
      error: () =>
        explain("A fingerprint is written as a text.", 'Write its 64 hexadecimal digits in quotes: "3f0a…".'),
    })
    .transform((text, context): string => {
      const digits = text.replaceAll(":", "").toLowerCase();
      if (/^[0-9a-f]{64}$/.test(digits)) return digits;
      context.addIssue({
        code: "custom",
        message: explain(
          "This is not the SHA-256 fingerprint of a certificate.",
          "Write 64 hexadecimal digits, as `openssl x509 -noout -fingerprint -sha256` prints them.",
        ),
        params: { code: "bad-fingerprint" },
      });
      return z.NEVER;
    });

const schema = z.strictObject({
  fingerprints: named(z.array(fingerprint()).min(1).max(16))
    .refine(
      (fingerprints) => Object.keys(fingerprints).length > 0,
      explain("Nobody is named.", 'Name a caller and its certificate: { partner: ["3f0a…"] }.'),
    )
    .describe(
      "SHA-256 fingerprints of certificates by who has them: a consumer, or any other name. Several are good at once, so that one can be changed without a refusal.",
    ),
  forward: z
    .record(
      headerName(),
      z
        .string()
        .regex(
          /^(?:name|plan|subject|issuer|serial|fingerprint|attributes\..+)$/,
          explain(
            "This is not known of who shows a certificate.",
            "Write name, subject, issuer, serial, fingerprint, plan, or attributes.x of a consumer.",
          ),
        ),
    )
    .default({})
    .describe(
      "Headers for the upstream, and what stands in them: `subject`, `issuer`, `serial` or `fingerprint` of the certificate, `name`, `plan` or `attributes.x` of its owner; whatever a client sends there is deleted.",
    ),
});

type Config = z.output<typeof schema>;

const compile = (instances: readonly Instance<Config>[], context: CompileContext): Step | undefined => {
  const instance = instances[0];
  if (instance === undefined) return undefined;
  const { fingerprints, forward } = instance.config;
  checkEdge(instance, context);
  checkForward(instance, Object.keys(forward), context);
  const names = Object.keys(fingerprints);
  const owners: Record<string, number> = {};
  for (const [index, name] of names.entries())
    for (const [at, digits] of fingerprints[name]!.entries()) {
      if (Object.hasOwn(owners, digits))
        context.report(instance, ["fingerprints", name, at], {
          code: "fingerprint-twice",
          message: `"${names[owners[digits]!]}" has this certificate already.`,
          remedy: "Remove one of the two.",
        });
      owners[digits] ??= index;
    }
  const callers = names.map((name) => callerPlan(name, context.consumers.get(name)));
  return { callers, fingerprints: owners, forward };
};

/** In development nobody has a certificate, and so nobody passes by one; anywhere else that would be a mistake. */
const checkEdge = (instance: Instance<Config>, context: CompileContext): void => {
  const { clientIp, development } = context.gateway;
  if (clientIp === "cloudflare") return;
  context.report(instance, [], {
    code: "certificate-unknown",
    ...(development && { severity: "warning" }),
    message: "Only Cloudflare tells the certificate of a client: here nobody has one.",
    remedy: development
      ? "Write `clientCertificate: none` in this environment to say that it is meant so."
      : "Write `clientIp: cloudflare` under `gateway:`, or remove the policy.",
    onKey: true,
  });
};

/** Proves who calls by the certificate that it showed to Cloudflare. */
export const clientCertificate = definePolicy({
  name: "clientCertificate",
  summary:
    "Proves who calls by a client certificate that Cloudflare verified (mTLS) and whose fingerprint is listed; elsewhere nobody has one, whatever header fields say.",
  attachment: "identity",
  schema,
  compile,
  describe,
  filter: () => import("./filter.ts"),
});
