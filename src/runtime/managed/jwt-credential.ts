import type { JwtCredentialPlan } from "../../core/upstream-plan.ts";
import { encodeBase64 } from "../../lib/base64.ts";
import type { RequestExchange } from "../exchange.ts";
import type { CredentialFactory } from "../parts.ts";
import { linkSigner } from "./signer.ts";

/** What is remembered at most: about half a megabyte as tokens are, and a few megabytes should somebody make them long. */
const MOST_TOKENS = 1000;
const MOST_CHARACTERS = 2048;

interface Remembered {
  readonly value: string;
  readonly goodUntilMs: number;
}

/**
 * Links a credential that is a token which names caller and route. It says nothing of the single request, so one that was
 * made for the same route and caller serves for half of its lifetime: signing is what it costs.
 */
export const linkJwtCredential: CredentialFactory = (plan, upstream, ports) => {
  const jwt = plan as JwtCredentialPlan;
  const { header, algorithm, keyId, lifetimeSeconds } = jwt;
  const sign = linkSigner(jwt, upstream, ports);
  // A type of its own (RFC 8725 section 3.11): no token of another kind that is signed with the same key can be taken for it.
  const head = base64url(JSON.stringify({ alg: algorithm, typ: "postern+jwt", kid: keyId }));
  const scheme = header === "authorization" ? "Bearer " : "";
  const tokens = new Map<string, Remembered>();
  const make = async (exchange: RequestExchange, key: string, nowMs: number): Promise<string> => {
    const claims = base64url(JSON.stringify(claimsOf(jwt, exchange, Math.floor(nowMs / 1000))));
    const signature = await sign(new TextEncoder().encode(`${head}.${claims}`));
    const value = `${scheme}${head}.${claims}.${base64url(signature)}`;
    if (value.length > MOST_CHARACTERS) return value;
    // At the end, where the youngest are: the first is the next to go.
    tokens.delete(key);
    tokens.set(key, { value, goodUntilMs: nowMs + lifetimeSeconds * 500 });
    if (tokens.size > MOST_TOKENS) tokens.delete(tokens.keys().next().value!);
    return value;
  };
  return (exchange, headers) => {
    const key = callerKey(exchange);
    const nowMs = ports.clock.now();
    const known = tokens.get(key);
    if (known !== undefined && nowMs < known.goodUntilMs) return headers.set(header, known.value);
    return make(exchange, key, nowMs).then((value) => headers.set(header, value));
  };
};

/** Tells apart all that the claims tell apart; two issuers may name the same people by the same ids. */
const callerKey = ({ route, identity }: RequestExchange): string =>
  JSON.stringify([route.id, identity?.kind, identity?.issuer, identity?.id]);

/** RFC 7519 section 4.1. A caller who is nobody has no `sub`. */
const claimsOf = (
  { issuer, audience, lifetimeSeconds }: JwtCredentialPlan,
  { route, identity }: RequestExchange,
  nowSeconds: number,
): Readonly<Record<string, unknown>> => ({
  iss: issuer,
  aud: audience,
  iat: nowSeconds,
  exp: nowSeconds + lifetimeSeconds,
  route: route.id,
  sub: identity?.id || undefined,
  caller: identity && { kind: identity.kind, issuer: identity.issuer, subject: identity.subject },
});

/** RFC 7515 section 2. */
const base64url = (data: string | Uint8Array): string =>
  encodeBase64(typeof data === "string" ? new TextEncoder().encode(data) : data)
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
