import { beforeAll, describe, expect, it } from "vitest";
import type { Verdict } from "../../src/core/identity.ts";
import { ALGORITHM_NAMES } from "../../src/policies/jwt/algorithms.ts";
import type { Step } from "../../src/policies/jwt/filter.ts";
import type { IssuerPlan } from "../../src/policies/jwt/issuer-plan.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import {
  bearing,
  codeOf,
  goodClaims,
  issuerWith,
  judge,
  linkJwt,
  makeKey,
  NOW,
  part,
  request,
  type SigningKey,
  sign,
} from "./jwt-support.ts";

const ASYMMETRIC = ALGORITHM_NAMES.filter((name) => !name.startsWith("HS"));
const SECRET = "a secret of sixty-four bytes: 0123456789 0123456789 0123456789 0";

const keys = new Map<string, SigningKey>();
let es: SigningKey;
let rs: SigningKey;

beforeAll(async () => {
  await Promise.all(
    ASYMMETRIC.filter((name) => !/^(RS|PS)(384|512)/.test(name)).map(async (name) => {
      keys.set(name, await makeKey(name, name));
    }),
  );
  es = keys.get("ES256")!;
  rs = keys.get("RS256")!;
});

/** RSA keys take their time: the two rarer hashes are made when a test wants them. */
const keyFor = async (alg: string): Promise<SigningKey> => keys.get(alg) ?? makeKey(alg);

const hmac = (alg: string): SigningKey => ({
  alg,
  sign: new TextEncoder().encode(SECRET),
  jwk: { kty: "oct" },
});
const secretIssuer = (alg: string): IssuerPlan =>
  issuerWith([], { jwks: undefined, secret: "JOBS_SECRET", algorithms: [alg] as IssuerPlan["algorithms"] });
const withSecret = (value = SECRET) => fakePorts({ secretValues: { JOBS_SECRET: value } });

describe("jwt accepts a good token", () => {
  it.each(ASYMMETRIC)("signed with %s", async (alg) => {
    const key = await keyFor(alg);
    expect(codeOf(await judge(linkJwt([issuerWith([key])]), await sign(key)))).toBe("passed");
  });
  it.each(["HS256", "HS384", "HS512"])("signed with %s and the issuer's secret", async (alg) => {
    const policy = linkJwt([secretIssuer(alg)], {}, withSecret());
    expect(codeOf(await judge(policy, await sign(hmac(alg), goodClaims, { kid: undefined })))).toBe("passed");
  });
  it("and says who is calling", async () => {
    const claims = { ...goodClaims, roles: ["admin"] };
    const verdict = await judge(linkJwt([issuerWith([es])]), await sign(es, claims));
    expect(verdict).toMatchObject({
      outcome: "passed",
      identity: { kind: "jwt", id: "main:42", issuer: "main", subject: "42", claims },
    });
  });
});

/** DER of a public key, and the same as PEM: what an attacker can get hold of, used as a secret. */
const derOf = async (key: SigningKey): Promise<Buffer> => {
  const imported = await crypto.subtle.importKey(
    "jwk",
    key.jwk as JsonWebKey,
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    true,
    ["verify"],
  );
  return Buffer.from(await crypto.subtle.exportKey("spki", imported));
};
const pem = (der: Buffer): string =>
  `-----BEGIN PUBLIC KEY-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END PUBLIC KEY-----\n`;
const signWith = (secret: Uint8Array, header: object): Promise<string> =>
  sign({ alg: "HS256", sign: secret, jwk: { kty: "oct" } }, goodClaims, header as Record<string, unknown>);

describe("S11: the token does not choose how it is checked", () => {
  const kid = { kid: "RS256" };
  it.each<[string, () => Promise<string>]>([
    [
      "HS256 with the PEM of the public key as secret",
      async () => signWith(Buffer.from(pem(await derOf(rs))), kid),
    ],
    ["HS256 with its DER as secret", async () => signWith(await derOf(rs), kid)],
    [
      "HS256 with its modulus as secret",
      async () => signWith(Buffer.from(rs.jwk["n"] as string, "base64url"), kid),
    ],
    ["alg none", async () => `${part({ alg: "none" })}.${part(goodClaims)}.`],
    ["alg None with a signature", async () => `${part({ alg: "None", ...kid })}.${part(goodClaims)}.AAAA`],
    ["no alg", async () => `${part(kid)}.${part(goodClaims)}.AAAA`],
    [
      "alg of another type than text",
      async () => `${part({ alg: ["RS256"], ...kid })}.${part(goodClaims)}.AAAA`,
    ],
    ["alg constructor", async () => `${part({ alg: "constructor", ...kid })}.${part(goodClaims)}.AAAA`],
    [
      "an algorithm that the key's type has, and the issuer does not allow",
      async () => sign({ ...keys.get("PS256")!, jwk: rs.jwk }, goodClaims, kid),
    ],
    ["a key of another issuer under a kid of this one", async () => sign(await makeKey("RS256", "RS256"))],
    ["a kid of another issuer", async () => sign(rs, goodClaims, { kid: "other" })],
    ["a kid that is no text", async () => sign(rs, goodClaims, { kid: 1 })],
    ["a kid of a JavaScript property", async () => sign(rs, goodClaims, { kid: "__proto__" })],
  ])("refuses %s", async (_, make) => {
    const verdict = await judge(linkJwt([issuerWith([rs, es])]), await make());
    expect(verdict).toMatchObject({ outcome: "refused", status: 401 });
  });

  it.each(["jwk", "jku", "x5u", "x5c"])("never uses a key from the %s of a token", async (name) => {
    const other = await makeKey("RS256", "RS256");
    const value = {
      jwk: other.jwk,
      jku: "https://evil.example/jwks",
      x5u: "https://evil.example/x5u",
      x5c: ["MIIB"],
    }[name];
    const network = () => {
      throw new Error("the network was used");
    };
    const policy = linkJwt([issuerWith([rs])], {}, fakePorts({ network }));
    const token = await sign(other, goodClaims, { [name]: value });
    expect(codeOf(await judge(policy, token))).toBe("token-signature");
  });

  it.each<[string, Record<string, unknown>]>([
    ["an extension that is unknown", { crit: ["exp"], exp: 1 }],
    ["an empty list of extensions", { crit: [] }],
    ["an unencoded payload", { b64: false, crit: ["b64"] }],
    ["an unencoded payload that is not called critical", { b64: false }],
  ])("refuses %s", async (_, header) => {
    const [, payload, signature] = (await sign(es)).split(".");
    const token = `${part({ alg: "ES256", kid: "ES256", ...header })}.${payload}.${signature}`;
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), token))).toBe("token-malformed");
  });

  it.each<[string, (key: SigningKey) => Record<string, unknown>]>([
    ["for another algorithm", () => ({ alg: "RS384" })],
    ["for encryption", () => ({ use: "enc" })],
    ["for signing only", () => ({ key_ops: ["sign"] })],
    ["with its private part", () => ({ d: "AQAB" })],
    ["with the exponent 1", () => ({ e: "AQ" })],
    [
      "of 1024 bits",
      ({ jwk }) => ({
        n: Buffer.from(jwk["n"] as string, "base64url")
          .subarray(0, 128)
          .toString("base64url"),
      }),
    ],
    ["of another curve", () => ({ kty: "EC", crv: "P-384" })],
  ])("never uses a key %s", async (_, change) => {
    const weak = { ...rs, jwk: { ...rs.jwk, ...change(rs) } as SigningKey["jwk"] };
    expect(codeOf(await judge(linkJwt([issuerWith([weak])]), await sign(rs)))).toBe("token-signature");
  });

  it("uses a key without alg for every algorithm of its type that the issuer allows", async () => {
    const plan = issuerWith([rs], { algorithms: ["RS256", "PS512"] });
    const imported = await crypto.subtle.importKey(
      "jwk",
      { ...(await crypto.subtle.exportKey("jwk", rs.sign as CryptoKey)), alg: "PS512" },
      { name: "RSA-PSS", hash: "SHA-512" },
      false,
      ["sign"],
    );
    const token = await sign({ alg: "PS512", sign: imported, jwk: rs.jwk });
    expect(codeOf(await judge(linkJwt([plan]), token))).toBe("passed");
    expect(codeOf(await judge(linkJwt([issuerWith([rs])]), token))).toBe("token-signature");
  });

  it("tries the keys of the type for a token without kid", async () => {
    const second = await makeKey("ES256", "second");
    const policy = linkJwt([issuerWith([es, second])]);
    expect(codeOf(await judge(policy, await sign(second, goodClaims, { kid: undefined })))).toBe("passed");
  });

  it.each(["", "short", "thirty-one bytes, one too few !"])(
    "lets nobody in with the secret %j",
    async (value) => {
      const ports = withSecret(value);
      const policy = linkJwt([secretIssuer("HS256")], {}, ports);
      const verdict = await judge(policy, await sign(hmac("HS256"), goodClaims, { kid: undefined }));
      expect(verdict).toMatchObject({ outcome: "refused", status: 503, code: "issuer-unavailable" });
      expect(JSON.stringify(ports.records)).toContain("missing or unfit");
    },
  );
});

describe("S12: claims", () => {
  const inExactly = (seconds: number) => NOW + seconds;
  it.each<[string, Record<string, unknown>, string]>([
    ["exp missing", { exp: undefined }, "token-claims"],
    ["exp as text", { exp: "9999999999" }, "token-claims"],
    ["exp true", { exp: true }, "token-claims"],
    ["exp null", { exp: null }, "token-claims"],
    ["exp in a list", { exp: [9999999999] }, "token-claims"],
    ["exp 0", { exp: 0 }, "token-expired"],
    ["exp negative", { exp: -1 }, "token-expired"],
    ["exp now", { exp: inExactly(0) }, "token-expired"],
    ["exp a second ago", { exp: inExactly(-1) }, "token-expired"],
    ["exp in a second", { exp: inExactly(1) }, "passed"],
    ["exp with a fraction", { exp: inExactly(0.5) }, "passed"],
    ["nbf in a second", { nbf: inExactly(1) }, "token-not-yet-valid"],
    ["nbf now", { nbf: inExactly(0) }, "passed"],
    ["nbf as text", { nbf: "0" }, "token-claims"],
    ["nbf null", { nbf: null }, "token-claims"],
    ["iat as text", { iat: "0" }, "token-claims"],
    ["iat missing", { iat: undefined }, "passed"],
    ["iss with one slash less", { iss: "https://login.example.com" }, "token-issuer"],
    ["iss in capitals", { iss: "https://LOGIN.example.com/" }, "token-issuer"],
    ["iss missing", { iss: undefined }, "token-issuer"],
    ["iss in a list", { iss: ["https://login.example.com/"] }, "token-issuer"],
    ["aud missing", { aud: undefined }, "token-audience"],
    ["aud of another", { aud: "other-api" }, "token-audience"],
    ["aud empty", { aud: [] }, "token-audience"],
    ["aud the second of the issuer's", { aud: "staff-api" }, "passed"],
    ["aud a list with one of ours", { aud: ["other-api", "staff-api"] }, "passed"],
    ["aud a list with a number", { aud: ["shop-api", 1] }, "token-audience"],
    ["aud a prefix", { aud: "shop" }, "token-audience"],
    ["aud a map", { aud: { "shop-api": true } }, "token-audience"],
    ["sub missing", { sub: undefined }, "token-claims"],
    ["sub empty", { sub: "" }, "token-claims"],
    ["sub a number", { sub: 42 }, "token-claims"],
  ])("%s → %s", async (_, change, wanted) => {
    const token = await sign(es, { ...goodClaims, ...change });
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), token))).toBe(wanted);
  });

  it.each<[string, string, string]>([
    ["exp 1e400, which JSON reads as infinity", `{"exp":1e400}`, "token-claims"],
    ["two exp, of which the last counts", `{"exp":9999999999,"exp":1}`, "token-expired"],
    ["claims behind __proto__", `{"__proto__":{"exp":9999999999}}`, "token-claims"],
  ])("%s → %s", async (_, members, wanted) => {
    const rest = JSON.stringify({ ...goodClaims, exp: undefined }).slice(1);
    const token = await sign(es, `${members.slice(0, -1)},${rest}`);
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), token))).toBe(wanted);
  });

  it.each<[string, string]>([
    ["a list", "[]"],
    ["null", "null"],
    ["text", '"x"'],
    ["no JSON", "{"],
    ["a byte order mark", `\uFEFF${JSON.stringify(goodClaims)}`],
  ])("refuses a payload that is %s", async (_, payload) => {
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), await sign(es, payload)))).toBe("token-malformed");
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["exp 29 s ago", { exp: NOW - 29 }, "passed"],
    ["exp 30 s ago", { exp: NOW - 30 }, "token-expired"],
    ["nbf in 30 s", { nbf: NOW + 30 }, "passed"],
    ["nbf in 31 s", { nbf: NOW + 31 }, "token-not-yet-valid"],
  ])("with a clock skew of 30 s: %s → %s", async (_, change, wanted) => {
    const policy = linkJwt([issuerWith([es], { clockSkewMs: 30_000 })]);
    expect(codeOf(await judge(policy, await sign(es, { ...goodClaims, ...change })))).toBe(wanted);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["just as long", { exp: NOW + 3600 }, "passed"],
    ["a second longer", { exp: NOW + 3601 }, "token-claims"],
    ["without iat", { iat: undefined }, "token-claims"],
    ["from the future", { iat: NOW + 1, exp: NOW + 2 }, "token-not-yet-valid"],
  ])("with a longest life of 1 h: %s → %s", async (_, change, wanted) => {
    const policy = linkJwt([issuerWith([es], { maxLifetimeMs: 3_600_000 })]);
    expect(codeOf(await judge(policy, await sign(es, { ...goodClaims, ...change })))).toBe(wanted);
  });

  it.each([
    ["at+jwt", "passed"],
    ["application/at+jwt", "passed"],
    ["AT+JWT", "passed"],
    ["JWT", "token-type"],
    [undefined, "token-type"],
  ])("with type at+jwt: %s → %s", async (typ, wanted) => {
    const policy = linkJwt([issuerWith([es], { type: "at+jwt" })]);
    expect(codeOf(await judge(policy, await sign(es, goodClaims, { typ })))).toBe(wanted);
  });
});

describe("S13: one Bearer token, one space", () => {
  it.each<[string, (token: string) => string, string]>([
    ["Bearer", (token) => `Bearer ${token}`, "passed"],
    ["the scheme in another case", (token) => `bEARER ${token}`, "passed"],
    ["Basic", (token) => `Basic ${token}`, "absent"],
    ["another scheme", (token) => `DPoP ${token}`, "absent"],
    ["no scheme", (token) => token, "absent"],
    ["no space", (token) => `Bearer${token}`, "token-malformed"],
    ["a tab", (token) => `Bearer\t${token}`, "token-malformed"],
    ["two spaces", (token) => `Bearer  ${token}`, "token-malformed"],
    ["no token", () => "Bearer", "token-malformed"],
    ["the scheme twice", (token) => `Bearer Bearer ${token}`, "token-malformed"],
    ["two tokens", (token) => `Bearer ${token}, Bearer ${token}`, "token-malformed"],
    ["two fields, the first Basic", (token) => `Basic eDp5, Bearer ${token}`, "token-malformed"],
    ["a token and a parameter", (token) => `Bearer ${token}, a=b`, "token-malformed"],
    ["quotes", (token) => `Bearer "${token}"`, "token-malformed"],
    ["padding", (token) => `Bearer ${token}==`, "token-malformed"],
    ["a part more", (token) => `Bearer ${token}.AA`, "token-malformed"],
    ["a part less", (token) => `Bearer ${token.slice(0, token.lastIndexOf("."))}`, "token-malformed"],
    ["a token over 8 KiB", (token) => `Bearer ${token}${"A".repeat(8192)}`, "token-malformed"],
  ])("%s", async (_, field, wanted) => {
    const exchange = fakeExchange(request({ authorization: field(await sign(es)) }));
    expect(codeOf(await linkJwt([issuerWith([es])]).authenticate(exchange))).toBe(wanted);
  });

  it("refuses the same bytes in another spelling", async () => {
    const token = await sign(es, { ...goodClaims, pad: "x" });
    const last = token.charCodeAt(token.length - 1);
    const other = token.slice(0, -1) + String.fromCharCode(last + 1);
    expect(codeOf(await judge(linkJwt([issuerWith([es])]), other))).not.toBe("passed");
  });

  it.each<[string, Step["from"], (token: string) => Request, string]>([
    ["a header", { in: "header", name: "x-token" }, (token) => request({ "x-token": token }), "passed"],
    [
      "a header twice",
      { in: "header", name: "x-token" },
      (token) => request({ "x-token": `${token}, ${token}` }),
      "token-malformed",
    ],
    [
      "a cookie",
      { in: "cookie", name: "sid" },
      (token) => request({ cookie: `a=b; sid=${token}; c=d` }),
      "passed",
    ],
    [
      "a cookie twice",
      { in: "cookie", name: "sid" },
      (token) => request({ cookie: `sid=${token}; sid=${token}` }),
      "token-malformed",
    ],
    [
      "no cookie of the name",
      { in: "cookie", name: "sid" },
      (token) => request({ cookie: `xsid=${token}` }),
      "absent",
    ],
    [
      "the query",
      { in: "query", name: "token" },
      (token) => request({}, `https://a.example/?a=1&token=${token}`),
      "passed",
    ],
    [
      "the query twice",
      { in: "query", name: "token" },
      (token) => request({}, `https://a.example/?token=${token}&token=${token}`),
      "token-malformed",
    ],
    [
      "the query, where it is not asked for",
      { in: "bearer", name: "authorization" },
      (token) => request({}, `https://a.example/?access_token=${token}`),
      "absent",
    ],
    [
      "Authorization, where a cookie is asked for",
      { in: "cookie", name: "sid" },
      (token) => request({ authorization: `Bearer ${token}` }),
      "absent",
    ],
  ])("reads %s", async (_, from, make, wanted) => {
    const policy = linkJwt([issuerWith([es])], { from });
    expect(codeOf(await policy.authenticate(fakeExchange(make(await sign(es)))))).toBe(wanted);
  });
});

describe("what a route asks of a good token", () => {
  it.each<[string, Partial<Step>, Record<string, unknown>, string]>([
    ["one of two scopes", { scopes: { any: ["a", "b"], all: [] } }, { scope: "x b" }, "passed"],
    ["none of two scopes", { scopes: { any: ["a", "b"], all: [] } }, { scope: "x" }, "insufficient-scope"],
    [
      "a scope that is the start of another",
      { scopes: { any: ["a"], all: [] } },
      { scope: "ab" },
      "insufficient-scope",
    ],
    ["all scopes", { scopes: { any: [], all: ["a", "b"] } }, { scope: "b a" }, "passed"],
    ["one of all scopes", { scopes: { any: [], all: ["a", "b"] } }, { scope: "b" }, "insufficient-scope"],
    ["scopes as the list scp", { scopes: { any: ["a"], all: [] } }, { scp: ["a"] }, "passed"],
    ["scopes as the text scp", { scopes: { any: ["a"], all: [] } }, { scp: "x a" }, "passed"],
    ["no scopes at all", { scopes: { any: ["a"], all: [] } }, {}, "insufficient-scope"],
    ["a claim with the value", { claims: { tenant: ["acme"] } }, { tenant: "acme" }, "passed"],
    [
      "a claim with another value",
      { claims: { tenant: ["acme"] } },
      { tenant: "other" },
      "insufficient-claims",
    ],
    ["a claim that is missing", { claims: { tenant: ["acme"] } }, {}, "insufficient-claims"],
    ["a claim of another type", { claims: { level: [1] } }, { level: "1" }, "insufficient-claims"],
    [
      "a list that holds one of the values",
      { claims: { roles: ["admin", "staff"] } },
      { roles: ["staff"] },
      "passed",
    ],
    ["a list that holds none", { claims: { roles: ["admin"] } }, { roles: ["staff"] }, "insufficient-claims"],
    ["a claim named as a property of objects", { claims: { constructor: ["x"] } }, {}, "insufficient-claims"],
    ["a narrowed audience", { audiences: ["staff-api"] }, { aud: ["shop-api", "staff-api"] }, "passed"],
    [
      "an audience of the issuer, not of the route",
      { audiences: ["staff-api"] },
      { aud: "shop-api" },
      "token-audience",
    ],
    [
      "an audience of the route, not of the issuer",
      { audiences: ["other-api"] },
      { aud: ["shop-api", "other-api"] },
      "token-audience",
    ],
  ])("%s", async (_, over, claims, wanted) => {
    const policy = linkJwt([issuerWith([es])], over);
    const token = await sign(es, { ...goodClaims, ...claims });
    expect(codeOf(await judge(policy, token))).toBe(wanted);
    expect(codeOf(await judge(policy, token))).toBe(wanted);
  });
});

describe("several issuers", () => {
  it("accepts each issuer's tokens under its own keys and algorithms only", async () => {
    const main = issuerWith([es]);
    const jobs = { ...secretIssuer("HS256"), name: "jobs", issuer: "shop-jobs", subjects: "jobs" };
    const policy = linkJwt([main, jobs], {}, withSecret());
    const asJobs = { ...goodClaims, iss: "shop-jobs" };
    expect(codeOf(await judge(policy, await sign(es)))).toBe("passed");
    expect(codeOf(await judge(policy, await sign(hmac("HS256"), asJobs, { kid: undefined })))).toBe("passed");
    expect(codeOf(await judge(policy, await sign(es, asJobs)))).toBe("token-signature");
    expect(codeOf(await judge(policy, await sign(hmac("HS256"))))).toBe("token-signature");
  });
  it("tries all that share an iss", async () => {
    const second = await makeKey("ES256", "second");
    const policy = linkJwt([issuerWith([es]), issuerWith([second], { name: "next" })]);
    expect(await judge(policy, await sign(second))).toMatchObject({ identity: { issuer: "next" } });
    expect(await judge(policy, await sign(es))).toMatchObject({ identity: { issuer: "main" } });
  });
  it("says that a genuine token has expired, though another issuer of the iss does not know it", async () => {
    const second = await makeKey("ES256", "second");
    const policy = linkJwt([issuerWith([es]), issuerWith([second], { name: "next" })]);
    expect(codeOf(await judge(policy, await sign(es, { ...goodClaims, exp: 1 })))).toBe("token-expired");
  });
  it("tells the same subject of two issuers apart, unless they are joined", async () => {
    const idOf = async (over: Partial<IssuerPlan>) =>
      (await judge(linkJwt([issuerWith([es], over)]), await sign(es))) as Extract<
        Verdict,
        { outcome: "passed" }
      >;
    expect((await idOf({ name: "a" })).identity.id).toBe("a:42");
    expect((await idOf({ name: "b" })).identity.id).toBe("b:42");
    expect((await idOf({ name: "b", subjects: "a" })).identity).toMatchObject({ id: "a:42", issuer: "b" });
  });
  it("never joins two callers by a colon", async () => {
    const idOf = async (name: string, sub: string) => {
      const verdict = await judge(
        linkJwt([issuerWith([es], { name })]),
        await sign(es, { ...goodClaims, sub }),
      );
      return verdict.outcome === "passed" && verdict.identity.id;
    };
    expect(await idOf("a", "b:c")).not.toBe(await idOf("a:b", "c"));
  });
});

describe("challenges (RFC 6750)", () => {
  const challenge = async (over: Partial<Step>, claims: object) => {
    const verdict = await judge(
      linkJwt([issuerWith([es])], over),
      await sign(es, { ...goodClaims, ...claims }),
    );
    return verdict.outcome === "refused" ? [verdict.status, verdict.challenge] : [];
  };
  it("without a token there is no error in it", () => {
    expect(linkJwt([issuerWith([es])]).challenge).toBe('Bearer realm="shop"');
  });
  it("a bad token is an invalid_token", async () => {
    expect(await challenge({}, { exp: 1 })).toEqual([
      401,
      'Bearer realm="shop", error="invalid_token", error_description="The token has expired."',
    ]);
  });
  it("a token without the scope is told which", async () => {
    expect(await challenge({ scopes: { any: ["b", "c"], all: ["a"] } }, {})).toEqual([
      403,
      'Bearer realm="shop", error="insufficient_scope", error_description="The token lacks a scope that is needed here.", scope="a b c"',
    ]);
  });
  it("a quote in the gateway's name stays inside the realm", () => {
    const site = fakeSite({}, { gatewayName: 'a"b' });
    expect(linkJwt([], {}, fakePorts(), site).challenge).toBe('Bearer realm="a\\"b"');
  });
  it("no answer quotes the token", async () => {
    const token = `${await sign(es)}x`;
    expect(JSON.stringify(await judge(linkJwt([issuerWith([es])]), token))).not.toContain(token.slice(0, 20));
  });
});

describe("what goes to the upstream", () => {
  const forward = { "x-user-id": "sub", "x-roles": "roles" };
  it("loses the token and every header that the policy can set, whatever comes of it (S7)", () => {
    expect(linkJwt([issuerWith([es])], { forward }).always).toEqual([
      { op: "remove", name: "x-user-id" },
      { op: "remove", name: "x-roles" },
      { op: "remove", name: "authorization" },
    ]);
  });
  it("keeps the token when the policy says so", () => {
    expect(linkJwt([issuerWith([es])], { forwardCredential: true }).always).toEqual([]);
  });
  it("loses the header of its own that carried the token", () => {
    const policy = linkJwt([issuerWith([es])], { from: { in: "header", name: "x-token" } });
    expect(policy.always).toEqual([{ op: "remove", name: "x-token" }]);
  });
  it.each<[string, unknown, string | undefined]>([
    ["text", "42", "42"],
    ["a number", 7, "7"],
    ["a boolean", false, "false"],
    ["a list", ["a", "b"], "a,b"],
    ["a member with a comma", ["a,b", "c"], "a%2Cb,c"],
    ["an empty list", [], ""],
    ["a list with a map", ["a", {}], undefined],
    ["a map", { a: 1 }, undefined],
    ["null", null, undefined],
    ["letters beyond ASCII", "Zoë", "Zo%C3%AB"],
    ["a line break", "a\r\nx-admin: 1", "a%0D%0Ax-admin: 1"],
    ["blanks at both ends", " 42 ", "%2042%20"],
    ["half a surrogate pair", "\ud800", "%EF%BF%BD"],
  ])("a claim that is %s", async (_, roles, value) => {
    const policy = linkJwt([issuerWith([es])], { forward: { "x-roles": "roles" } });
    const verdict = await judge(policy, await sign(es, { ...goodClaims, roles }));
    const edits = value === undefined ? [] : [{ op: "set", name: "x-roles", value }];
    expect(verdict).toMatchObject({ outcome: "passed", edits });
    expect(() => new Headers([["x-roles", value ?? ""]])).not.toThrow();
  });
  it("sets nothing from a claim that only objects have", async () => {
    const policy = linkJwt([issuerWith([es])], { forward: { "x-a": "constructor", "x-b": "toString" } });
    expect(await judge(policy, await sign(es))).toMatchObject({ edits: [] });
  });
  it.each([
    ["a=b; sid=TOKEN; c=d", { op: "set", name: "cookie", value: "a=b; c=d" }],
    ["sid=TOKEN", { op: "remove", name: "cookie" }],
    ["sid = TOKEN;a=b", { op: "set", name: "cookie", value: "a=b" }],
  ])("loses the token's cookie: %s", async (cookie, edit) => {
    const exchange = fakeExchange(request({ cookie: cookie.replace("TOKEN", await sign(es)) }));
    await linkJwt([issuerWith([es])], { from: { in: "cookie", name: "sid" } }).authenticate(exchange);
    expect(exchange.requestEdits).toEqual([edit]);
  });
});

describe("the local issuer", () => {
  const local = (): IssuerPlan => issuerWith([], { jwks: { local: true }, algorithms: ["ES256"] });
  const linked = (development: boolean, jwks: string | undefined) => {
    const ports = fakePorts({ secretValues: jwks === undefined ? {} : { POSTERN_LOCAL_JWKS: jwks } });
    return linkJwt([local()], {}, ports, fakeSite({ main: local() }, { development }));
  };
  it("signs for a development machine", async () => {
    expect(codeOf(await judge(linked(true, JSON.stringify({ keys: [es.jwk] })), await sign(es)))).toBe(
      "passed",
    );
  });
  it.each<[string, boolean, () => string | undefined]>([
    ["elsewhere", false, () => JSON.stringify({ keys: [es.jwk] })],
    ["without its keys", true, () => undefined],
    ["with keys that are no JSON", true, () => "{"],
  ])("lets nobody in %s", async (_, development, jwks) => {
    const verdict = await judge(linked(development, jwks()), await sign(es));
    expect(verdict).toMatchObject({ status: 503, code: "issuer-unavailable" });
  });
});

it("judges a token that it has seen before without a promise", async () => {
  const policy = linkJwt([issuerWith([es])]);
  const token = await sign(es);
  expect(policy.authenticate(bearing(token))).toBeInstanceOf(Promise);
  await judge(policy, token);
  expect(policy.authenticate(bearing(token))).toMatchObject({ outcome: "passed" });
});
