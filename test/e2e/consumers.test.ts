import { createHash } from "node:crypto";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { composeKey } from "../../src/lib/api-key.ts";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask as askRaw, requestText } from "./wire.ts";

// Consumers, their keys and plans as callers meet them, on the production bundle.

const SECRET = "a secret of at least thirty-two bytes";
const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const key = (seed: number): string => composeKey("test", new Uint8Array(32).fill(seed));

const KEYS = {
  acme: key(1),
  acmeNext: key(2),
  old: key(3),
  small: key(4),
  elsewhere: "k-of-another-system-0123456789",
};

let stage: Stage;
let gateway: Served;

const policies = (): string => `
gateway:
  name: shop
  hosts: { public: 127.0.0.1, tenants: "{tenant}.shop.example.com" }
  clientIp: { forwardedFor: { trustedHops: 1 } }
  policies: { accessLog: { fields: [query, consumer, plan] } }
plans:
  anonymous: { rate: 2/1h }
  free: { rate: 3/1h }
  gold: { rate: 6/1h }
  huge: { rate: 100000/1h }
issuers:
  main: { issuer: https://issuer.example.com/, audiences: [shop], algorithms: [HS256], secret: { env: SIGNING_SECRET }, claims: { tenant: string }, plan: free }
consumers:
  acme:
    plan: gold
    attributes: { tenant: acme }
    keys:
      - { id: k1, sha256: "${digest(KEYS.acme)}", expires: 2199-12-31 }
      - { id: k2, sha256: "${digest(KEYS.acmeNext)}" }
      - { id: k0, sha256: "${digest(KEYS.old)}", expires: 2020-01-01 }
  small: { plan: free, keys: [{ id: k1, sha256: "${digest(KEYS.small)}" }] }
  moved: { plan: huge, keys: [{ id: k1, sha256: "${digest(KEYS.elsewhere)}" }] }
upstreams:
  stage: { targets: { only: { url: "${stage.url}", network: private } } }
apis:
  keys:
    upstream: stage
    policies: { apiKey: { forward: { x-consumer: name, x-plan: plan, x-tenant: attributes.tenant } } }
    routes:
      any: { match: { path: /key } }
      query: { match: { path: /query }, policies: { apiKey: { inherit: true, from: { query: api_key } } } }
      cookie: { match: { path: /cookie }, policies: { apiKey: { inherit: true, from: { cookie: api-key } } } }
      scheme: { match: { path: /scheme }, policies: { apiKey: { inherit: true, from: { scheme: ApiKey } } } }
      passed: { match: { path: /passed }, policies: { apiKey: { inherit: true, forwardCredential: true } } }
      gold: { match: { path: /gold }, policies: { apiKey: { inherit: true, plans: [gold] } } }
      named: { match: { path: /named }, policies: { apiKey: { inherit: true, consumers: [moved] } } }
  basic:
    upstream: stage
    policies: { basicAuth: { forward: { x-consumer: name } } }
    routes: { any: { match: { path: /basic } } }
  mixed:
    hosts: [tenants]
    upstream: stage
    policies:
      jwt: {}
      apiKey: {}
      identity: { any: [jwt, apiKey] }
      authorize: { allow: "(identity.kind == 'jwt' ? claims.tenant : consumer.attributes.tenant) == params.tenant" }
    routes: { any: { match: { path: /mixed } } }
  planned:
    upstream: stage
    policies:
      jwt: {}
      apiKey: {}
      identity: { any: [jwt, apiKey, anonymous] }
      rateLimit: { limits: [{ name: plan, rate: plan, key: identity }] }
    routes: { any: { match: { path: /planned } } }
`;

beforeAll(async () => {
  stage = await startStage();
  gateway = await serve({
    files: { "gateway.yaml": policies() },
    args: ["--var", `SIGNING_SECRET=${SECRET}`],
  });
});

afterAll(async () => {
  expect(await gateway?.stop()).toBe(0);
  await stage?.stop();
});

type Fields = Readonly<Record<string, string>>;

const ask = async (path: string, headers: Fields = {}): Promise<Response> => {
  const response = await fetch(gateway.url + path, { headers });
  return new Response(await response.arrayBuffer(), response);
};

/** What the service got of a request that passed. */
const sent = (): ReadonlyMap<string, string> => new Map(stage.last().fields);

const bearer = async (claims: object = {}): Promise<string> =>
  "Bearer " +
  (await new SignJWT({ tenant: "acme", ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer("https://issuer.example.com/")
    .setAudience((claims as { aud?: string }).aud ?? "shop")
    .setSubject("42")
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET)));

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("a key", () => {
  it("lets its consumer in, who is told to the service, and does not travel on", async () => {
    const answer = await ask("/key", { "x-api-key": KEYS.acme, "x-consumer": "root", "x-tenant": "root" });
    expect(answer.status).toBe(200);
    const fields = sent();
    expect([fields.get("x-consumer"), fields.get("x-plan"), fields.get("x-tenant")]).toEqual([
      "acme",
      "gold",
      "acme",
    ]);
    expect(fields.has("x-api-key")).toBe(false);
  });

  it("deletes what it could have set where the consumer has nothing of it", async () => {
    expect((await ask("/key", { "x-api-key": KEYS.small, "x-tenant": "root" })).status).toBe(200);
    expect(sent().has("x-tenant")).toBe(false);
  });

  it.each([
    ["the second of two that are good", KEYS.acmeNext],
    ["one that was made elsewhere", KEYS.elsewhere],
  ])("passes: %s", async (_, presented) => {
    expect((await ask("/key", { "x-api-key": presented })).status).toBe(200);
  });

  it.each([
    ["nobody's", key(9), "key-unknown"],
    [
      "with another checksum",
      `${KEYS.acme.slice(0, -1)}${KEYS.acme.endsWith("0") ? "1" : "0"}`,
      "key-malformed",
    ],
    ["that is over", KEYS.old, "key-expired"],
    ["that is empty", "", "key-malformed"],
    ["twice", `${KEYS.acme}, ${KEYS.acme}`, "key-malformed"],
    ["too long", "k".repeat(257), "key-malformed"],
    ["of another system, nobody's", "another-key-of-that-system", "key-unknown"],
    ["its digest", digest(KEYS.acme), "key-unknown"],
  ])("is refused: %s", async (_, presented, code) => {
    const before = stage.asked.length;
    const answer = await ask("/key", { "x-api-key": presented });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('ApiKey realm="shop"');
    expect(await answer.json()).toMatchObject({ code });
    expect(stage.asked.length).toBe(before);
  });

  it("is asked for where there is none", async () => {
    const answer = await ask("/key");
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, 'ApiKey realm="shop"']);
  });

  it.each([
    ["/gold", KEYS.acme, 200],
    ["/gold", KEYS.small, 403],
    ["/named", KEYS.elsewhere, 200],
    ["/named", KEYS.acme, 403],
  ])("%s takes those whom it names", async (path, presented, status) => {
    const answer = await ask(path, { "x-api-key": presented });
    expect(answer.status).toBe(status);
    if (status === 403) expect(await answer.json()).toMatchObject({ code: "consumer-not-allowed" });
  });

  it("in a query is taken off it, and stays out of the log", async () => {
    expect((await ask(`/query?a=1&api_key=${KEYS.acme}&b=2`)).status).toBe(200);
    expect(stage.last().url).toBe("/query?a=1&b=2");
    expect((await ask(`/query?api_key=${KEYS.acme}&api_key=${KEYS.acme}`)).status).toBe(401);
    await until("the record is there", () => gateway.output().includes('"path":"/query"'));
    expect(gateway.output()).toContain("api_key=***");
  });

  it("in a cookie is taken out from among the others", async () => {
    expect((await ask("/cookie", { cookie: `a=1; api-key=${KEYS.acme}; b=2` })).status).toBe(200);
    expect(sent().get("cookie")).toBe("a=1; b=2");
  });

  it.each([
    ["ApiKey", 200],
    ["apikey", 200],
    ["Bearer", 401],
  ])("behind the scheme %s", async (scheme, status) => {
    expect((await ask("/scheme", { authorization: `${scheme} ${KEYS.acme}` })).status).toBe(status);
    if (status === 200) expect(sent().has("authorization")).toBe(false);
  });

  it("travels on where that is asked for", async () => {
    await ask("/passed", { "x-api-key": KEYS.acme });
    expect(sent().get("x-api-key")).toBe(KEYS.acme);
  });
});

describe("user and password", () => {
  it("of a consumer pass, and do not travel on", async () => {
    expect((await ask("/basic", { authorization: basic("acme", KEYS.acme) })).status).toBe(200);
    expect([sent().get("x-consumer"), sent().has("authorization")]).toEqual(["acme", false]);
  });

  it.each([
    ["another's", basic("small", KEYS.acme), "key-unknown"],
    ["of nobody", basic("nobody", KEYS.acme), "key-unknown"],
    ["without colon", `Basic ${Buffer.from("acme").toString("base64")}`, "key-malformed"],
  ])("are refused: %s", async (_, authorization, code) => {
    const answer = await ask("/basic", { authorization });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Basic realm="shop", charset="UTF-8"');
    expect(await answer.json()).toMatchObject({ code });
  });
});

describe("a token or a key", () => {
  const at = async (tenant: string, fields: readonly string[]): Promise<number> => {
    const host = `${tenant}.shop.example.com`;
    const text = requestText("GET /mixed", [...fields, "Connection: close"], "", host);
    return (await askRaw(gateway.port, text)).status;
  };

  it.each([
    ["a token of the tenant", "acme", { tenant: "acme" }, undefined, 200],
    ["a token of another", "beta", { tenant: "acme" }, undefined, 403],
    ["a token of none", "acme", { tenant: undefined }, undefined, 403],
    ["a key of the tenant", "acme", undefined, KEYS.acme, 200],
    ["a key of another", "beta", undefined, KEYS.acme, 403],
    ["a key of none", "acme", undefined, KEYS.small, 403],
    ["nothing", "acme", undefined, undefined, 401],
    ["a good token and a wrong key", "acme", { tenant: "acme" }, key(9), 401],
    ["a good token and a good key", "acme", { tenant: "acme" }, KEYS.small, 200],
    ["a good key and a wrong token", "acme", { aud: "elsewhere" }, KEYS.acme, 401],
  ] as const)("%s", async (_, tenant, claims, presented, status) => {
    const fields = [
      ...(claims === undefined ? [] : [`Authorization: ${await bearer(claims)}`]),
      ...(presented === undefined ? [] : [`X-Api-Key: ${presented}`]),
    ];
    expect(await at(tenant, fields)).toBe(status);
  });

  it("a wrong key is not passed over for nobody", async () => {
    expect((await ask("/planned", { "x-api-key": key(9), "x-forwarded-for": "192.0.2.9" })).status).toBe(401);
    expect((await ask("/planned", { "x-forwarded-for": "192.0.2.9" })).status).toBe(200);
  });
});

describe("a plan", () => {
  /** Statuses of so many requests one after the other, and the fields of the last. */
  const spend = async (times: number, headers: Fields) => {
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let index = 0; index < times; index++) {
      last = await ask("/planned", headers);
      statuses.push(last.status);
    }
    return {
      passed: statuses.filter((status) => status === 200).length,
      policy: last!.headers.get("ratelimit-policy"),
      left: last!.headers.get("ratelimit"),
    };
  };

  it("bounds each caller by its own numbers", async () => {
    const token = await bearer();
    const other = { "x-forwarded-for": "192.0.2.7" };
    expect(await spend(8, { "x-api-key": KEYS.acme })).toMatchObject({
      passed: 6,
      policy: '"plan";q=6;w=3600',
    });
    expect(await spend(5, { authorization: token })).toMatchObject({
      passed: 3,
      policy: '"plan";q=3;w=3600',
    });
    expect(await spend(4, other)).toMatchObject({ passed: 2, policy: '"plan";q=2;w=3600' });
    expect(await spend(2, { "x-api-key": KEYS.small })).toMatchObject({
      passed: 2,
      left: expect.stringMatching(/^"plan";r=1;t=/),
    });
    // The second key of a consumer is no second allowance.
    expect(await spend(1, { "x-api-key": KEYS.acmeNext })).toMatchObject({ passed: 0 });
  });
});

it("no key was ever written down", () => {
  for (const one of Object.values(KEYS)) expect(gateway.output()).not.toContain(one);
});
