import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, dial, fieldOf, fieldsOf, problemOf, requestText } from "./wire.ts";

const CLOSE = "Connection: close";
const JSON_TYPE = "Content-Type: application/json";

let stage: Stage;
let served: Served;

const policies = (): string => `
gateway:
  name: transformations
  hosts: { public: api.example.com, local: 127.0.0.1 }
  clientIp: connection
upstreams:
  stage: { targets: { only: { url: "${stage.url}", network: private } }, timeout: 5s }
apis:
  listed:
    public: true
    upstream: stage
    policies:
      headers: { request: { allow: [x-kept], set: { x-set: "{params.name}" } }, response: { allow: [x-kept] } }
      query: { allow: [page, filter], set: { source: "gateway & co", name: "{params.name}" } }
    routes: { all: { match: { path: "/listed/{name}" } } }
  stored:
    public: true
    upstream: stage
    policies:
      query: { remove: [utm], set: { expand: items } }
      cache: { ttl: 1m, key: { query: [page] } }
      body: { response: { edits: [{ op: remove, path: "/items/*/cost" }] } }
    routes: { all: { match: { pathPrefix: /stored } } }
  body:
    public: true
    upstream: stage
    policies:
      body:
        request:
          maxBody: 64KiB
          edits:
            - { op: add, path: /source, value: web }
            - { op: remove, path: /internal, optional: true }
            - { op: add, path: /order, expression: "params.name" }
        response:
          maxBody: 64KiB
          edits: [{ op: remove, path: /secret, optional: true }]
    routes: { all: { match: { path: "/body/{name}" } } }
  watched:
    public: true
    upstream: stage
    policies:
      bodyLimit: { max: 1KiB }
      body: { request: { edits: [{ op: add, path: /source, value: web }] } }
    routes: { all: { match: { pathPrefix: /watched } } }
  faulty:
    public: true
    upstream: stage
    routes: { slow: { match: { path: /slow } }, broken: { match: { path: /broken } } }
`;

const ENVIRONMENTS = `
environments:
  local:
    development: true
    apis:
      faulty:
        routes:
          slow: { policies: { fault: { delay: 300ms } } }
          broken: { policies: { fault: { abort: 503 } } }
`;

beforeAll(async () => {
  stage = await startStage();
  served = await serve({
    files: { "gateway.yaml": policies(), "environments.yaml": ENVIRONMENTS },
    args: ["--env", "local"],
  });
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await stage.stop();
});

const get = (path: string, fields: readonly string[] = []) =>
  ask(served.port, requestText(`GET ${path}`, [...fields, CLOSE]));

const post = (path: string, body: string, fields: readonly string[] = [JSON_TYPE]) =>
  ask(
    served.port,
    requestText(
      `POST ${path}`,
      [...fields, `Content-Length: ${Buffer.byteLength(body)}`, CLOSE],
      Buffer.from(body).toString("latin1"),
    ),
  );

/** Lets the stage answer a path with a body and its length. */
const answers = (path: string, body: string | Buffer, fields: Record<string, string> = {}, status = 200) =>
  stage.on(path, (request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...fields,
    });
    response.end(body);
  });

/** Lets the stage read a path's request, and answer with what it read. */
const echoes = (path: string): { readonly read: () => Buffer } => {
  let read = Buffer.alloc(0);
  stage.on(path, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      read = Buffer.concat(chunks);
      response.end();
    });
  });
  return { read: () => read };
};

describe("lists of what passes", () => {
  it("let named fields of the request through, and what the gateway itself writes", async () => {
    answers("/listed/a", "{}");
    await get("/listed/a", [
      "X-KEPT: 1",
      "X_Kept: 2",
      "X-Other: 3",
      "Cookie: a=b",
      "Authorization: Bearer x",
      "User-Agent: test",
      "X-Forwarded-For: forged",
    ]);
    const names = stage.last().fields.map(([name]) => name);
    for (const name of ["x-other", "x_kept", "cookie", "authorization", "user-agent"])
      expect(names).not.toContain(name);
    expect(fieldsOf(stage.last(), "x-kept")).toEqual(["1"]);
    expect(fieldOf(stage.last(), "x-set")).toBe("a");
    expect(fieldOf(stage.last(), "via")).toMatch(/postern$/);
    expect(fieldOf(stage.last(), "cdn-loop")).toBe("transformations.postern");
    expect(fieldOf(stage.last(), "x-forwarded-for")).toBe("127.0.0.1");
    expect(fieldOf(stage.last(), "traceparent")).toMatch(/^00-/);
  });

  it("let named fields of the answer through, and what makes it what it is", async () => {
    answers("/listed/a", "{}", {
      "x-kept": "1",
      "x-other": "2",
      "set-cookie": "a=b",
      server: "php/4",
      "cache-control": "no-store",
    });
    const answer = await get("/listed/a");
    expect(fieldOf(answer, "x-kept")).toBe("1");
    expect(fieldOf(answer, "cache-control")).toBe("no-store");
    expect(fieldOf(answer, "content-type")).toBe("application/json");
    for (const name of ["x-other", "set-cookie", "server"]) expect(fieldOf(answer, name)).toBeUndefined();
  });

  it.each([
    ["", "?name=a%26b&source=gateway%20%26%20co"],
    ["?", "?name=a%26b&source=gateway%20%26%20co"],
    ["?page=%7e1&x=2", "?page=%7e1&name=a%26b&source=gateway%20%26%20co"],
    [
      "?name=forged&n%61me[]=forged&filter[a]=+%20&page",
      "?filter[a]=+%20&page&name=a%26b&source=gateway%20%26%20co",
    ],
  ])("let named parameters through, and put others behind them: %s", async (query, expected) => {
    await get(`/listed/a%26b${query}`);
    expect(stage.last().url).toBe(`/listed/a%26b${expected}`);
  });
});

it("a stored answer was edited once, and is found whatever was taken off the query", async () => {
  answers("/stored/list", '{"items":[{"id":12345678901234567890,"cost":1.50},{"cost":2}]}', { etag: '"v1"' });
  const before = stage.asked.length;
  const first = await get("/stored/list?page=1&utm=a&x=1");
  expect(stage.last().url).toBe("/stored/list?page=1&expand=items");
  expect(first.body.toString()).toBe('{"items":[{"id":12345678901234567890},{}]}');
  const second = await get("/stored/list?utm=b&page=1&x=2");
  expect(second.body.toString()).toBe(first.body.toString());
  expect(fieldOf(second, "cache-status")).toMatch(/hit/);
  expect(stage.asked.length - before).toBe(1);
  const confirmed = await get("/stored/list?page=1", [`If-None-Match: ${fieldOf(first, "etag")}`]);
  expect([confirmed.status, confirmed.body.length]).toEqual([304, 0]);
});

describe("a body of a request", () => {
  it("arrives edited, with its own length, and otherwise to the letter", async () => {
    const { read } = echoes("/body/7");
    const answer = await post(
      "/body/7",
      '{ "id": 12345678901234567890, "price": 1.0, "internal": {}, "name": "Zo\\u00eb €" }',
      [JSON_TYPE, "Content-Digest: sha-256=:a:"],
    );
    expect(answer.status).toBe(200);
    expect(read().toString()).toBe(
      '{"id":12345678901234567890,"price":1.0,"name":"Zo\\u00eb €","source":"web","order":"7"}',
    );
    expect(fieldsOf(stage.last(), "content-length")).toEqual([String(read().length)]);
    expect(fieldOf(stage.last(), "transfer-encoding")).toBeUndefined();
    expect(fieldOf(stage.last(), "content-digest")).toBeUndefined();
    expect(fieldOf(stage.last(), "content-type")).toBe("application/json");
  });

  it("that comes in chunks arrives edited, with a length", async () => {
    const { read } = echoes("/body/7");
    const wire = await dial(served.port);
    wire.send(
      requestText("POST /body/7", [JSON_TYPE, "Transfer-Encoding: chunked", CLOSE], '5\r\n{"a":\r\n'),
    );
    wire.send("2\r\n1}\r\n0\r\n\r\n");
    expect((await wire.answer("POST")).status).toBe(200);
    expect(read().toString()).toBe('{"a":1,"source":"web","order":"7"}');
    expect(fieldsOf(stage.last(), "content-length")).toEqual([String(read().length)]);
    wire.socket.destroy();
  });

  it.each([
    ["without any", "POST", ["Content-Length: 0"]],
    ["of GET", "GET", []],
    ["of DELETE", "DELETE", []],
  ])("that is none passes: %s", async (_, method, fields) => {
    echoes("/body/7");
    const answer = await ask(served.port, requestText(`${method} /body/7`, [...fields, CLOSE]));
    expect([answer.status, stage.last().method]).toEqual([200, method]);
  });

  it.each([
    ["another type", "{}", ["Content-Type: text/plain"], 415, "unsupported-media-type"],
    ["a coding", "{}", [JSON_TYPE, "Content-Encoding: gzip"], 415, "unsupported-content-encoding"],
    ["no JSON", "{]", [JSON_TYPE], 400, "malformed-json"],
    ["a name twice", '{"source":1,"source":2}', [JSON_TYPE], 400, "malformed-json"],
    ["no object", "[]", [JSON_TYPE], 422, "body-edit-failed"],
    ["too many bytes", `{"a":"${"x".repeat(70_000)}"}`, [JSON_TYPE], 413, "body-too-large"],
  ])("is refused, and the upstream is not asked: %s", async (_, body, fields, status, code) => {
    const before = stage.asked.length;
    const answer = await post("/body/7", body, fields);
    expect([answer.status, problemOf(answer)["code"]]).toEqual([status, code]);
    expect(stage.asked.length).toBe(before);
  });

  it.each(["/body/7", "/watched/7"])(
    "that proves too large on its way is refused before it ends: %s",
    async (path) => {
      const before = stage.asked.length;
      const wire = await dial(served.port);
      wire.send(requestText(`POST ${path}`, [JSON_TYPE, "Transfer-Encoding: chunked"]));
      const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
      for (let sent = 0; sent < 4; sent++) wire.send(chunk);
      const answer = await wire.answer("POST");
      expect([answer.status, problemOf(answer)["code"]]).toEqual([413, "body-too-large"]);
      expect(stage.asked.length).toBe(before);
      wire.socket.destroy();
    },
  );
});

describe("a body of an answer", () => {
  it("arrives edited, with its own length, and is asked for without a coding", async () => {
    answers("/body/7", '{"n":1.0,"secret":"x","name":"Zoë"}', {
      etag: '"v1"',
      "accept-ranges": "bytes",
      "last-modified": "Mon, 23 Nov 2026 00:00:00 GMT",
    });
    const answer = await get("/body/7", ["Accept-Encoding: gzip, br", "Range: bytes=0-1"]);
    expect([answer.status, answer.body.toString()]).toEqual([200, '{"n":1.0,"name":"Zoë"}']);
    expect(fieldsOf(answer, "content-length")).toEqual([String(answer.body.length)]);
    expect(fieldOf(answer, "etag")).toMatch(/^W\/"v1~/);
    for (const name of ["accept-ranges", "last-modified"]) expect(fieldOf(answer, name)).toBeUndefined();
    expect(fieldOf(stage.last(), "accept-encoding")).toBe("identity");
    expect(fieldOf(stage.last(), "range")).toBeUndefined();
  });

  it("is confirmed by the tag that it came with, and by no other", async () => {
    stage.on("/body/7", (request, response) => {
      const unchanged = request.headers["if-none-match"] === 'W/"v1"';
      response.writeHead(unchanged ? 304 : 200, { etag: '"v1"', "content-type": "application/json" });
      response.end(unchanged ? "" : '{"secret":1}');
    });
    const tag = fieldOf(await get("/body/7"), "etag")!;
    const confirmed = await get("/body/7", [`If-None-Match: ${tag}`]);
    expect([confirmed.status, fieldOf(confirmed, "etag")]).toEqual([304, tag]);
    expect((await get("/body/7", ['If-None-Match: "v1"'])).status).toBe(200);
  });

  it("that has a coding all the same is not passed on, nor decoded", async () => {
    answers("/body/7", gzipSync('{"secret":1}'), { "content-encoding": "gzip" });
    const answer = await get("/body/7");
    expect([answer.status, problemOf(answer)["code"]]).toEqual([502, "upstream-coded"]);
  });

  it.each([
    ["says so", { "content-length": "70000" }],
    ["shows it", {}],
  ])("that is too large is not passed on, and its connection is let go: it %s", async (_, fields) => {
    let closed = false;
    stage.on("/body/7", (_request, response) => {
      response.once("close", () => {
        closed = true;
      });
      response.writeHead(200, { "content-type": "application/json", ...fields });
      response.write(`{"a":"${"x".repeat(66_000)}`);
    });
    const answer = await get("/body/7");
    expect([answer.status, problemOf(answer)["code"]]).toEqual([502, "upstream-too-large"]);
    await until("the upstream's connection is let go", () => closed);
  });

  it("that breaks off is not passed on", async () => {
    stage.on("/body/7", (_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
      response.write('{"a":1', () => response.destroy());
    });
    const answer = await get("/body/7");
    expect([answer.status, problemOf(answer)["code"]]).toEqual([502, "upstream-incomplete"]);
  });

  it("of HEAD has the fields of the edited answer, and not the length of the other", async () => {
    stage.on("/body/7", (_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": 1234, etag: '"v1"' });
      response.end();
    });
    const answer = await ask(served.port, requestText("HEAD /body/7", [CLOSE]));
    expect([answer.status, fieldOf(answer, "etag")?.slice(0, 6)]).toEqual([200, 'W/"v1~']);
    expect(fieldOf(answer, "content-length")).not.toBe("1234");
  });

  it("of another kind streams as it is", async () => {
    let send: ((text: string) => void) | undefined;
    let end: (() => void) | undefined;
    stage.on("/body/7", (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      send = (text) => void response.write(text);
      end = () => void response.end();
    });
    const wire = await dial(served.port);
    wire.send(requestText("GET /body/7", [CLOSE]));
    await until("the header", () => send !== undefined);
    send!('data: {"secret":1}\n\n');
    await until("the event", () => wire.bytes().includes('data: {"secret":1}'));
    end!();
    expect((await wire.answer()).complete).toBe(true);
  });
});

describe("faults in development", () => {
  it("hold a request back", async () => {
    const before = Date.now();
    expect((await get("/slow")).status).toBe(200);
    expect(Date.now() - before).toBeGreaterThanOrEqual(290);
  });

  it("answer in place of the upstream", async () => {
    const before = stage.asked.length;
    const answer = await get("/broken");
    expect([answer.status, problemOf(answer)["code"], fieldOf(answer, "retry-after")]).toEqual([
      503,
      "fault-injected",
      "1",
    ]);
    expect(stage.asked.length).toBe(before);
  });
});
