import { exportJWK, generateKeyPair, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import type { Identity } from "../../../src/core/identity.ts";
import type { JwtCredentialPlan } from "../../../src/core/upstream-plan.ts";
import { linkJwtCredential } from "../../../src/runtime/managed/jwt-credential.ts";
import { type LinkedCredential, linkedCredential, type Try } from "./credential-support.ts";

const PLAN: JwtCredentialPlan = {
  kind: "jwt",
  secret: "USERS_KEY",
  algorithm: "HS256",
  header: "x-gateway-token",
  issuer: "shop",
  audience: "users",
  lifetimeSeconds: 60,
};
const SECRET = "0123456789abcdef0123456789abcdef";
const KEY = new TextEncoder().encode(SECRET);

const linked = (plan: Partial<JwtCredentialPlan> = {}, secret: string | undefined = SECRET) =>
  linkedCredential(linkJwtCredential, { ...PLAN, ...plan }, secret);

const tokenOf = async (credential: LinkedCredential, it?: Try): Promise<string> =>
  (await credential.put(it)).get("x-gateway-token")!;

const ADA: Identity = {
  kind: "jwt",
  id: "https://login.example.com/ 42",
  issuer: "https://login.example.com/",
  subject: "42",
};
const ACME: Identity = { kind: "apiKey", id: "acme", consumer: { name: "acme", attributes: {} } };

/** Verified by jose, as a service would. */
const claimsOf = async (credential: LinkedCredential, it?: Try) => {
  const { payload } = await jwtVerify(await tokenOf(credential, it), KEY, {
    algorithms: ["HS256"],
    issuer: "shop",
    audience: "users",
    typ: "postern+jwt",
    currentDate: new Date(credential.ports.clock.ms),
  });
  return payload;
};

describe("a token for an upstream", () => {
  it("names gateway, audience, route and caller, and ends soon", async () => {
    const credential = linked();
    const now = credential.ports.clock.ms / 1000;
    const exchange = { route: { id: "users.getUser", api: "users" }, identity: ADA };
    expect(await claimsOf(credential, { exchange })).toEqual({
      iss: "shop",
      aud: "users",
      iat: now,
      exp: now + 60,
      route: "users.getUser",
      sub: ADA.id,
      caller: { kind: "jwt", issuer: "https://login.example.com/", subject: "42" },
    });
  });

  it.each([
    ["a consumer", ACME, { sub: "acme", caller: { kind: "apiKey" } }],
    ["somebody with a name beyond ASCII", { kind: "apiKey", id: "Zoë 🗝" }, { sub: "Zoë 🗝" }],
    [
      "nobody, where that is an alternative",
      { kind: "anonymous", id: "" },
      { caller: { kind: "anonymous" } },
    ],
    ["nobody", undefined, {}],
  ])("of %s says so", async (_, identity, expected) => {
    const { iss, aud, iat, exp, route, ...claims } = await claimsOf(linked(), { exchange: { identity } });
    expect(claims).toMatchObject(expected);
    expect("sub" in claims).toBe("sub" in expected);
  });

  it("names its key where that has a name", async () => {
    const token = await tokenOf(linked({ keyId: "2026-11" }));
    const { protectedHeader } = await jwtVerify(token, KEY, { currentDate: new Date("2026-01-01") });
    expect(protectedHeader).toEqual({ alg: "HS256", typ: "postern+jwt", kid: "2026-11" });
  });

  it("is a Bearer token in authorization, and replaces the client's", async () => {
    const headers = await linked({ header: "authorization" }).put({ headers: { authorization: "Bearer x" } });
    expect(headers.get("authorization")).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it("replaces what the client sent", async () => {
    const forged = { headers: { "X-Gateway-Token": "forged" } };
    const credential = linked();
    for (let time = 0; time < 2; time++) expect(await tokenOf(credential, forged)).not.toContain("forged");
  });

  it.each([
    ["ES256", "ES256"],
    ["EdDSA", "Ed25519"],
  ] as const)("is signed by %s with a private JWK", async (algorithm, generated) => {
    const pair = await generateKeyPair(generated, { extractable: true });
    const jwk = {
      ...(await exportJWK(pair.privateKey)),
      kid: "k",
      use: "sig",
      key_ops: ["sign"],
      alg: algorithm,
    };
    const token = await tokenOf(linked({ algorithm }, JSON.stringify(jwk)));
    const options = { audience: "users", currentDate: new Date("2026-01-01") };
    const { protectedHeader } = await jwtVerify(token, pair.publicKey, options);
    expect(protectedHeader.alg).toBe(algorithm);
  });
});

describe("a token that was made", () => {
  it("serves for half of its lifetime, and then another is made", async () => {
    const credential = linked();
    const first = await tokenOf(credential);
    credential.ports.clock.advance(29_999);
    expect(await tokenOf(credential)).toBe(first);
    credential.ports.clock.advance(1);
    const second = await tokenOf(credential);
    expect(second).not.toBe(first);
    credential.ports.clock.advance(29_999);
    expect(await tokenOf(credential)).toBe(second);
  });

  const exchanges: readonly Try["exchange"][] = [
    {},
    { route: { id: "users.getUser", api: "users" } },
    { identity: { kind: "anonymous", id: "" } },
    { identity: ADA },
    { identity: { ...ADA, issuer: "https://other.example.com/" } },
    { identity: { ...ADA, id: "https://login.example.com/ 43", subject: "43" } },
    { identity: ACME },
    { identity: { kind: "jwt", id: "acme" } },
  ];

  it("serves no other route and no other caller", async () => {
    const credential = linked();
    const tokens = new Set<string>();
    for (const exchange of exchanges) tokens.add(await tokenOf(credential, { exchange: exchange! }));
    expect(tokens.size).toBe(exchanges.length);
  });

  it("is forgotten when a thousand others were made after it, and never when it is among the last thousand", async () => {
    const credential = linked();
    const as = (id: number): Try => ({ exchange: { identity: { kind: "apiKey", id: `c${id}` } } });
    const first = await tokenOf(credential, as(0));
    const second = await tokenOf(credential, as(1));
    credential.ports.clock.advance(1000);
    for (let id = 2; id <= 1000; id++) await tokenOf(credential, as(id));
    expect(await tokenOf(credential, as(1))).toBe(second);
    expect(await tokenOf(credential, as(0))).not.toBe(first);
  });

  it("is not remembered when it is very long", async () => {
    const credential = linked();
    const exchange = { identity: { kind: "apiKey", id: "x".repeat(2000) } };
    const first = await tokenOf(credential, { exchange });
    credential.ports.clock.advance(1000);
    expect(await tokenOf(credential, { exchange })).not.toBe(first);
  });
});

describe("a key", () => {
  const d = "A".repeat(43);
  const ec = { kty: "EC", crv: "P-256", x: d, y: d, d };
  it.each([
    ["that is not set", "HS256", undefined, "is not set"],
    ["of 31 bytes", "HS256", SECRET.slice(1), "has 31 bytes, and needs at least 32 to sign by HMAC"],
    ["that is no JSON", "ES256", SECRET, "is no private key for ES256"],
    ["that is null", "ES256", "null", "is no private key for ES256"],
    ["of another type", "EdDSA", JSON.stringify(ec), "is no private key for EdDSA"],
    ["on another curve", "ES256", JSON.stringify({ ...ec, crv: "P-384" }), "is no private key for ES256"],
    ["that is public", "ES256", JSON.stringify({ ...ec, d: undefined }), "is no private key for ES256"],
    [
      "that is too short",
      "ES256",
      JSON.stringify({ ...ec, d: "AAAA" }),
      'kty "EC" and crv "P-256" with x, y, d',
    ],
  ] as const)("%s is refused when it is linked, and not quoted", (_, algorithm, secret, why) => {
    const link = (): unknown => linkedCredential(linkJwtCredential, { ...PLAN, algorithm }, secret);
    expect(link).toThrow(`The secret USERS_KEY, the credential of the upstream "orders", `);
    expect(link).toThrow(why);
    if (secret) expect(link).not.toThrow(secret);
  });

  it("whose parts do not belong together fails the request, and the log names the secret", async () => {
    const credential = linked({ algorithm: "ES256" }, JSON.stringify(ec));
    for (let time = 0; time < 2; time++) await expect(credential.put()).rejects.toThrow("USERS_KEY");
    expect(credential.ports.records).toHaveLength(2);
    expect(credential.ports.records[0]).toMatchObject({
      level: "error",
      message: expect.stringContaining("USERS_KEY"),
    });
    expect(JSON.stringify(credential.ports.records)).not.toContain(d);
  });
});
