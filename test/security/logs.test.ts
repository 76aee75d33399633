import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../e2e/until.ts";
import { ask, fieldOf, fieldsOf, requestText } from "../e2e/wire.ts";
import { compact, type Ground, hs256, now, startGround, upstream } from "./support.ts";

// S33: nothing that a client sends breaks a line of the log, a header or an error, and no credential is in any of them.

const SECRET = "a secret of thirty-two bytes and more";
const KEY = "pst_a-key-of-a-consumer-that-nobody-may-see-in-a-log";
const CONTROL = "control-token-of-these-tests";
let ground: Ground<"shop">;

beforeAll(async () => {
  ground = await startGround(
    ["shop"],
    ({ shop }) => `
gateway:
  name: logs
  hosts: { public: api.example.com }
  clientIp: connection
  control: { token: { env: CONTROL_TOKEN } }
  policies:
    requestId: { trust: true }
    accessLog: { fields: [query, identityId, issuer, consumer, origin, referer, contentType] }
issuers:
  main: { issuer: logs, audiences: [logs], algorithms: [HS256], secret: { env: SIGNING_SECRET }, claims: { role: string } }
consumers: { acme: { keys: [{ id: k1, sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] } }
upstreams:
  shop: ${upstream(shop)}
  away: { targets: { only: { url: "http://127.0.0.1:1", network: private } }, timeout: 1s }
apis:
  open:
    public: true
    upstream: shop
    routes:
      all: { match: { pathPrefix: /open } }
      named: { match: { path: "/named/{name}" }, policies: { headers: { request: { set: { x-name: "{params.name}" } }, response: { set: { x-name: "{params.name}" } } } } }
      moved: { match: { path: "/moved/{name}" }, redirect: { status: 308, path: "/open/{params.name}" } }
      away: { match: { pathPrefix: /away }, upstream: away }
  token: { upstream: shop, policies: { jwt: { forward: { x-role: role } } }, routes: { all: { match: { pathPrefix: /token } } } }
  cookie: { upstream: shop, policies: { jwt: { from: { cookie: session } } }, routes: { all: { match: { pathPrefix: /cookie } } } }
  keyed: { upstream: shop, policies: { apiKey: { from: { header: x-api-key } } }, routes: { all: { match: { pathPrefix: /keyed } } } }
`,
    { SIGNING_SECRET: SECRET, CONTROL_TOKEN: CONTROL },
  );
});
afterAll(() => ground.stop());

let marks = 0;
/** Asks, and answers the lines that the log got by then: those of this request, and of a last one that shows they are all there. */
const logOf = async (line: string, fields: readonly string[] = []) => {
  const before = ground.gateway.output().length;
  const { answer, heard } = await ground.request(line, fields);
  const seen = heard.length > 0 ? ground.origins.shop.last() : { url: "", fields: [] };
  const mark = `/open/mark-${++marks}`;
  await ground.request(`GET ${mark}`);
  await until("the log", () => ground.gateway.output().includes(mark));
  const text = ground.gateway.output().slice(before);
  return { answer, seen, text, lines: text.split("\n").filter((it) => it !== "" && !it.includes(mark)) };
};

const token = (claims: object): string =>
  compact(
    { alg: "HS256" },
    { iss: "logs", aud: "logs", sub: "alice", exp: now() + 600, ...claims },
    hs256(SECRET),
  );

/** Octets that have broken lines and terminals, as they stand on the wire. */
const EVIL: readonly (readonly [name: string, text: string, escaped: string])[] = [
  ["CR and LF", "\r\n", "%0d%0a"],
  ["LF", "\n", "%0a"],
  ["CR", "\r", "%0d"],
  ["NUL", "\0", "%00"],
  ["ESC", "\x1b", "%1b"],
  ["DEL", "\x7f", "%7f"],
  ["a C1 control", "\x9b", "%c2%9b"],
  ["a line separator", "\xe2\x80\xa8", "%e2%80%a8"],
  ["quotes", '","x":"', "%22,%22x%22:%22"],
];
const FORGED = '{"forged":true}';

const expectOneRecord = (lines: readonly string[], text: string): void => {
  const records = lines.map((it) => JSON.parse(it) as Record<string, unknown>);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({ host: "api.example.com" });
  expect(records[0]).not.toHaveProperty("forged");
  expect(records[0]).not.toHaveProperty("x");
  expect(text).not.toMatch(/[^\n\x20-\x7e\xa0-\u2027\u2030-\uffff]/);
};

describe.each(EVIL)("%s", (_, raw, escaped) => {
  it.each<[string, (evil: string) => string]>([
    ["the path", (evil) => `GET /open/a${evil}${encodeURIComponent(FORGED)}`],
    ["the query", (evil) => `GET /open/a?q=${evil}${encodeURIComponent(FORGED)}`],
    ["a parameter", (evil) => `GET /named/a${evil}X-Forged:%20yes`],
    ["a redirect", (evil) => `GET /moved/a${evil}X-Forged:%20yes`],
  ])("in %s, escaped, makes one line and one field", async (where, line) => {
    const { answer, seen, lines, text } = await logOf(line(escaped));
    expectOneRecord(lines, text);
    expect(fieldOf(answer, "x-forged")).toBe(undefined);
    expect(fieldOf(seen, "x-forged")).toBe(undefined);
    if (where === "a redirect" && answer.status === 308)
      expect(fieldOf(answer, "location")).not.toMatch(/[^!-~]/);
  });

  it.each([
    ["User-Agent", "GET /open/a"],
    ["Origin", "GET /open/a"],
    ["Referer", "GET /open/a"],
    ["Content-Type", "GET /open/a"],
    ["X-Request-Id", "GET /open/a"],
    ["traceparent", "GET /open/a"],
  ])("in %s, as it is, makes one line or is refused", async (name, line) => {
    const { answer, lines, text } = await logOf(line, [`${name}: a${raw}${FORGED}`]);
    // What the platform refuses itself no gateway has seen.
    if (lines.length === 0) expect([400, 500]).toContain(answer.status);
    else expectOneRecord(lines, text);
    expect(answer.fields.map(([field]) => field)).not.toContain(FORGED);
    expect(fieldOf(answer, "x-request-id") ?? "00000000-0000-4000-8000-000000000000").toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });

  it("in a claim makes one line and one field", async () => {
    const text = Buffer.from(raw, "latin1").toString("utf8");
    const evil = `admin${text}X-Forged: yes`;
    const {
      answer,
      seen,
      lines,
      text: log,
    } = await logOf("GET /token/a", [
      `Authorization: Bearer ${token({ role: evil, sub: `alice${text}${FORGED}` })}`,
    ]);
    expect(answer.status).toBe(200);
    expectOneRecord(lines, log);
    expect([fieldsOf(seen, "x-forged"), fieldsOf(seen, "x-role").length]).toEqual([[], 1]);
    expect(fieldOf(seen, "x-role")).toMatch(/^[\x20-\x7e]*$/);
  });

  it("in a request line, as it is, makes no second request", async () => {
    const before = ground.origins.shop.asked.length;
    const wire = await ask(
      ground.gateway.port,
      `GET /open/a${raw}X-Forged: yes HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n`,
    ).catch(() => undefined);
    const heard = ground.origins.shop.asked.slice(before);
    if (wire?.status === 200) expect(fieldOf(ground.origins.shop.last(), "x-forged")).toBe(undefined);
    expect(heard.length).toBeLessThan(2);
  });
});

describe("a request id of the client's", () => {
  const ID = "3f0a1c52-5d1e-4a43-9d4f-1f2b7a0c9e11";
  it("is taken over where it is a UUID (the control)", async () => {
    const { answer, lines } = await logOf("GET /open/a", [`X-Request-Id: ${ID}`]);
    expect([fieldOf(answer, "x-request-id"), JSON.parse(lines[0]!).requestId]).toEqual([ID, ID]);
  });

  it.each([
    ...[
      "x",
      `${ID}x`,
      ` ${ID.slice(1)}`,
      `{${ID}}`,
      ID.replaceAll("-", ""),
      `${ID}, ${ID}`,
      ID.replace("3", "g"),
      `urn:uuid:${ID}`,
      "../../x",
      "<script>",
      "a".repeat(10_000),
      "",
    ],
  ])("is replaced where it is none: %j", async (id) => {
    const { answer, lines } = await logOf("GET /open/a", [`X-Request-Id: ${id}`]);
    const given = fieldOf(answer, "x-request-id");
    expect(given).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([given === id, JSON.parse(lines[0]!).requestId]).toEqual([false, given]);
  });
});

describe("credentials", () => {
  const words = (): Readonly<Record<string, string>> => {
    const good = token({ role: "reader" });
    return { good, bad: `${good.slice(0, -6)}AAAAAA`, none: "no-token-but-a-secret-all-the-same" };
  };

  it("are in no line of the log, no error and no metric, whether they are good or not", async () => {
    const secrets: string[] = [
      SECRET,
      KEY,
      CONTROL,
      "the-session-of-a-visitor",
      "basic-word",
      "query-credential",
    ];
    const asks: [string, string[]][] = [];
    for (const word of Object.values(words())) {
      // The signature of a token is what may not be seen; its end is enough to look for.
      secrets.push(word.slice(-30));
      for (const path of ["/open/x", "/token/x", "/away/x", "/nothing", "/open/%2f"])
        asks.push([`GET ${path}`, [`Authorization: Bearer ${word}`]]);
      asks.push(["GET /cookie/x", [`Cookie: session=${word}; other=the-session-of-a-visitor`]]);
      asks.push([
        `GET /open/x?access_token=${word}&token=${word}&api_key=query-credential&password=query-credential`,
        [],
      ]);
      asks.push([`GET /token/x?access_token=${word}`, [`Referer: https://shop.example.com/?token=${word}`]]);
    }
    for (const key of [KEY, `${KEY}x`]) asks.push(["GET /keyed/x", [`X-Api-Key: ${key}`]]);
    asks.push([
      "GET /token/x",
      [`Authorization: Basic ${Buffer.from("user:basic-word").toString("base64")}`],
    ]);
    secrets.push(Buffer.from("user:basic-word").toString("base64"));
    asks.push(["GET /__postern/plan", [`Authorization: Bearer ${CONTROL}x`]]);

    const statuses = new Set<number>();
    for (const [line, fields] of asks) {
      const { answer, text } = await logOf(line, fields);
      statuses.add(answer.status);
      const shown = text + answer.body.toString() + JSON.stringify(answer.fields);
      for (const secret of secrets) expect(shown).not.toContain(secret);
    }
    for (const status of [200, 401, 404, 400, 502]) expect([...statuses]).toContain(status);
    const inside = [`Authorization: Bearer ${CONTROL}`];
    for (const path of ["/__postern/metrics", "/__postern/plan"]) {
      const { answer } = await ground.request(`GET ${path}`, inside);
      expect(answer.status).toBe(200);
      for (const secret of secrets) expect(answer.body.toString()).not.toContain(secret);
    }
  });

  it("are none of the upstream's business either: it sees whose they were (the control)", async () => {
    const { answer, seen, lines } = await logOf("GET /token/x", [
      `Authorization: Bearer ${token({ role: "reader" })}`,
    ]);
    expect(answer.status).toBe(200);
    expect([fieldOf(seen, "authorization"), fieldOf(seen, "x-role")]).toEqual([undefined, "reader"]);
    expect(JSON.parse(lines[0]!)).toMatchObject({ issuer: "main", identity: "jwt", status: 200 });
  });

  it("an error of the gateway quotes nothing that came", async () => {
    const mark = "quoted-by-nobody";
    for (const [line, fields] of [
      [`GET /nothing/${mark}?${mark}`, [`X-${mark}: ${mark}`, `Cookie: ${mark}`]],
      [`GET /open/%2f${mark}`, []],
      ["GET /token/x", [`Authorization: Bearer ${mark}`]],
      ["GET /keyed/x", [`X-Api-Key: ${mark}`]],
      [`GET /away/${mark}`, []],
    ] as const) {
      const { answer } = await ground.send(requestText(line, [...fields, "Connection: close"]));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.body.toString() + JSON.stringify(answer.fields)).not.toContain(mark);
    }
  });
});
