import { describe, expect, it } from "vitest";
import type { Step } from "../../../src/policies/cache/filter.ts";
import { cache } from "../../../src/policies/cache/policy.ts";
import { compiledApis, planOf, stepsOf } from "../../support/compiling.ts";
import { type At, compilePolicy, type Place } from "../compiling.ts";
import { DEFAULT_STEP } from "./harness.ts";

const compiled = (config: unknown, place: Place = {}, at: Partial<At> = {}) =>
  compilePolicy(cache, [{ config, ...at }], "only", place);

const JWT: Place["identity"] = { policies: ["jwt"], anonymous: false, steps: [] };

describe("what a cache policy compiles to", () => {
  it("without any key: the origin decides, both tiers, a mebibyte, all query parameters", () => {
    expect(compiled({})).toEqual({ step: { ...DEFAULT_STEP, tiers: ["edge", "isolate"] }, faults: [] });
  });

  it("with all keys", () => {
    const config = {
      ttl: "30s",
      override: true,
      staleWhileRevalidate: "1m",
      staleIfError: "1h",
      key: { query: ["b", "a", "b"], headers: ["X-B", "x-a"], cookies: ["c"], claims: ["role"] },
      tiers: ["redis", "isolate"],
      tags: ["orders", "user:{params.id}"],
      maxBody: "2MiB",
      clientDirectives: true,
      coalesce: false,
      jitter: "10%",
    };
    const place: Place = { identity: JWT, gateway: { clientIp: { trustedHops: 1 } } };
    expect(compiled(config, place)).toEqual({
      step: {
        forgetOnly: false,
        ttlMs: 30_000,
        override: true,
        staleWhileRevalidateMs: 60_000,
        staleIfErrorMs: 3_600_000,
        perCaller: true,
        query: ["a", "b"],
        headers: ["x-a", "x-b"],
        cookies: ["c"],
        claims: ["role"],
        tiers: ["isolate", "redis"],
        tags: [["orders"], ["user:", { from: "params", name: "id" }]],
        maxBody: 2_097_152,
        clientDirectives: true,
        coalesce: false,
        jitter: 0.1,
        behindProxy: true,
      },
      faults: [],
    });
  });

  it.each<[string, object, readonly string[] | undefined, readonly string[] | null]>([
    ["declared, where there is an operation", {}, ["b", "a"], ["a", "b"]],
    ["declared, though none is", {}, [], []],
    ["all, where there is none", {}, undefined, null],
    ["all, where that is said", { key: { query: "all" } }, ["a"], null],
    ["a list, where that is said", { key: { query: ["a"] } }, ["a", "b"], ["a"]],
  ])("query parameters: %s", (_sentence, config, declaredQuery, query) => {
    expect(compiled(config, { route: { declaredQuery } }).step).toMatchObject({ query });
  });

  it.each<[string, object, Place["identity"], boolean]>([
    ["where the route identifies callers", {}, JWT, true],
    ["where it may be nobody", {}, { ...JWT, anonymous: true }, true],
    ["not where it identifies nobody", {}, undefined, false],
    ["not where entries are shared", { shared: true }, JWT, false],
  ])("each caller has entries of its own %s", (_sentence, config, identity, perCaller) => {
    expect(compiled(config, identity && { identity }).step).toMatchObject({ perCaller });
  });

  it("to nothing for requests that no route takes", () => {
    expect(compiled({}, { route: { id: "-" } }).step).toBeUndefined();
  });
});

describe("what is wrong with a cache policy", () => {
  it.each<[string, string, string, unknown, Place, At["level"]?]>([
    ["a lifetime without unit", "bad-quantity", "ttl", { ttl: "30" }, {}],
    ["no tier", "too_small", "tiers", { tiers: [] }, {}],
    ["a tier that is not offered", "invalid_value", "tiers.0", { tiers: ["disk"] }, {}],
    ["a key that is not offered", "unrecognized_keys", "", { tag: ["a"] }, {}],
    ["more tags than anybody purges by", "too_big", "tags", { tags: Array.from({ length: 33 }, String) }, {}],
    ["a tag that is too long", "too_big", "tags.0", { tags: ["a".repeat(257)] }, {}],
    ["an empty tag", "too_small", "tags.0", { tags: [""] }, {}],
    ["a header with an underscore", "invalid_format", "key.headers.0", { key: { headers: ["x_a"] } }, {}],
    ["a cookie with its value", "invalid_format", "key.cookies.0", { key: { cookies: ["a=b"] } }, {}],
    ["override without ttl", "cache-override-without-ttl", "override", { override: true }, {}, "api"],
    [
      "claims of nobody",
      "cache-claims-without-identity",
      "key.claims",
      { key: { claims: ["a"] } },
      {},
      "api",
    ],
    [
      "a parameter that is not declared",
      "cache-unknown-query",
      "key.query.1",
      { key: { query: ["a", "b"] } },
      { route: { declaredQuery: ["a"] } },
    ],
    ["declared where nothing is", "cache-nothing-declared", "key.query", { key: { query: "declared" } }, {}],
    ["shared where all is", "cache-shared-anyway", "shared", { shared: true }, {}],
    ["a route that only writes", "cache-without-get", "", {}, { route: { methods: ["POST"] } }],
    [
      "shared, though claims go to the upstream",
      "cache-shared-caller",
      "shared",
      { shared: true },
      { identity: { ...JWT, steps: [{ policy: "jwt", step: { forward: { "x-user-id": "sub" } } }] } },
      "api",
    ],
    [
      "shared, though the token goes to the upstream",
      "cache-shared-caller",
      "shared",
      { shared: true },
      { identity: { ...JWT, steps: [{ policy: "jwt", step: { forwardCredential: true } }] } },
    ],
  ])("%s: %s at %s", (_sentence, code, at, config, place, level) => {
    const { faults } = compiled(config, place, level && { level });
    expect(faults.map((fault) => [fault.code, fault.at])).toEqual([[code, at]]);
    expect(faults[0]!.remedy).not.toBe("");
  });

  it.each<[string, unknown, Place]>([
    ["declared where nothing is", { key: { query: "declared" } }, {}],
    ["shared where all is", { shared: true }, {}],
    ["a route that only writes", {}, { route: { methods: ["POST"] } }],
  ])("nothing, further out, where it meets routes of every kind: %s", (_sentence, config, place) => {
    expect(compiled(config, place, { level: "api" }).faults).toEqual([]);
  });

  it("nothing, where callers are identified and nothing of them goes to the upstream", () => {
    const steps = [{ policy: "jwt", step: { forward: {}, forwardCredential: false } }];
    expect(compiled({ shared: true }, { identity: { ...JWT, steps } }).faults).toEqual([]);
  });
});

describe("a cache whose entries all callers share", () => {
  const ROUTE = "match: { path: /a }, upstream: orders";
  const codesOf = (route: string, cache: string): readonly string[] =>
    compiledApis(`
apis:
  shop:
    policies: { jwt: { issuers: [main] } }
    routes:
      read: { ${route.includes("match") ? "" : `${ROUTE}, `}${route.replace("CACHE", `cache: ${cache}`)} }
`).codes;

  it.each<[string, string]>([
    [
      "a header that a template sets",
      'policies: { CACHE, headers: { request: { set: { x-user: "{identity.id}" } } } }',
    ],
    [
      "a header that a template adds",
      'policies: { CACHE, headers: { request: { add: { x-user: "a {claims.sub}" } } } }',
    ],
    ["a parameter", 'policies: { CACHE, query: { set: { user: "{claims.sub}" } } }'],
    ["the path", 'rewrite: { path: "/users/{identity.subject}" }, policies: { CACHE }'],
    [
      "the path of a call",
      'match: { path: /a, methods: [GET] }, aggregate: { calls: { me: { upstream: orders, path: "/users/{identity.subject}" }, all: { upstream: orders, path: /all } } }, policies: { CACHE }',
    ],
    [
      "a redirect of the route's own",
      'match: { path: /a }, redirect: { path: "/users/{identity.subject}" }, policies: { CACHE }',
    ],
  ])("may not tell the upstream who calls by %s", (_what, route) => {
    expect(codesOf(route, "{ shared: true }")).toEqual(["cache-shared-caller"]);
    expect(codesOf(route, "{}")).toEqual([]);
  });

  it.each<[string, string]>([
    [
      "a header of the answer, which is not stored",
      'policies: { CACHE, headers: { response: { set: { x-user: "{identity.id}" } } } }',
    ],
    ["a purge", 'policies: { CACHE, purge: { tags: ["user:{identity.id}"], urls: ["/a/{claims.sub}"] } }'],
    [
      "what is no caller",
      'policies: { CACHE, headers: { request: { set: { x-host: "{request.host}" } } }, query: { set: { ip: "{client.ip}" } } }',
    ],
  ])("may name the caller in %s", (_what, route) => {
    const codes = codesOf(route, "{ shared: true }");
    expect(codes.filter((code) => code !== "purge-stays-here")).toEqual([]);
  });

  it("may name the caller in tags", () => {
    expect(codesOf("policies: { CACHE }", '{ shared: true, tags: ["user:{identity.id}"] }')).toEqual([]);
  });

  it("may tell what tells entries apart", () => {
    const route = 'policies: { CACHE, headers: { request: { set: { x-a: "{claims.sub}" } } } }';
    expect(codesOf(route, "{ shared: true, key: { claims: [sub] } }")).toEqual([]);
    expect(codesOf(route, "{ shared: true, key: { claims: [aud] } }")).toEqual(["cache-shared-caller"]);
  });

  it("is told where the caller is named, and what to do", () => {
    const { diagnostics } = compiledApis(`
apis:
  shop:
    upstream: orders
    policies: { jwt: { issuers: [main] }, headers: { request: { set: { X-User: "{claims.sub}" } } } }
    routes:
      read: { match: { path: /a }, policies: { cache: { shared: true } } }
`);
    expect(diagnostics).toMatchObject([
      {
        message:
          "Entries are shared by all callers, but `headers.request.set.X-User` names the one who calls: {claims.sub}.",
        remedy: "Remove `shared`, or the reference, or write `key: { claims: [sub] }` for an entry a value.",
        place: { file: "apis.yaml", line: 7 },
      },
    ]);
  });
});

describe("a cache in Redis", () => {
  const apis = `
apis:
  shop:
    public: true
    upstream: orders
    routes:
      read: { match: { path: /a, methods: [GET] }, policies: { cache: { tiers: [isolate, redis] } } }
      write: { match: { path: /a, methods: [PUT] } }
`;
  const redis = "  stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }\n";

  it("needs to know where Redis is", () => {
    expect(compiledApis(apis).codes).toEqual(["no-redis"]);
  });

  it("makes the secrets of Redis such as must be set, and changes of other routes are told to it", () => {
    const plan = planOf(compiledApis(apis, { gateway: redis }));
    expect(plan.secrets).toEqual(expect.arrayContaining(["REDIS_URL", "REDIS_TOKEN"]));
    const written = stepsOf(plan, "shop.write").find(({ policy }) => policy === "cache");
    expect(written?.step as Step).toMatchObject({ forgetOnly: true, tiers: ["edge", "isolate", "redis"] });
  });
});
