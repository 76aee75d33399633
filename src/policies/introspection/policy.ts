import { z } from "zod";
import { checkForward } from "../../core/check-forward.ts";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { tokenSourceOf } from "../../core/token-source.ts";
import { checkNetwork, networkAt, serviceUrl } from "../network.ts";
import {
  duration,
  explain,
  forwardedClaims,
  forwardToken,
  oneOf,
  secret,
  tokenPlace,
  tokenScopes,
} from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const schema = z
  .strictObject({
    url: serviceUrl("an authorization server", "https://login.example.com/introspect").describe(
      "Where the authorization server answers for tokens (RFC 7662); https, unless it is on a private network.",
    ),
    network: oneOf("public", "private")
      .optional()
      .describe("`private` allows private addresses; a private address written as such says so already."),
    client: z
      .strictObject({
        id: z
          .string()
          .min(1, explain("The client has no name.", "Write the one that the server knows it by: gateway."))
          .describe("The name by which the server knows the gateway."),
        secret: secret().describe("What the gateway proves itself with, by HTTP Basic."),
      })
      .describe("As whom the gateway asks."),
    issuer: z
      .string()
      .min(1)
      .optional()
      .describe(
        "The `iss` that answers must have, compared exactly; it stands for the server in `identity.id`.",
      ),
    audiences: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("A token must be meant for one of these; without it, whoever it is meant for."),
    from: tokenPlace().default({ header: "authorization" }).describe("Where the token stands in a request."),
    scopes: tokenScopes()
      .optional()
      .describe("Scopes that a token must have, in its `scope`; without them the answer is 403."),
    cacheFor: duration()
      .refine((ms) => ms <= 3_600_000, {
        error: explain("A token that is revoked would be good for too long.", "Write at most 1h."),
      })
      .default(60_000)
      .describe(
        "How long an answer that a token is good is believed, at most until it expires; and so how long one that is revoked is still good. 0s asks for every request. That it is not good is believed for 10s.",
      ),
    timeout: duration()
      .refine((ms) => ms >= 100 && ms <= 30_000, {
        error: explain("A caller does not wait for this.", "Write a duration from 100ms to 30s."),
      })
      .default(2000)
      .describe(
        "How long the server may take; over it, and where it fails, tokens that are not known are refused with 503.",
      ),
    forward: forwardedClaims(),
    forwardCredential: forwardToken(),
  })
  .superRefine(
    checkNetwork("Without TLS, whoever stands on the way sees all tokens, and can call any of them good."),
  );

type Config = z.output<typeof schema>;

const compile = (instances: readonly Instance<Config>[], context: CompileContext): Step | undefined => {
  const instance = instances[0];
  if (instance === undefined) return undefined;
  const { url, network, client, issuer, audiences, from, scopes, forward, ...config } = instance.config;
  checkForward(instance, Object.keys(forward), context);
  return {
    server: {
      url,
      network: networkAt(url, network),
      clientId: client.id,
      secret: context.secret(client.secret),
      timeoutMs: config.timeout,
      cacheForMs: config.cacheFor,
    },
    issuer: issuer ?? null,
    audiences: audiences ?? null,
    from: tokenSourceOf(from),
    scopes: { any: scopes?.any ?? [], all: scopes?.all ?? [] },
    forward,
    forwardCredential: config.forwardCredential,
  };
};

/** Proves who calls by a token that an authorization server is asked for. */
export const introspection = definePolicy({
  name: "introspection",
  summary:
    "Proves who calls by a bearer token that an authorization server knows (RFC 7662). Beside a jwt policy that reads the same field, both have to call it good.",
  attachment: "identity",
  schema,
  compile,
  describe,
  filter: () => import("./filter.ts"),
});
