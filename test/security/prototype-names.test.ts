import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { problemOf } from "../e2e/wire.ts";
import { compact, type Ground, hs256, now, serveText, startGround, statusOf, upstream } from "./support.ts";

// S25: names that mean something to JavaScript mean nothing to the gateway.

const SECRET = "a secret of thirty-two bytes and more";
const VARS = { SIGNING_SECRET: SECRET };
const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "valueOf",
  "__defineGetter__",
  "then",
];

const policies = (shop: string, more = ""): string => `
gateway:
  name: names
  hosts: { public: api.example.com, tenants: "{tenant}.shop.example.com" }
  clientIp: connection
  policies: { accessLog: { fields: [query] } }
issuers:
  main: { issuer: names, audiences: [names], algorithms: [HS256], secret: { env: SIGNING_SECRET }, claims: { roles: strings } }
consumers:
  acme: { attributes: { tenant: acme }, keys: [{ id: k1, sha256: "${"0a".repeat(32)}" }] }
upstreams: { shop: ${upstream(shop)} }
apis:
  open:
    public: true
    upstream: shop
    policies: { query: { remove: [gone] }, headers: { request: { set: { x-name: "{params.name}" } } } }
    routes:
      named: { match: { path: "/named/{name}" } }
      matched: { match: { path: /matched, query: { q: "1" }, headers: { x-q: "1" } }, policies: { headers: none } }
      limited:
        match: { path: "/limited/{name}" }
        policies: { rateLimit: { limits: [{ name: one, rate: 2/1h, key: { header: x-caller } }] } }
      body: { match: { path: "/body/{name}", methods: [POST] }, policies: { body: { request: { edits: [{ op: add, path: /added, value: 1 }] } } } }
  guarded:
    upstream: shop
    policies: { jwt: {}, authorize: { allow: "'admin' in claims.roles" } }
    routes: { admin: { match: { pathPrefix: /admin } } }
  keyed: { upstream: shop, policies: { apiKey: { from: { header: x-api-key } } }, routes: { all: { match: { pathPrefix: /keyed } } } }
${more}`;

let ground: Ground<"shop">;
beforeAll(async () => {
  ground = await startGround(["shop"], ({ shop }) => policies(shop), VARS);
});
afterAll(() => ground.stop());

const bearer = (claims: string, header = '{"alg":"HS256"}'): string =>
  `Authorization: Bearer ${compact(header, claims, hs256(SECRET))}`;
const claimsWith = (more: string): string =>
  `{"iss":"names","aud":"names","sub":"a","exp":${now() + 600}${more}}`;

const outcome = async (line: string, fields: readonly string[] = [], body = ""): Promise<string> => {
  const { answer, heard } = await ground.request(line, fields, body);
  expect(heard).toHaveLength(answer.status === 200 ? 1 : 0);
  return statusOf(answer);
};

describe("the controls", () => {
  it("are served", async () => {
    expect(await outcome("GET /named/x")).toBe("200");
    expect(await outcome("GET /matched?q=1", ["X-Q: 1"])).toBe("200");
    expect(await outcome("POST /body/x", ["Content-Type: application/json"], '{"a":1}')).toBe("200");
    expect(await outcome("GET /admin", [bearer(claimsWith(',"roles":["admin"]'))])).toBe("200");
  });
});

describe.each(NAMES)("a request with %s", (name) => {
  it("as a path, a host or a query that no route has is answered like any other", async () => {
    expect(await outcome(`GET /${name}`)).toBe("404 no-route");
    expect(await outcome(`GET /named/x/${name}`)).toBe("404 no-route");
    const host = await ground.send(`GET /named/x HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`);
    expect([statusOf(host.answer), host.heard]).toEqual(["404 no-route", []]);
    expect(await outcome(`GET /matched?${name}=1`, [`${name.replaceAll("_", "-")}: 1`])).toBe("404 no-route");
    expect(await outcome(`${name} /named/x`)).toMatch(/^(?:400|405|501)/);
  });

  it("as a parameter, a query or a field is data", async () => {
    expect(await outcome(`GET /named/${name}?${name}=1&gone=1&${name}[x]=2`, [`${name}: evil`])).toBe("200");
    const { url, fields } = ground.origins.shop.last();
    expect(url).toBe(`/named/${name}?${name}=1&${name}[x]=2`);
    expect(fields.filter(([key]) => key === "x-name")).toEqual([["x-name", name]]);
  });

  it("as a key of a limit has a bucket of its own", async () => {
    const field = [`X-Caller: ${name}`];
    expect(await outcome("GET /limited/x", field)).toBe("200");
    expect(await outcome("GET /limited/x", field)).toBe("200");
    expect(await outcome("GET /limited/x", field)).toBe("429 rate-limited");
  });

  it("in a body is a member like any other, and pollutes nothing", async () => {
    let body = "";
    ground.origins.shop.on(`/body/${name}`, (request, response) => {
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.once("end", () => response.end());
    });
    const sent = `{"${name}":{"polluted":1,"prototype":{"polluted":1}},"a":{"${name}":[1]}}`;
    expect(await outcome(`POST /body/${name}`, ["Content-Type: application/json"], sent)).toBe("200");
    expect(body).toBe(`${sent.slice(0, -1)},"added":1}`);
    const next = await ground.request("GET /nothing");
    expect(Object.keys(problemOf(next.answer)).sort()).not.toContain("polluted");
  });

  it("in a token gives no role and finds no key", async () => {
    for (const more of [
      `,"${name}":{"roles":["admin"]}`,
      `,"${name}":["admin"]`,
      `,"roles":{"${name}":["admin"]}`,
      `,"roles":["${name}"]`,
      `,"roles":"${name}"`,
    ])
      expect(await outcome("GET /admin", [bearer(claimsWith(more))])).toMatch(
        /^(?:401 |403 not-allowed|403 )/,
      );
    const good = claimsWith(',"roles":["admin"]');
    for (const header of [
      `{"alg":"${name}"}`,
      `{"alg":"HS256","crit":["${name}"]}`,
      `{"${name}":{"alg":"HS256"}}`,
    ])
      expect(await outcome("GET /admin", [bearer(good, header)])).toMatch(/^401 /);
    expect(await outcome("GET /admin", [bearer(good.replace('"iss":"names"', `"iss":"${name}"`))])).toMatch(
      /^401 /,
    );
  });

  it("as an API key is nobody's", async () => {
    expect(await outcome("GET /keyed", [`X-Api-Key: ${name}`])).toMatch(/^401 /);
  });
});

describe("in the files of policies", () => {
  it.each<[string, (name: string) => string]>([
    [
      "a route",
      (name) =>
        `  other: { public: true, upstream: shop, routes: { "${name}": { match: { path: /other } } } }\n`,
    ],
    [
      "an api",
      (name) => `  "${name}": { public: true, upstream: shop, routes: { a: { match: { path: /other } } } }\n`,
    ],
    [
      "a header",
      (name) =>
        `  other: { public: true, upstream: shop, routes: { a: { match: { path: /other }, policies: { headers: { request: { set: { "${name}": x } } } } } } }\n`,
    ],
    [
      "a query",
      (name) =>
        `  other: { public: true, upstream: shop, routes: { a: { match: { path: /other, query: { "${name}": "1" } } } } }\n`,
    ],
    [
      "a merge key",
      (name) =>
        `  other: { <<: { "${name}": { public: true } }, public: true, upstream: shop, routes: { a: { match: { path: /other } } } }\n`,
    ],
    [
      "an anchor's map",
      (name) =>
        `  other: { public: true, upstream: shop, routes: { a: { match: &m { path: /other, "${name}": 1 } }, b: { match: *m } } }\n`,
    ],
  ])("the name of %s cannot be one that JavaScript gives to all objects", async (_, more) => {
    for (const name of ["__proto__", "constructor", "prototype"])
      await expect(serveText(policies(ground.origins.shop.url, more(name)), VARS)).rejects.toThrow(name);
  });

  it("hasOwnProperty is a name of a route like any other", async () => {
    const more =
      "  other: { public: true, upstream: shop, routes: { hasOwnProperty: { match: { path: /other } } } }\n";
    const served = await serveText(policies(ground.origins.shop.url, more), VARS);
    await served.stop();
  });

  it("anchors and merge keys work (the control)", async () => {
    const more =
      "  other: { <<: &base { public: true, upstream: shop }, routes: { a: { match: { path: /other } } } }\n";
    const served = await serveText(policies(ground.origins.shop.url, more), VARS);
    await served.stop();
  });
});
