import { z } from "zod";
import { checkNetwork, serviceUrl } from "../network.ts";
import { duration, explain, oneOf } from "../shapes.ts";
import { readKey } from "./verify-key.ts";

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const publicKey = () =>
  z
    .looseObject({ kty: oneOf("RSA", "EC", "OKP").describe("Type of the key.") })
    .superRefine((jwk, context) => {
      const secrets = PRIVATE_MEMBERS.filter((name) => Object.hasOwn(jwk, name));
      if (secrets.length > 0) {
        context.addIssue({
          code: "custom",
          path: [secrets[0]!],
          params: { code: "private-key" },
          message: explain(
            "This is the private part of a key, and policy files hold none.",
            "Remove it, keep the public members only, and replace the key: whoever read this file can sign with it.",
          ),
        });
      } else if (readKey(jwk) === undefined) {
        context.addIssue({
          code: "custom",
          params: { code: "unfit-key" },
          message: explain(
            "No signature can be checked with this key.",
            "Write a public JSON Web Key for signatures: RSA of 2048 bits or more, EC on P-256, P-384 or P-521, or OKP on Ed25519.",
          ),
        });
      }
    });

const remoteJwks = z
  .strictObject({
    url: serviceUrl("a key set", "https://login.example.com/.well-known/jwks.json").describe(
      "Address of the key set; https, unless it is a private address.",
    ),
    maxAge: duration()
      .default(600_000)
      .describe("How long a fetched key set is used; refreshed before that."),
    cooldown: duration()
      .default(30_000)
      .describe("Least time between two fetches for an unknown key, or after a failure."),
    network: oneOf("public", "private")
      .optional()
      .describe("`private` allows private addresses; a private address written as such says so already."),
  })
  .superRefine(checkNetwork("Without TLS, whoever stands on the way can put in keys of their own."));

/** `jwks` of an issuer: an address, keys written there, or the local issuer of a development machine. */
export const jwksShape = z.union([
  z.literal("local"),
  remoteJwks,
  z.strictObject({
    keys: z.array(publicKey()).min(1).describe("Public keys as JSON Web Keys (RFC 7517)."),
  }),
]);
