import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fieldOf, fieldsOf, type RawAnswer } from "../e2e/wire.ts";
import { type Ground, serveText, startGround, upstream } from "./support.ts";

// S23: which pages may read an answer, as the production bundle says it to browsers.

const gatewayOf = (cors: string, shop: string): string => `
gateway:
  name: pages
  hosts: { public: api.example.com }
  clientIp: connection
  policies: { cors: ${cors} }
issuers:
  main: { issuer: pages, audiences: [pages], algorithms: [HS256], secret: { env: SIGNING_SECRET } }
upstreams:
  shop: ${upstream(shop)}
  away: { targets: { only: { url: "http://127.0.0.1:1", network: private } }, timeout: 1s }
apis:
  open:
    public: true
    upstream: shop
    routes:
      all: { match: { pathPrefix: /open } }
      stored: { match: { pathPrefix: /stored }, policies: { cache: { ttl: 5m } } }
      away: { match: { path: /away }, upstream: away }
      limited: { match: { path: /limited }, policies: { rateLimit: { limits: [{ name: one, rate: 1/1h, key: ip }] } } }
      small: { match: { path: /small, methods: [POST] }, policies: { bodyLimit: { max: 1B } } }
  guarded: { upstream: shop, policies: { jwt: {} }, routes: { all: { match: { pathPrefix: /guarded } } } }
`;
const LISTED = '{ origins: [https://example.com, "https://*.shop.example.com"], credentials: true }';
const VARS = { SIGNING_SECRET: "a secret of thirty-two bytes and more" };

let ground: Ground<"shop">;
beforeAll(async () => {
  ground = await startGround(["shop"], ({ shop }) => gatewayOf(LISTED, shop), VARS);
});
afterAll(() => ground.stop());

const ask = async (line: string, fields: readonly string[] = []): Promise<RawAnswer> =>
  (await ground.request(line, fields)).answer;

const corsFields = ({ fields }: RawAnswer): readonly string[] =>
  fields.map(([name]) => name).filter((name) => name.startsWith("access-control-"));

const PREFLIGHT = ["Access-Control-Request-Method: GET"];

describe("an origin that is listed", () => {
  it.each(["https://example.com", "https://a.shop.example.com", "https://a.b.shop.example.com"])(
    "may read: %s (the control)",
    async (origin) => {
      for (const [line, fields] of [
        ["GET /open/x", []],
        ["OPTIONS /open/x", PREFLIGHT],
      ] as const) {
        const answer = await ask(line, [`Origin: ${origin}`, ...fields]);
        expect(fieldsOf(answer, "access-control-allow-origin")).toEqual([origin]);
        expect(fieldsOf(answer, "access-control-allow-credentials")).toEqual(["true"]);
      }
    },
  );
});

describe("an origin that only looks like it may read nothing:", () => {
  it.each([
    ...[
      "null",
      "https://evil-example.com",
      "https://example.com.evil",
      "HTTPS://EXAMPLE.COM",
      "https://EXAMPLE.com",
    ],
    ...["https://example.com:443", "https://example.com:8443", "http://example.com", "https://example.com."],
    ...[
      "https://xexample.com",
      "https://example.co",
      "https://example.comx",
      "https://example.com/",
      "https://example.com@evil.example",
    ],
    ...[
      "https://example.com, https://evil.example",
      "https://evil.example https://example.com",
      "*",
      "",
      "example.com",
    ],
    ...[
      "https://shop.example.com",
      "https://.shop.example.com",
      "https://evilshop.example.com",
      "https://a-shop.example.com",
    ],
    ...[
      "https://a.shop.example.com.evil",
      "https://evil.example/.shop.example.com",
      "https://evil.example?.shop.example.com",
    ],
    ...[
      "https://evil.example#.shop.example.com",
      "https://evil.example\\.shop.example.com",
      "https://a@evil.shop.example.com:1",
    ],
    ...[
      "https://aXshop.example.com",
      "http://a.shop.example.com",
      "https://a.shop.example.com:8443",
      "https://a_%0d.shop.example.com",
    ],
  ])("%j", async (origin) => {
    for (const [line, fields] of [
      ["GET /open/x", []],
      ["OPTIONS /open/x", PREFLIGHT],
    ] as const) {
      const answer = await ask(line, [`Origin: ${origin}`, ...fields]);
      expect(corsFields(answer)).toEqual([]);
      expect(fieldOf(answer, "vary")?.toLowerCase()).toContain("origin");
    }
  });

  it("two of them", async () => {
    for (const origins of [
      ["https://example.com", "https://evil.example"],
      ["https://evil.example", "https://example.com"],
    ])
      expect(
        corsFields(
          await ask(
            "GET /open/x",
            origins.map((it) => `Origin: ${it}`),
          ),
        ),
      ).toEqual([]);
  });
});

describe("Vary: Origin is on every variant:", () => {
  const ORIGINS = [[], ["Origin: https://example.com"], ["Origin: https://evil.example"]];

  it.each<[string, number, string, string?]>([
    ["an answer", 200, "GET /open/x"],
    ["a preflight", 204, "OPTIONS /open/x"],
    ["no route", 404, "GET /nothing"],
    ["another method", 405, "GET /small"],
    ["a path that is refused", 400, "GET /open/%2f"],
    ["no token", 401, "GET /guarded/x"],
    ["a body that is too large", 413, "POST /small", "too large"],
    ["an upstream that is away", 502, "GET /away"],
  ])("%s, %i", async (_, status, line, body) => {
    for (const origin of ORIGINS) {
      const preflight = line.startsWith("OPTIONS") && origin.length > 0 ? PREFLIGHT : [];
      const { answer } = await ground.request(line, [...origin, ...preflight], body);
      if (!line.startsWith("OPTIONS") || origin[0]?.includes("//example") === true)
        expect(answer.status).toBe(status);
      expect(fieldOf(answer, "vary")?.toLowerCase().split(", ")).toContain("origin");
      const readable = origin[0]?.includes("//example") === true;
      expect(corsFields(answer).length > 0).toBe(readable);
    }
  });

  it("a limit that is used up, 429", async () => {
    await ask("GET /limited");
    const answer = await ask("GET /limited", ["Origin: https://example.com"]);
    expect([answer.status, fieldOf(answer, "access-control-allow-origin")]).toEqual([
      429,
      "https://example.com",
    ]);
    expect(fieldOf(await ask("GET /limited"), "vary")?.toLowerCase()).toContain("origin");
  });

  it("what is stored, whoever had it stored", async () => {
    ground.origins.shop.on("/stored/x", (_request, response) => {
      response.setHeader("cache-control", "max-age=300");
      response.setHeader("access-control-allow-origin", "*");
      response.end("stored");
    });
    for (const [index, origin] of [...ORIGINS, ...ORIGINS].entries()) {
      const { answer, heard } = await ground.request("GET /stored/x", origin);
      expect([answer.status, heard.length]).toEqual([200, index === 0 ? 1 : 0]);
      expect(fieldOf(answer, "vary")?.toLowerCase()).toContain("origin");
      const readable = origin[0]?.includes("//example") === true;
      expect(fieldsOf(answer, "access-control-allow-origin")).toEqual(
        readable ? ["https://example.com"] : [],
      );
    }
  });
});

it("what the upstream itself says to browsers is dropped, and a request's Vary is not echoed (GHSA-q7jf-gf43-6x6p)", async () => {
  ground.origins.shop.on("/open/own", (_request, response) => {
    response.setHeader("access-control-allow-origin", "https://evil.example");
    response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("access-control-expose-headers", "*");
    response.setHeader("access-control-max-age", "86400");
    response.end();
  });
  const vary = "Vary: X-Evil";
  expect(corsFields(await ask("GET /open/own", ["Origin: https://evil.example", vary]))).toEqual([]);
  const allowed = await ask("GET /open/own", ["Origin: https://example.com", vary]);
  expect(fieldsOf(allowed, "access-control-allow-origin")).toEqual(["https://example.com"]);
  expect([...corsFields(allowed)].sort()).toEqual([
    "access-control-allow-credentials",
    "access-control-allow-origin",
  ]);
  const preflight = await ask("OPTIONS /open/own", ["Origin: https://example.com", vary, ...PREFLIGHT]);
  for (const answer of [allowed, preflight]) expect(fieldOf(answer, "vary")).not.toMatch(/evil/i);
});

it("any origin with credentials is refused when the policies are read, and any without is served (the control)", async () => {
  const text = (cors: string): string => gatewayOf(cors, ground.origins.shop.url);
  for (const cors of [
    "{ origins: any, credentials: true }",
    '{ origins: ["*"], credentials: true }',
    '{ origins: ["https://*"], credentials: true }',
  ])
    await expect(serveText(text(cors), VARS)).rejects.toThrow(/cors-any-with-credentials|bad-origin/);
  const open = await serveText(text("{ origins: any }"), VARS);
  await open.stop();
});
