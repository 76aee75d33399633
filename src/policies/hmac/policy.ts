import { z } from "zod";
import { callerPlan } from "../../core/caller.ts";
import { checkForward } from "../../core/check-forward.ts";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { DERIVED_COMPONENTS } from "../../lib/http/signature-base.ts";
import { duration, explain, headerName, oneOf, secret, size } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";
import { publicKey } from "./public-key.ts";
import type { KeyPlan } from "./signing-key.ts";

const MOST_BYTES = 16 * 1024 * 1024;
const DAY_MS = 86_400_000;

const isComponent = (name: string): boolean =>
  name.startsWith("@")
    ? (DERIVED_COMPONENTS as readonly string[]).includes(name)
    : /^[a-z0-9!#$%&'*+.^`|~-]+$/.test(name);

const caller = {
  consumer: z.string().min(1).optional().describe("The consumer who signs with it."),
  id: z
    .string()
    .regex(
      /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/,
      explain("This is not the id of a key.", "Write letters, digits and hyphens: partner-1."),
    )
    .optional()
    .describe("The `keyid` of its signatures, of rfc9421 only; a key without one is tried for any."),
};

const schema = z.strictObject({
  scheme: oneOf("rfc9421", "github", "stripe").describe(
    "How requests are signed: `rfc9421` for HTTP message signatures over method, host, path, query and the body's digest; `github` (X-Hub-Signature-256) and `stripe` (Stripe-Signature) for their webhooks, which sign the body alone.",
  ),
  secrets: z
    .array(secret().extend({ env: secret().shape.env.describe("The name of the secret."), ...caller }))
    .min(1)
    .max(8)
    .optional()
    .describe(
      "Secrets that sign by HMAC-SHA-256, of 32 bytes or more for rfc9421 and 16 for the others; all of them are good at once, so that one can be changed without a refusal. Those without `consumer` and `id` are one caller's.",
    ),
  keys: z
    .array(
      z.strictObject({
        jwk: publicKey().describe("The key as a JSON Web Key, without its private part."),
        ...caller,
      }),
    )
    .min(1)
    .max(8)
    .optional()
    .describe("Public keys that check signatures by ed25519 or ecdsa-p256-sha256, of rfc9421 only."),
  components: z
    .array(
      z
        .string()
        .transform((name) => name.toLowerCase())
        .refine((name) => isComponent(name), {
          error: explain(
            "This is nothing that a signature of a request covers.",
            `Write the name of a header field, or one of ${DERIVED_COMPONENTS.join(", ")}.`,
          ),
        }),
    )
    .min(1)
    .optional()
    .describe(
      "What a signature has to cover beside what every one must, of rfc9421 only: names of header fields, which then have to be there, and derived components.",
    ),
  maxAge: duration()
    .refine((ms) => ms >= 1000 && ms <= DAY_MS, {
      error: explain("A signature is good for a second to a day.", "Write a duration such as 5m."),
    })
    .default(300_000)
    .describe(
      "How old a signature may be; of github, which says no time, only how long a repeated one is known again.",
    ),
  maxBody: size()
    .refine((bytes) => bytes <= MOST_BYTES, {
      error: explain("A body of this size does not fit into memory.", "Write at most 16MiB."),
    })
    .default(1024 * 1024)
    .describe("The largest body that is read to check it; a larger one is refused with 413."),
  replay: oneOf("refuse", "allow")
    .default("refuse")
    .describe(
      "Whether the same signature, or one with the same nonce, may come again while it is not too old. What came is kept in each isolate's memory, so that one which comes to another isolate may pass; what must not happen twice needs `idempotency`.",
    ),
  forward: z
    .record(
      headerName(),
      z
        .string()
        .regex(
          /^(?:name|plan|key|attributes\..+)$/,
          explain("This is not known of who signs.", "Write name, plan, key, or attributes.x of a consumer."),
        ),
    )
    .default({})
    .describe(
      "Headers for the upstream, and what stands in them: `name`, `plan` or `attributes.x` of the consumer, or `key`, the key's id; whatever a client sends there is deleted.",
    ),
  forwardCredential: z
    .boolean()
    .default(false)
    .describe("Passes the signature on to the upstream, which otherwise does not see it."),
});

type Config = z.output<typeof schema>;

const compile = (instances: readonly Instance<Config>[], context: CompileContext): Step | undefined => {
  const instance = instances[0];
  if (instance === undefined) return undefined;
  const { scheme, components = [], maxAge, maxBody, replay, forward, forwardCredential } = instance.config;
  checkScheme(instance, context);
  checkForward(instance, Object.keys(forward), context);
  return {
    scheme,
    keys: keysOf(instance, context),
    maxAgeMs: maxAge,
    maxBytes: maxBody,
    refusesReplays: replay === "refuse",
    components,
    forward,
    forwardCredential,
  };
};

const keysOf = (instance: Instance<Config>, context: CompileContext): readonly KeyPlan[] => {
  const { secrets = [], keys = [] } = instance.config;
  // While a secret is changed there are two, and both are the same caller's.
  const unnamed = secrets[0]?.env ?? "key";
  return [
    ...secrets.map(({ env, id, consumer }, index): KeyPlan => {
      const who = consumerOf(consumer, instance, ["secrets", index, "consumer"], context);
      return { id: id ?? null, caller: callerPlan(id ?? unnamed, who), secret: context.secret({ env }) };
    }),
    ...keys.map(({ jwk, id, consumer }, index): KeyPlan => {
      const name = id ?? jwk.kid;
      const { kty, crv, x, y } = jwk;
      const who = consumerOf(consumer, instance, ["keys", index, "consumer"], context);
      return {
        id: name ?? null,
        caller: callerPlan(name ?? x, who),
        jwk: { kty, crv, x, ...(kty === "EC" && { y: y! }) },
      };
    }),
  ];
};

const consumerOf = (
  name: string | undefined,
  instance: Instance<Config>,
  at: readonly (string | number)[],
  { consumers, report }: CompileContext,
) => {
  const consumer = name === undefined ? undefined : consumers.get(name);
  if (name !== undefined && consumer === undefined)
    report(instance, at, {
      code: "unknown-name",
      message: `There is no consumer "${name}".`,
      remedy:
        consumers.size > 0
          ? `Write one of ${[...consumers.keys()].join(", ")}, or add it under \`consumers:\`.`
          : "Add it under `consumers:`.",
      aboutCallers: true,
    });
  return consumer;
};

/** There is something to check with, and nothing that the scheme has no use for. */
const checkScheme = (instance: Instance<Config>, context: CompileContext): void => {
  const { scheme, secrets, keys, components } = instance.config;
  if (secrets === undefined && keys === undefined)
    context.report(instance, [], {
      code: "missing-key",
      message: "There is nothing to check signatures with.",
      remedy: "Add `secrets: [{ env: … }]`.",
      onKey: true,
    });
  const names = secrets?.map(({ env }) => env) ?? [];
  for (const [index, name] of names.entries())
    if (names.indexOf(name) !== index)
      context.report(instance, ["secrets", index, "env"], {
        code: "secret-twice",
        message: `"${name}" is listed twice.`,
        remedy: "Remove one of the two.",
      });
  if (scheme === "rfc9421") return;
  const idle: (readonly [boolean, readonly (string | number)[]])[] = [
    [keys !== undefined, ["keys"]],
    [components !== undefined, ["components"]],
    ...(secrets ?? []).map(({ id }, index) => [id !== undefined, ["secrets", index, "id"]] as const),
  ];
  for (const [isThere, at] of idle)
    if (isThere)
      context.report(instance, at, {
        code: "without-effect",
        message: `Signatures of ${scheme} have no use for \`${at.at(-1)}\`.`,
        remedy: "Remove it, or write `scheme: rfc9421`.",
        onKey: true,
      });
};

/** Proves who calls by a signature of the request. */
export const hmac = definePolicy({
  name: "hmac",
  summary:
    "Proves who calls by a signature of the request: of partners (RFC 9421), or of webhooks, which sign the body alone and so belong on a route of their own.",
  attachment: "identity",
  schema,
  compile,
  describe,
  filter: () => import("./filter.ts"),
});
