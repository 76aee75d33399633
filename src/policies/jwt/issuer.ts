import { z } from "zod";
import type { Json } from "../../core/json.ts";
import type { IssuerInfo } from "../../core/policy.ts";
import { networkAt } from "../network.ts";
import { duration, explain, named, oneOf, secret } from "../shapes.ts";
import { ALGORITHM_NAMES, isSymmetric } from "./algorithms.ts";
import type { IssuerPlan, JwkPlan, JwksPlan } from "./issuer-plan.ts";
import { jwksShape } from "./jwks-shape.ts";
import { readKey } from "./verify-key.ts";

const words = (what: string, example: string) =>
  z.array(z.string().min(1, explain(`An empty text is no ${what}.`, `Write ${example}.`))).min(1, {
    error: explain(`The list names no ${what}.`, `Write ${example}.`),
  });

const entry = z.strictObject({
  issuer: z.string().min(1).describe("The `iss` of its tokens, compared exactly, to the last slash."),
  audiences: words("audience", "who the tokens are meant for: [shop-api]").describe(
    "A token must be meant for one of them; a jwt policy may narrow them.",
  ),
  algorithms: z
    .array(oneOf(...ALGORITHM_NAMES))
    .min(1)
    .describe("The signature algorithms that are accepted; each is bound to its type of key."),
  type: z
    .string()
    .min(1)
    .optional()
    .describe("The `typ` that its tokens must have, such as at+jwt (RFC 9068)."),
  jwks: jwksShape
    .optional()
    .describe("Its public keys: an address, keys written here, or `local` for those of `postern token`."),
  secret: secret().optional().describe("The secret of an issuer that signs with HS256, HS384 or HS512."),
  claims: named(oneOf("string", "strings", "int", "double", "bool", "list", "map"))
    .default({})
    .describe("Claims that expressions may read beside the registered ones, with their types."),
  clockSkew: duration().default(0).describe("How far its clock may be from ours."),
  maxLifetime: duration()
    .optional()
    .describe("The longest life of a token from `iat` to `exp`; then `iat` is required."),
  subjects: z
    .string()
    .optional()
    .describe("Another issuer that names the same people: a `sub` of both is one identity."),
  plan: z
    .string()
    .optional()
    .describe(
      "Name of the plan that bounds how often each of its subjects may ask, where a limit says `rate: plan`.",
    ),
});

type Entry = z.output<typeof entry>;

/** One entry of `issuers:`. */
export const issuerSchema = entry.superRefine((typed, context) => {
  for (const { path, code, message } of keyFaults(typed))
    context.addIssue({ code: "custom", path: [...path], message, params: { code } });
});

export type { IssuerPlan };
export type IssuerDocument = z.output<typeof issuerSchema>;

interface EntryFault {
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly message: string;
}

/** Keys and algorithms must be of one kind: what verifies must never be what signs somewhere else (S11). */
const keyFaults = ({ jwks: keys, secret: shared, algorithms }: Entry): EntryFault[] => {
  if (keys === undefined && shared === undefined)
    return [
      {
        path: [],
        code: "missing-key",
        message: explain(
          "The issuer has no keys.",
          "Add `jwks: { url: … }`, or `secret: { env: … }` for one that signs with HS256.",
        ),
      },
    ];
  if (keys !== undefined && shared !== undefined)
    return [
      {
        path: ["secret"],
        code: "conflicting-keys",
        message: explain(
          "The issuer has public keys and a secret.",
          "Keep `jwks` or `secret`; for both, write two issuers with the same `issuer`.",
        ),
      },
    ];
  return [
    ...algorithms.flatMap((name, index) => algorithmFault(name, index, shared !== undefined)),
    ...unusedKeys(keys, algorithms),
  ];
};

const algorithmFault = (name: string, index: number, hasSecret: boolean): EntryFault[] =>
  isSymmetric(name) === hasSecret
    ? []
    : [
        {
          path: ["algorithms", index],
          code: "algorithm-key-mismatch",
          message: hasSecret
            ? explain(
                `${name} needs a public key, and this issuer has a secret.`,
                "Write HS256, HS384 or HS512.",
              )
            : explain(
                `${name} needs a secret, and this issuer has public keys: anybody could sign with them.`,
                "Write the algorithms of its keys, such as RS256 or ES256, or `secret: { env: … }` in place of `jwks`.",
              ),
        },
      ];

const unusedKeys = (keys: Entry["jwks"], algorithms: readonly string[]): EntryFault[] =>
  typeof keys !== "object" || !("keys" in keys)
    ? []
    : keys.keys.flatMap((jwk, index) => {
        const key = readKey(jwk);
        return key === undefined || algorithms.some((name) => key.fits(name))
          ? []
          : [
              {
                path: ["jwks", "keys", index],
                code: "algorithm-key-mismatch",
                message: explain(
                  "None of the issuer's algorithms can use this key.",
                  "Add the key's algorithm to `algorithms`, or remove the key.",
                ),
              },
            ];
      });

/** Compiles a typed entry to what stands in the plan. */
export const compileIssuer = (name: string, typed: IssuerDocument): IssuerPlan => ({
  name,
  issuer: typed.issuer,
  audiences: typed.audiences,
  algorithms: typed.algorithms,
  ...(typed.type !== undefined && { type: typed.type }),
  ...(typed.jwks !== undefined && { jwks: compileJwks(typed.jwks) }),
  ...(typed.secret !== undefined && { secret: typed.secret.env }),
  clockSkewMs: typed.clockSkew,
  ...(typed.maxLifetime !== undefined && { maxLifetimeMs: typed.maxLifetime }),
  subjects: typed.subjects ?? name,
});

/** Of an inline key, what says how it may be used; names and certificates that came with it are left out. */
const KEPT = ["kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e"];

const compileJwks = (typed: NonNullable<IssuerDocument["jwks"]>): JwksPlan => {
  if (typed === "local") return { local: true };
  if ("keys" in typed)
    return {
      keys: typed.keys.map(
        (jwk) => Object.fromEntries(Object.entries(jwk).filter(([name]) => KEPT.includes(name))) as JwkPlan,
      ),
    };
  const { url, maxAge, cooldown, network } = typed;
  return { url, network: networkAt(url, network), maxAgeMs: maxAge, cooldownMs: cooldown };
};

/** What policies may know of an issuer when they are compiled. */
export const issuerInfo = (name: string, plan: IssuerPlan, typed: IssuerDocument): IssuerInfo => ({
  name,
  issuer: plan.issuer,
  audiences: plan.audiences,
  algorithms: plan.algorithms,
  claims: typed.claims,
  ...(typed.plan !== undefined && { callerPlan: typed.plan }),
  plan: plan as Json,
});
