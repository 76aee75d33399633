import type { IncomingMessage, ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requestText } from "../e2e/wire.ts";
import { compact, type Ground, hs256, now, type Outcome, startGround, upstream } from "./support.ts";

// Purges (S22) have a file of their own.
// S20 and S21: what tells requests apart is in the key of what is stored, and what is not in the key changes nothing.

const SECRET = "a secret of thirty-two bytes and more";
let ground: Ground<"shop">;

beforeAll(async () => {
  ground = await startGround(
    ["shop"],
    ({ shop }) => `
gateway:
  name: keys
  hosts: { public: api.example.com, other: other.example.com }
  clientIp: connection
issuers:
  main: { issuer: keys, audiences: [keys], algorithms: [HS256], secret: { env: SIGNING_SECRET } }
upstreams: { shop: ${upstream(shop)} }
apis:
  open:
    public: true
    upstream: shop
    policies: { cache: { ttl: 5m } }
    routes: { all: { match: { pathPrefix: /open } } }
  bytes:
    public: true
    upstream: shop
    policies: { cache: { ttl: 5m } }
    routes:
      all: { match: { pathPrefix: /bytes } }
      field: { match: { path: /bytes/field }, policies: { cache: { inherit: true, key: { headers: [x-choice] } } } }
      cookie: { match: { path: /bytes/cookie }, policies: { cache: { inherit: true, key: { cookies: [choice] } } } }
  users:
    upstream: shop
    policies: { jwt: {}, cache: { ttl: 5m } }
    routes: { all: { match: { pathPrefix: /users } } }
  plain:
    public: true
    upstream: shop
    routes: { all: { match: { pathPrefix: /plain } } }
`,
    { SIGNING_SECRET: SECRET },
  );
});
afterAll(() => ground.stop());

let answers = 0;
/** Answers at a path with a body that no other answer has, and that shows what the origin saw. */
const tell = (path: string, fields: Readonly<Record<string, string>> = {}): void =>
  ground.origins.shop.on(path, (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.once("end", () => {
      const seen = {
        number: ++answers,
        method: request.method,
        url: request.url,
        fields: request.rawHeaders,
      };
      response
        .writeHead(200, { "cache-control": "max-age=300", ...fields })
        .end(JSON.stringify({ ...seen, body }));
    });
  });

interface Ask {
  readonly line: string;
  readonly fields?: readonly string[];
  readonly host?: string;
}

const ask = async ({ line, fields = [], host }: Ask): Promise<Outcome & { number: number }> => {
  const outcome = await ground.send(requestText(line, [...fields, "Connection: close"], "", host));
  const text = outcome.answer.body.toString();
  return { ...outcome, number: outcome.answer.status === 200 && text !== "" ? JSON.parse(text).number : -1 };
};

const bearer = (sub: string): string =>
  `Authorization: Bearer ${compact({ alg: "HS256" }, { iss: "keys", aud: "keys", sub, exp: now() + 600 }, hs256(SECRET))}`;

/** Asks both twice: each must come from the origin once, and from the cache, as its own, after that. */
const expectApart = async (one: Ask, other: Ask): Promise<void> => {
  const first = await ask(one);
  const second = await ask(other);
  expect([first.answer.status, first.heard.length, second.answer.status, second.heard.length]).toEqual([
    200, 1, 200, 1,
  ]);
  for (const [asked, { number }] of [
    [one, first],
    [other, second],
  ] as const) {
    const again = await ask(asked);
    expect([again.heard, again.number]).toEqual([[], number]);
  }
};

describe("S20: of two requests that differ, none gets what is stored for the other:", () => {
  it.each<[string, string, Ask, Ask]>([
    ["path", "/open/a", { line: "GET /open/a" }, { line: "GET /open/a/" }],
    ["case of the path", "/open/case", { line: "GET /open/case" }, { line: "GET /open/CASE" }],
    ["host", "/open/host", { line: "GET /open/host" }, { line: "GET /open/host", host: "other.example.com" }],
    [
      "port",
      "/open/port",
      { line: "GET /open/port" },
      { line: "GET /open/port", host: "api.example.com:81" },
    ],
    ["query", "/open/query", { line: "GET /open/query?a=1" }, { line: "GET /open/query?a=2" }],
    ["no query", "/open/none", { line: "GET /open/none" }, { line: "GET /open/none?a" }],
    [
      "an escaped separator",
      "/open/amp",
      { line: "GET /open/amp?a=1&b=2" },
      { line: "GET /open/amp?a=1%26b=2" },
    ],
    ["order of equal names", "/open/eq", { line: "GET /open/eq?a=1&a=2" }, { line: "GET /open/eq?a=2&a=1" }],
    [
      "caller",
      "/users/me",
      { line: "GET /users/me", fields: [bearer("alice")] },
      { line: "GET /users/me", fields: [bearer("bob")] },
    ],
    [
      "caller whose name holds the separator of keys",
      "/users/n",
      { line: "GET /users/n", fields: [bearer("5:alice")] },
      { line: "GET /users/n", fields: [bearer("alice")] },
    ],
  ])("%s", async (_, path, one, other) => {
    for (const own of [path, `${path}/`, path.replace("case", "CASE")]) tell(own);
    await expectApart(one, other);
  });

  it("Vary", async () => {
    tell("/open/vary", { vary: "X-Lang" });
    const line = "GET /open/vary";
    await expectApart({ line, fields: ["X-Lang: de"] }, { line, fields: ["X-Lang: fr"] });
    expect((await ask({ line })).heard).toHaveLength(1);
  });

  it("method: what GET stored is no answer to POST (APISIX #7096), but to HEAD", async () => {
    tell("/open/method");
    await ask({ line: "GET /open/method" });
    expect((await ask({ line: "GET /open/method" })).heard).toEqual([]);
    const head = await ask({ line: "HEAD /open/method" });
    expect([head.answer.status, head.heard]).toEqual([200, []]);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
      expect((await ask({ line: `${method} /open/method` })).heard).toEqual([`shop ${method} /open/method`]);
  });

  it("and what is the same request in other words is one", async () => {
    tell("/open/same");
    const first = await ask({ line: "GET /open/same?b=2&a=1" });
    for (const [line, host] of [
      ["GET /open/same?a=1&b=2", "api.example.com"],
      ["GET /open/./same?b=2&a=1", "API.example.com"],
      ["GET /open/%73ame?b=2&a=1", "api.example.com:80"],
    ] as const)
      expect(await ask({ line, host })).toMatchObject({ heard: [], number: first.number });
  });

  it("nor does a pair of values that are put together as another pair is: 256 of them", async () => {
    tell("/open/fuzz", { vary: "X-A, X-B" });
    const parts = [
      "a",
      "1:a",
      "a1:",
      "-",
      "1:",
      ":",
      "1:a1:b",
      "v1:a",
      '","',
      "a,b",
      "0:",
      "%3A",
      "1",
      "1vx-b2",
      "2vx-b3",
      "3",
    ];
    const requests = parts.flatMap((a) =>
      parts.map((b): Ask => ({ line: "GET /open/fuzz", fields: [`X-A: ${a}`, `X-B: ${b}`] })),
    );
    const numbers: number[] = [];
    for (const request of requests) numbers.push((await ask(request)).number);
    expect(new Set(numbers).size).toBe(requests.length);
    // Variants may be forgotten, but none is ever handed out for another.
    const origin = (await ask(requests.at(-1)!)).heard;
    expect(origin).toEqual([]);
    for (const [index, request] of requests.entries()) {
      const again = await ask(request);
      if (again.heard.length === 0) expect(again.number).toBe(numbers[index]);
    }
  });

  it("nor does a query that is put together as another query and field are", async () => {
    tell("/open/mixed", { vary: "X-A" });
    const parts = ["a", "1:a", "-", "4:?q=av1:a", "v3:x-a1:a"];
    const numbers = new Set<number>();
    for (const q of parts)
      for (const a of parts)
        numbers.add((await ask({ line: `GET /open/mixed?q=${q}`, fields: [`X-A: ${a}`] })).number);
    expect(numbers.size).toBe(parts.length ** 2);
  });
});

describe("S21: what is not part of the key does not alter what is stored:", () => {
  it.each([
    ["X-Forwarded-Host", "GET", "X-Forwarded-Host: evil.example", ""],
    ["X-Forwarded-Scheme", "GET", "X-Forwarded-Scheme: evil", ""],
    ["X-Forwarded-Proto", "GET", "X-Forwarded-Proto: evil", ""],
    ["X-Original-URL", "GET", "X-Original-URL: /evil", ""],
    ["X-Rewrite-URL", "GET", "X-Rewrite-URL: /evil", ""],
    ["X-HTTP-Method-Override", "GET", "X-HTTP-Method-Override: evil", ""],
    ["an alias with an underscore", "GET", "X_Forwarded_Host: evil.example", ""],
    ["a fat GET with a length", "GET", "Content-Length: 11", "name=evil&x"],
    ["a fat GET in chunks", "GET", "Transfer-Encoding: chunked", "4\r\nevil\r\n0\r\n\r\n"],
    ["a fat HEAD", "HEAD", "Content-Length: 4", "evil"],
  ])("%s", async (name, method, field, body) => {
    const path = `/open/unkeyed-${name.replaceAll(" ", "-")}`;
    tell(path);
    const attack = await ground.send(requestText(`${method} ${path}`, [field, "Connection: close"], body));
    expect(attack.answer.status).toBe(200);
    expect(attack.answer.body.toString()).not.toContain("evil");
    const victim = await ask({ line: `GET ${path}` });
    expect(victim.answer.body.toString()).not.toContain("evil");
    // The control: what is stored is served.
    expect(await ask({ line: `GET ${path}` })).toMatchObject({ heard: [], number: victim.number });
  });

  it("a page of a caller's own is not stored for others by what its path ends with", async () => {
    tell("/users/me/x.css");
    const [alice, bob] = [bearer("alice"), bearer("bob")];
    const line = "GET /users/me/x.css";
    const own = await ask({ line, fields: [alice] });
    expect((await ask({ line, fields: [alice] })).number).toBe(own.number);
    expect((await ask({ line, fields: [bob] })).number).not.toBe(own.number);
    expect((await ask({ line })).answer.status).toBe(401);
  });

  it.each([
    "/users/me;x.css",
    "/users/me%00.css",
    "/users/me%3bx.css",
    "/users/me%2fx.css",
    "/users/me%23x.css",
  ])("GET %s is refused", async (path) => {
    const { answer, heard } = await ask({ line: `GET ${path}`, fields: [bearer("alice")] });
    expect([answer.status, heard]).toEqual([400, []]);
  });

  it.each([
    ["/open/me/x.css", { "cache-control": "private" }],
    ["/open/me/x.js", { "cache-control": "no-store, max-age=60" }],
    ["/open/me/x.png", { "set-cookie": "session=1" }],
    ["/plain/me/x.css", { "cache-control": "public, max-age=60" }],
  ])("%s with %j is asked for each time", async (path, fields) => {
    tell(path, fields);
    for (let time = 0; time < 2; time++) expect((await ask({ line: `GET ${path}` })).heard).toHaveLength(1);
  });
});

describe("bytes that are no text", () => {
  // The runtime gives the same text for all of them.
  it.each([
    ["a field that Vary names", "vary", "X-Choice: "],
    ["a field of the key", "field", "X-Choice: "],
    ["a cookie of the key", "cookie", "Cookie: choice="],
  ])("are told apart in %s", async (_what, name, field) => {
    const path = `/bytes/${name}`;
    tell(path, name === "vary" ? { vary: "x-choice" } : {});
    const numbers = [];
    for (const choice of ["\xe4", "\xf6", "\xe4\xe4", "\xc3\xa4", "\xc3\xb6", "\xc3\xa4"])
      numbers.push((await ask({ line: `GET ${path}`, fields: [field + choice] })).number);
    expect(new Set(numbers.slice(0, 5)).size).toBe(5);
    expect(numbers[5]).toBe(numbers[3]);
  });
});
