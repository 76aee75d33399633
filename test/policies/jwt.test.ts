import { beforeAll, describe, expect, it } from "vitest";
import type { Verdict } from "../../src/core/identity.ts";
import { ALGORITHM_NAMES } from "../../src/policies/jwt/algorithms.ts";
import type { Step } from "../../src/policies/jwt/filter.ts";
import type { IssuerPlan } from "../../src/policies/jwt/issuer-plan.ts";
import { fakePorts, fakeSite } from "../support/ports.ts";
import {
  bearing,
  codeOf,
  goodClaims,
  hmac,
  issuerWith,
  judge,
  linkJwt,
  makeKey,
  type SigningKey,
  secretIssuer,
  sign,
  withSecret,
} from "./jwt-support.ts";

const ASYMMETRIC = ALGORITHM_NAMES.filter((name) => !name.startsWith("HS"));

const keys = new Map<string, SigningKey>();
let es: SigningKey;

beforeAll(async () => {
  await Promise.all(
    ASYMMETRIC.filter((name) => !/^(RS|PS)(384|512)/.test(name)).map(async (name) => {
      keys.set(name, await makeKey(name, name));
    }),
  );
  es = keys.get("ES256")!;
});

/** RSA keys take their time: the two rarer hashes are made when a test wants them. */
const keyFor = async (alg: string): Promise<SigningKey> => keys.get(alg) ?? makeKey(alg);

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
