import { z } from "zod";
import { isPrivateHost } from "../network.ts";
import { duration, explain, oneOf } from "../shapes.ts";
import { readKey } from "./verify-key.ts";

/** Address of a key set, checked as far as its text goes. */
const jwksUrl = () =>
  z.string().superRefine((text, context) => {
    const fault = urlFault(text);
    if (fault !== undefined)
      context.addIssue({ code: "custom", message: fault, params: { code: "bad-url" } });
  });

const urlFault = (text: string): string | undefined => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return explain(
      `"${text}" is not the address of a key set.`,
      "Write a whole URL: https://login.example.com/.well-known/jwks.json.",
    );
  if (url.username !== "" || url.password !== "")
    return explain(
      "A password does not belong in an address.",
      "Write the address without `user:password@`.",
    );
  if (url.hash !== "")
    return explain("An address that is fetched has no fragment.", "Remove what begins with `#`.");
  return undefined;
};

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
    url: jwksUrl().describe("Address of the key set; https, unless it is a private address."),
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
  .superRefine(({ url, network }, context) => {
    const { protocol, hostname } = URL.parse(url) ?? {};
    if (hostname === undefined) return;
    const isPrivate = isPrivateHost(hostname);
    if (isPrivate && network === "public")
      context.addIssue({
        code: "custom",
        path: ["network"],
        params: { code: "private-address" },
        message: explain(
          `"${hostname}" is not an address of the public network.`,
          "Write `network: private`, or a public address.",
        ),
      });
    if (protocol === "http:" && !isPrivate && network !== "private")
      context.addIssue({
        code: "custom",
        path: ["url"],
        params: { code: "insecure-url" },
        message: explain(
          "Without TLS, whoever stands on the way can put in keys of their own.",
          `Write https, or \`network: private\` if "${hostname}" is on a network of yours.`,
        ),
      });
  });

/** `jwks` of an issuer: an address, keys written there, or the local issuer of a development machine. */
export const jwksShape = z.union([
  z.literal("local"),
  remoteJwks,
  z.strictObject({
    keys: z.array(publicKey()).min(1).describe("Public keys as JSON Web Keys (RFC 7517)."),
  }),
]);
