import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import type { Authenticator, Verdict } from "../../src/core/identity.ts";
import { authenticator, type Step } from "../../src/policies/jwt/filter.ts";
import type { IssuerPlan, JwkPlan } from "../../src/policies/jwt/issuer-plan.ts";
import { type FakePorts, fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";

/** A key that signs in a test, and its public part. */
export interface SigningKey {
  readonly alg: string;
  readonly sign: CryptoKey | Uint8Array;
  readonly jwk: JwkPlan;
}

/** Makes a key; without `alg` in the JWK when it is to serve several algorithms. */
export const makeKey = async (alg: string, kid: string | undefined = "k1"): Promise<SigningKey> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, sign: privateKey, jwk: { ...(await exportJWK(publicKey)), ...(kid && { kid }) } as JwkPlan };
};

/** The clock of `fakePorts`, in seconds. */
export const NOW = Date.parse("2026-01-01T00:00:00Z") / 1000;

/** Claims of a good token of the issuer below. */
export const goodClaims = {
  iss: "https://login.example.com/",
  aud: "shop-api",
  sub: "42",
  exp: NOW + 600,
  iat: NOW,
};

/** Signs claims, or any text as a payload, with headers that win over the usual ones. */
export const sign = (
  key: SigningKey,
  claims: object | string = goodClaims,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> =>
  new CompactSign(new TextEncoder().encode(typeof claims === "string" ? claims : JSON.stringify(claims)))
    .setProtectedHeader({ alg: key.alg, typ: "JWT", kid: key.jwk["kid"] as string, ...header })
    .sign(key.sign);

/** base64url of JSON, for tokens that no library would make. */
export const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** An issuer with inline keys. */
export const issuerWith = (keys: readonly SigningKey[], over: Partial<IssuerPlan> = {}): IssuerPlan => ({
  name: "main",
  issuer: "https://login.example.com/",
  audiences: ["shop-api", "staff-api"],
  algorithms: [...new Set(keys.map(({ alg }) => alg))] as IssuerPlan["algorithms"],
  jwks: { keys: keys.map(({ jwk }) => jwk) },
  clockSkewMs: 0,
  subjects: over.name ?? "main",
  ...over,
});

/** An issuer with its keys at an address. */
export const remoteIssuer = (over: Partial<IssuerPlan> = {}): IssuerPlan =>
  issuerWith([], {
    algorithms: ["ES256"],
    jwks: { url: "https://login.example.com/jwks", network: "public", maxAgeMs: 600_000, cooldownMs: 30_000 },
    ...over,
  });

const step: Step = {
  issuers: [],
  audiences: null,
  from: { in: "bearer", name: "authorization" },
  scopes: { any: [], all: [] },
  claims: {},
  forward: {},
  forwardCredential: false,
};

/** Links a jwt policy over issuers, each shared under its name. */
export const linkJwt = (
  issuers: readonly IssuerPlan[],
  over: Partial<Step> = {},
  ports: FakePorts = fakePorts(),
  site = fakeSite(Object.fromEntries(issuers.map((issuer) => [issuer.name, issuer]))),
): Authenticator =>
  authenticator({ ...step, issuers: issuers.map(({ name }) => name), ...over }, ports, site);

/** A secret that is long enough for every HMAC. */
export const SECRET = "a secret of sixty-four bytes: 0123456789 0123456789 0123456789 0";

/** A caller who signs with the secret. */
export const hmac = (alg: string): SigningKey => ({
  alg,
  sign: new TextEncoder().encode(SECRET),
  jwk: { kty: "oct" },
});

/** An issuer with the secret. */
export const secretIssuer = (alg: string): IssuerPlan =>
  issuerWith([], { jwks: undefined, secret: "JOBS_SECRET", algorithms: [alg] as IssuerPlan["algorithms"] });

/** Ports that know the secret, or another value in its place. */
export const withSecret = (value = SECRET) => fakePorts({ secretValues: { JOBS_SECRET: value } });

/** A request with header fields. */
export const request = (
  headers: Record<string, string> = {},
  url = "https://api.example.com/users/42",
): Request => new Request(url, { headers });

/** An exchange with a bearer token. */
export const bearing = (token: string) => fakeExchange(request({ authorization: `Bearer ${token}` }));

/** What a policy says of a token. */
export const judge = async (policy: Authenticator, token: string): Promise<Verdict> =>
  policy.authenticate(bearing(token));

/** The code of a refusal, or the outcome where it is none. */
export const codeOf = (verdict: Verdict): string =>
  verdict.outcome === "refused" ? verdict.code : verdict.outcome;

/** A JSON Web Key Set as an answer. */
export const keySetOf = (keys: readonly (SigningKey | JWK)[]): Response =>
  Response.json({ keys: keys.map((key) => ("jwk" in key ? key.jwk : key)) });

/** A remote issuer whose answers a test sets, a key of its own at first, and a policy that trusts it. */
export const world = (key: SigningKey) => {
  const calls: { url: string; init: RequestInit | undefined }[] = [];
  const issuer = { answer: (): Response | Promise<Response> => keySetOf([key]) };
  const ports = fakePorts({
    network: (url, init) => {
      calls.push({ url, init });
      return issuer.answer();
    },
  });
  const policy = linkJwt([remoteIssuer()], {}, ports);
  let asked = 0;
  const deferred: Promise<unknown>[] = [];
  const long = { ...goodClaims, exp: goodClaims.exp + 1_000_000 };
  /** A fresh token each time, so that no remembered one hides the key set. */
  const ask = async (key: SigningKey, header = {}): Promise<Verdict> => {
    const token = await sign(key, { ...long, jti: ++asked }, header);
    return askWith(token);
  };
  const askWith = async (token: string): Promise<Verdict> => {
    const exchange = bearing(token);
    const verdict = await policy.authenticate(exchange);
    deferred.push(...exchange.deferred);
    return verdict;
  };
  const settle = () => Promise.all(deferred.splice(0));
  return { ports, policy, issuer, calls, ask, askWith, settle, long, clock: ports.clock };
};
