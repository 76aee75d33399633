import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RawStage, startRawStage } from "../e2e/stage.ts";
import { dial, parseAnswer, requestText } from "../e2e/wire.ts";
import type { Served } from "../support/served.ts";
import { serveText, upstream } from "./support.ts";

// S24: a field of 64 KB costs hardly more to read than it costs to receive, whatever stands in it.

const KIB_64 = 64 * 1024;
const VARS = {
  SIGNING_SECRET: "a secret of thirty-two bytes and more",
  HOOK_SECRET: "another secret of thirty-two bytes and more",
};

/** A route for each reader of fields; `regexes` stands behind the matches of the last. */
const policies = (shop: string): string => `
gateway:
  name: reading
  hosts: { public: api.example.com }
  clientIp: { forwardedFor: { trustedHops: 1 } }
  policies:
    requestId: { trust: true }
    accessLog: { fields: [query, origin, referer, contentType] }
    cors: { origins: ["https://*.example.com"], credentials: true }
issuers:
  main: { issuer: reading, audiences: [reading], algorithms: [HS256], secret: { env: SIGNING_SECRET } }
consumers:
  acme: { keys: [{ id: k1, sha256: "${"0a".repeat(32)}" }] }
upstreams: { shop: ${upstream(shop)} }
apis:
  open:
    public: true
    upstream: shop
    websocket: true
    policies:
      csrf: {}
      bodyLimit: { max: 1KiB, contentTypes: [application/json] }
      ipAccess: { deny: [192.0.2.0/24] }
      cache: { ttl: 5m, clientDirectives: true, key: { cookies: [a] } }
      query: { remove: [x] }
    routes: { all: { match: { pathPrefix: /open } } }
  token: { upstream: shop, policies: { jwt: { from: { cookie: session } } }, routes: { all: { match: { pathPrefix: /cookie } } } }
  bearer: { upstream: shop, policies: { jwt: {} }, routes: { all: { match: { pathPrefix: /bearer } } } }
  key: { upstream: shop, policies: { apiKey: { from: { header: x-api-key } } }, routes: { all: { match: { pathPrefix: /key } } } }
  signed: { upstream: shop, policies: { hmac: { scheme: stripe, secrets: [{ env: HOOK_SECRET }] } }, routes: { all: { match: { pathPrefix: /stripe } } } }
  patterns:
    public: true
    upstream: shop
    routes:
      header: { match: { path: /pattern, headers: { x-version: { regex: "(a+)+b" } } } }
      query: { match: { path: /pattern, query: { q: { regex: "(a|aa)*(b|a)*c" } } } }
      path: { match: { pathRegex: "/p/((a*)*|(a|a?)+)*b" } }
`;

let gateway: Served;
let shop: RawStage;
beforeAll(async () => {
  // Node's own server refuses headers of this size.
  shop = await startRawStage((socket) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
        text = text.slice(end + 4);
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nCache-Control: max-age=300\r\nETag: "a"\r\n\r\n',
        );
      }
    });
  });
  gateway = await serveText(policies(shop.url), VARS);
});
afterAll(async () => {
  await gateway.stop();
  await shop.stop();
});

/** Milliseconds until the answer is there, over a connection that was open before. */
const timeOf = async (line: string, fields: readonly string[]): Promise<{ ms: number; status: number }> => {
  const wire = await dial(gateway.port);
  const address = fields.some((field) => field.startsWith("X-Forwarded-For"))
    ? []
    : ["X-Forwarded-For: 198.51.100.1"];
  const text = requestText(line, [...address, ...fields]);
  const begun = performance.now();
  wire.send(text);
  let status: number | undefined;
  await new Promise<void>((resolve) => {
    const look = (): void => {
      status ??= parseAnswer(wire.bytes(), line.split(" ")[0]!, false)?.status;
      if (status !== undefined || wire.closed()) resolve();
    };
    wire.socket.on("data", look).once("close", look);
  });
  const ms = performance.now() - begun;
  wire.socket.destroy();
  return { ms, status: status ?? 0 };
};

const ROUNDS = 5;

const statusOf = async (line: string, fields: readonly string[] = []): Promise<number> =>
  (await timeOf(line, fields)).status;
/** The shortest of several times: neighbours on the machine can only make one longer. */
const shortest = async (line: string, fields: readonly string[]): Promise<number> => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const { ms, status } = await timeOf(line, fields);
    // Read, and answered by somebody: a field that the platform refused would prove nothing.
    expect(status).toBeGreaterThanOrEqual(101);
    expect(status).not.toBe(431);
    best = Math.min(best, ms);
  }
  return best;
};

/** Work that grows with the square of 64 KiB takes seconds; a fixed factor of the harmless request does not. */
const expectCheap = async (line: string, fields: readonly string[], size: number): Promise<void> => {
  const nothing = [`X-Nothing: ${"a".repeat(size)}`];
  // The control comes as far as the upstream, so every policy on the way has read its own fields.
  if (line.startsWith("GET /open")) expect(await statusOf(line, nothing)).toBe(200);
  const harmless = await shortest(line, nothing);
  const hostile = await shortest(line, fields);
  expect(hostile).toBeLessThan(5 + 3 * harmless);
};

/** Values that make bad readers go over them again and again. */
const SHAPES: readonly (readonly [name: string, unit: string])[] = [
  ["commas", ","],
  ["blanks after commas", ", "],
  ["semicolons", ";a=b"],
  ["open quotes", 'a="\\'],
  ["blanks", "a               "],
  ["labels", "a-a."],
  ["digits", "0"],
  ["parameters", ";q=0.1,*"],
  ["escapes", "%41"],
];

const FIELDS: [name: string, line: string, others?: readonly string[], prefix?: string][] = [
  ["Origin", "GET /open/x", [], "https://"],
  [
    "Access-Control-Request-Headers",
    "OPTIONS /open/x",
    ["Origin: https://a.example.com", "Access-Control-Request-Method: GET"],
  ],
  ["Access-Control-Request-Method", "OPTIONS /open/x", ["Origin: https://a.example.com"]],
  ["Cookie", "GET /cookie/x"],
  ["Cookie", "GET /open/x"],
  ["Authorization", "GET /bearer/x", [], "Bearer "],
  ["X-Api-Key", "GET /key/x"],
  ["Stripe-Signature", "GET /stripe/x"],
  ["If-None-Match", "GET /open/x"],
  ["If-Modified-Since", "GET /open/x"],
  ["Range", "GET /open/x", [], "bytes="],
  ["Cache-Control", "GET /open/x"],
  ["Pragma", "GET /open/x"],
  ["X-Forwarded-For", "GET /open/x"],
  ["Forwarded", "GET /open/x"],
  ["Via", "GET /open/x"],
  ["CDN-Loop", "GET /open/x"],
  ["Connection", "GET /open/x"],
  ["traceparent", "GET /open/x"],
  ["tracestate", "GET /open/x"],
  ["X-Request-Id", "GET /open/x"],
  ["User-Agent", "GET /open/x"],
  ["Referer", "GET /open/x"],
  ["Content-Type", "POST /open/x", ["Content-Length: 0"]],
  ["Sec-WebSocket-Protocol", "GET /open/x", ["Sec-WebSocket-Version: 13"]],
  ["TE", "GET /open/x", ["Content-Type: application/json"]],
  ["Accept-Encoding", "GET /open/x"],
  ["Accept-Language", "GET /open/x"],
];

describe("a field of 64 KiB costs no more than one that nobody reads:", () => {
  it.each(FIELDS)("%s of %s", async (name, line, others = [], prefix = "") => {
    for (const [, unit] of SHAPES) {
      const value = prefix + unit.repeat(Math.ceil(KIB_64 / unit.length)).slice(0, KIB_64 - prefix.length);
      await expectCheap(line, [...others, `${name}: ${value}`], KIB_64);
    }
  });
});

describe("regular expressions of users", () => {
  it("take linear time, also where JavaScript's would take forever", async () => {
    const many = "a".repeat(30_000);
    await expectCheap("GET /pattern", [`X-Version: ${many}`], 30_000);
    await expectCheap(`GET /pattern?q=${many}`, [], 30_000);
    await expectCheap(`GET /p/${many}`, [], 30_000);
  });

  it("match what they say (the control)", async () => {
    expect(await statusOf("GET /pattern", ["X-Version: aab"])).toBe(200);
    expect(await statusOf("GET /pattern?q=aac")).toBe(200);
    expect(await statusOf("GET /p/aab")).toBe(200);
    expect(await statusOf("GET /p/aa")).toBe(404);
  });

  it.each([
    ["a back reference", "/(a+)/\\\\1"],
    ["a look ahead", "/(?=a)a"],
    ["a look behind", "/(?<=/)a"],
    ["too many states", "/(a{1,1000}){1,1000}"],
    ["too much text", `/${"(a|b)?".repeat(20_000)}`],
  ])("with %s are refused when the policies are read", async (_, regex) => {
    const text = policies(shop.url).replace("/p/((a*)*|(a|a?)+)*b", regex);
    await expect(serveText(text, VARS)).rejects.toThrow(/pathRegex|regex/i);
  });
});

it("after all that the gateway serves", async () => {
  expect(await statusOf("GET /open/x")).toBe(200);
});
