import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type RawStage, type Stage, startRawStage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, dial, fieldOf, fieldsOf, parseAnswer, problemOf, requestText } from "./wire.ts";

const SECRET = "a secret of thirty-two bytes and more";
const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const CLOSE = "Connection: close";

let stage: Stage;
let canary: RawStage;
let relay: RawStage;
let served: Served;
let relayTo = 0;

/** Two ways out of the gateway: with policies that edit the answer, and with none, where the answer is passed on as it is. */
const policies = (): string => `
gateway:
  name: proxying
  hosts: { public: api.example.com, local: 127.0.0.1 }
  clientIp: connection
issuers:
  main: { issuer: https://issuer.example.com/, audiences: [proxying], algorithms: [HS256], secret: { env: SIGNING_SECRET } }
upstreams:
  stage: { targets: { only: { url: "${stage.url}", network: private } }, timeout: 5s }
  loop: { targets: { only: { url: "${relay.url}", network: private } }, timeout: 5s }
apis:
  bare:
    public: true
    upstream: stage
    routes: { all: { match: { pathPrefix: /bare } } }
  brief:
    public: true
    upstream: stage
    timeout: 500ms
    routes: { all: { match: { pathPrefix: /brief } } }
  edited:
    public: true
    upstream: stage
    policies:
      requestId: {}
      securityHeaders: {}
      headers: { request: { set: { x-from-gateway: "yes", x-param: "{params.name}" } }, response: { set: { x-served: "{params.name}" } } }
    routes: { all: { match: { path: "/edited/{name}" } } }
  known:
    upstream: stage
    policies:
      jwt: { forward: { x-user-id: sub } }
      identity: { any: [jwt, anonymous] }
    routes: { all: { match: { pathPrefix: /known } } }
  limited:
    public: true
    upstream: stage
    policies: { bodyLimit: { max: 64KiB } }
    routes: { all: { match: { pathPrefix: /limited } } }
  loop:
    public: true
    upstream: loop
    routes: { all: { match: { pathPrefix: /loop } } }
`;

beforeAll(async () => {
  stage = await startStage();
  canary = await startRawStage((socket) => socket.destroy());
  relay = await startRawStage(async (socket) => {
    socket.pause();
    const other = await dial(relayTo);
    socket.pipe(other.socket);
    other.socket.pipe(socket);
  });
  served = await serve({
    files: { "gateway.yaml": policies() },
    args: ["--var", `SIGNING_SECRET=${SECRET}`],
  });
  relayTo = served.port;
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  for (const server of [stage, canary, relay]) await server.stop();
});

const get = (path: string, fields: readonly string[] = []) =>
  ask(served.port, requestText(`GET ${path}`, [...fields, CLOSE]));

/** Asks, and answers the fields that the upstream saw. */
const seenBy = async (path: string, fields: readonly string[] = []) => {
  const answer = await get(path, fields);
  expect(answer.status).toBe(200);
  return stage.last();
};

const WAYS = [
  ["as it came", "/bare/it"],
  ["with edits", "/edited/it"],
] as const;

describe.each(WAYS)("an answer that is passed on %s", (_, path) => {
  it.each([
    ["chunked", {}],
    ["with a length", { "content-length": "10" }],
  ])("streams, %s: its first bytes arrive before its last are sent", async (_framing, fields) => {
    let finish: (() => void) | undefined;
    stage.on(path, (_request, response) => {
      response.writeHead(200, fields);
      response.write("first");
      finish = () => response.end("-last");
    });
    const wire = await dial(served.port);
    wire.send(requestText(`GET ${path}`, [CLOSE]));
    await until("the first bytes", () => wire.bytes().includes("first"));
    expect(wire.bytes().includes("last")).toBe(false);
    finish!();
    const answer = await wire.answer();
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(answer.body.toString()).toBe("first-last");
  });

  it("delays no event of a stream of events", async () => {
    let send: ((text: string) => void) | undefined;
    let end: (() => void) | undefined;
    stage.on(path, (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      send = (text) => void response.write(text);
      end = () => void response.end();
    });
    const wire = await dial(served.port);
    wire.send(requestText(`GET ${path}`));
    await until(
      "the header, before any event",
      () => parseAnswer(wire.bytes(), "GET", false)?.status === 200,
    );
    for (const number of [1, 2, 3]) {
      send!(`data: ${number}\n\n`);
      await until(`event ${number}`, () => wire.bytes().includes(`data: ${number}\n\n`));
    }
    end!();
    await until("the end", () => parseAnswer(wire.bytes(), "GET", false)?.complete === true);
    wire.socket.destroy();
  });

  it("holds 20 MiB with the right digest", async () => {
    const body = randomBytes(20 * 1024 * 1024);
    stage.on(path, (_request, response) => {
      response.writeHead(200, { "content-length": body.length });
      response.end(body);
    });
    const response = await fetch(served.url + path);
    const hash = createHash("sha256");
    for await (const chunk of response.body!) hash.update(chunk);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(body).digest("hex"));
  });

  it.each(["gzip", "br", "x-unheard-of", "gzip, gzip"])("holds %s content untouched", async (coding) => {
    const body = coding === "gzip" ? gzipSync("a text, a text, a text ".repeat(400)) : randomBytes(5000);
    stage.on(path, (_request, response) => {
      response.writeHead(200, { "content-encoding": coding, "content-length": body.length });
      response.end(body);
    });
    for (const fields of [[], ["Accept-Encoding: gzip"]]) {
      const answer = await get(path, fields);
      expect(answer).toMatchObject({ status: 200, complete: true });
      expect(fieldOf(answer, "content-encoding")).toBe(coding);
      expect(answer.body.equals(body)).toBe(true);
    }
  });

  it("is the answer to HEAD, with the fields of GET and no body", async () => {
    stage.on(path, (_request, response) => {
      response.writeHead(200, { "content-length": 1234, "content-type": "text/plain", etag: '"1"' });
      response.end();
    });
    const wire = await dial(served.port);
    wire.send(requestText(`HEAD ${path}`));
    const answer = await wire.answer("HEAD");
    expect(stage.last().method).toBe("HEAD");
    expect(answer.status).toBe(200);
    expect(fieldOf(answer, "content-length")).toBe("1234");
    expect(fieldOf(answer, "etag")).toBe('"1"');
    expect(answer.rest).toHaveLength(0);
    wire.socket.destroy();
  });

  it.each([204, 304, 205])("keeps the status %i and its fields, without a body", async (status) => {
    stage.on(path, (_request, response) => {
      response.writeHead(status, { etag: '"1"' });
      response.end();
    });
    const answer = await get(path);
    expect(answer).toMatchObject({ status, complete: true });
    expect(fieldOf(answer, "etag")).toBe('"1"');
    expect(answer.body).toHaveLength(0);
  });

  it.each([200, 201, 299, 400, 401, 404, 418, 499, 500, 503, 599])(
    "keeps the status %i and its body",
    async (status) => {
      stage.on(path, (_request, response) => {
        response.writeHead(status, { "content-type": "text/plain" });
        response.end(`this is ${status}`);
      });
      const answer = await get(path);
      expect(answer.status).toBe(status);
      expect(answer.body.toString()).toBe(`this is ${status}`);
      expect(fieldOf(answer, "proxy-status")).toBe(undefined);
    },
  );

  it.each([301, 302, 303, 307, 308])("keeps a redirect %i and does not follow it", async (status) => {
    const before = stage.asked.length;
    for (const location of [`${canary.url}/stolen`, `${stage.url}/bare/other`, "/bare/other", "../other"]) {
      stage.on(path, (_request, response) => {
        response.writeHead(status, { location });
        response.end();
      });
      const answer = await get(path);
      expect(answer.status).toBe(status);
      expect(fieldOf(answer, "location")).toBe(location);
    }
    expect(stage.asked.length - before).toBe(4);
    expect(canary.accepted()).toBe(0);
  });

  it("keeps each of several Set-Cookie fields", async () => {
    const cookies = ["a=1; Path=/", "b=2; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "a=3"];
    stage.on(path, (_request, response) => {
      response.writeHead(200, { "set-cookie": cookies });
      response.end();
    });
    expect(fieldsOf(await get(path), "set-cookie")).toEqual(cookies);
  });

  it("loses the fields that the hop behind the gateway names in Connection", async () => {
    stage.on(path, (_request, response) => {
      response.writeHead(200, [
        "Connection",
        "x-hop,, @ , X-Other",
        "X-Hop",
        "1",
        "x-other",
        "2",
        "X-Kept",
        "1",
        "Content-Length",
        "0",
      ]);
      response.end();
    });
    const answer = await get(path);
    expect(answer.status).toBe(200);
    for (const name of ["x-hop", "x-other"]) expect([name, fieldOf(answer, name)]).toEqual([name, undefined]);
    expect(fieldOf(answer, "connection") ?? "close").toBe("close");
    expect(fieldOf(answer, "x-kept")).toBe("1");
  });

  it.each([
    "Keep-Alive: timeout=17",
    "Proxy-Connection: keep-alive",
    "Proxy-Authenticate: Basic realm=x",
    "Proxy-Authentication-Info: x=y",
    "TE: trailers",
    "Trailer: x-sum",
    "Upgrade: h2c",
  ])("loses what is for the hop behind the gateway alone (RFC 9110 section 7.6.1): %s", async (field) => {
    stage.on(path, (_request, response) => {
      response.writeHead(200, [
        "Connection",
        "close",
        ...field.split(": "),
        "X-Kept",
        "1",
        "Transfer-Encoding",
        "chunked",
      ]);
      response.end("ok");
    });
    const answer = await get(path);
    expect(answer.body.toString()).toBe("ok");
    expect(fieldOf(answer, "x-kept")).toBe("1");
    expect(fieldOf(answer, field.split(": ")[0]!.toLowerCase())).toBe(undefined);
  });
});

describe("an answer that policies edit", () => {
  it("keeps what the gateway sets, although the upstream names it in Connection (S6)", async () => {
    stage.on("/edited/keep", (_request, response) => {
      response.writeHead(200, {
        connection: "X-Content-Type-Options, x-request-id, X-Served, content-security-policy",
      });
      response.end();
    });
    const answer = await get("/edited/keep");
    expect(fieldOf(answer, "x-content-type-options")).toBe("nosniff");
    expect(fieldOf(answer, "content-security-policy")).toContain("default-src 'none'");
    expect(fieldOf(answer, "x-served")).toBe("keep");
    expect(fieldOf(answer, "x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("holds what the gateway sets in place of what the upstream wrote", async () => {
    stage.on("/edited/over", (_request, response) => {
      response.writeHead(200, {
        "x-served": "forged",
        "x-content-type-options": "sniff",
        "x-request-id": "forged",
      });
      response.end();
    });
    const answer = await get("/edited/over");
    expect(fieldsOf(answer, "x-served")).toEqual(["over"]);
    expect(fieldsOf(answer, "x-content-type-options")).toEqual(["nosniff"]);
    expect(fieldOf(answer, "x-request-id")).not.toContain("forged");
  });
});

/** A handler that reads the body to its end and answers how much there was and what its digest is. */
const digesting = (path: string): void =>
  stage.on(path, (request, response) => {
    const hash = createHash("sha256");
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      hash.update(chunk);
    });
    request.once("end", () => response.end(JSON.stringify({ size, digest: hash.digest("hex") })));
  });

describe("a request's body", () => {
  it.each([
    ["chunked", "Transfer-Encoding: chunked", ["5\r\nfirst\r\n", "5\r\n-last\r\n0\r\n\r\n"]],
    ["with a length", "Content-Length: 10", ["first", "-last"]],
  ])(
    "streams, %s: the upstream reads its first part before its last is sent",
    async (_, field, [first, last]) => {
      const read: Buffer[] = [];
      stage.on("/bare/up", (request, response) => {
        request.on("data", (chunk: Buffer) => read.push(chunk));
        request.once("end", () => response.end(Buffer.concat(read)));
      });
      const wire = await dial(served.port);
      wire.send(requestText("POST /bare/up", [field]) + first);
      await until("the first part at the upstream", () => Buffer.concat(read).toString() === "first");
      wire.send(last!);
      const answer = await wire.answer("POST");
      expect(answer.body.toString()).toBe("first-last");
      expect(fieldOf(stage.last(), field.split(":")[0]!.toLowerCase())).toBe(field.split(": ")[1]);
      wire.socket.destroy();
    },
  );

  it("streams both ways at once", async () => {
    stage.on("/bare/both", (request, response) => {
      response.writeHead(200);
      request.on("data", (chunk: Buffer) => response.write(chunk.toString().toUpperCase()));
      request.once("end", () => response.end());
    });
    const wire = await dial(served.port);
    wire.send(requestText("POST /bare/both", ["Transfer-Encoding: chunked", CLOSE]));
    for (const word of ["one", "two", "three"]) {
      wire.send(`${word.length.toString(16)}\r\n${word}\r\n`);
      await until(`the answer to ${word}`, () => wire.bytes().includes(word.toUpperCase()));
    }
    wire.send("0\r\n\r\n");
    expect((await wire.answer("POST")).body.toString()).toBe("ONETWOTHREE");
  });

  it.each([
    ["with a length", true, "/bare/large"],
    ["chunked", false, "/bare/large"],
    ["with a length, through policies", true, "/edited/large"],
    ["chunked, through policies", false, "/edited/large"],
  ])("of 20 MiB arrives with the right digest, %s", async (_, known, path) => {
    digesting(path);
    const body = randomBytes(20 * 1024 * 1024);
    const answer = await new Promise<string>((resolve, reject) => {
      const headers: Record<string, string> = known ? { "content-length": String(body.length) } : {};
      const client = httpRequest(served.url + path, { method: "PUT", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.once("end", () => resolve(text));
      });
      client.once("error", reject);
      for (let at = 0; at < body.length; at += 1 << 20) client.write(body.subarray(at, at + (1 << 20)));
      client.end();
    });
    expect(JSON.parse(answer)).toEqual({
      size: body.length,
      digest: createHash("sha256").update(body).digest("hex"),
    });
    expect(fieldOf(stage.last(), "content-length")).toBe(known ? String(body.length) : undefined);
  });

  it.each([
    ["no body", [], undefined],
    ["an empty one", ["Content-Length: 0"], "0"],
  ])("may be absent: POST with %s", async (_, fields, length) => {
    digesting("/bare/none");
    const answer = await ask(served.port, requestText("POST /bare/none", [...fields, CLOSE]));
    expect(JSON.parse(answer.body.toString())).toMatchObject({ size: 0 });
    expect(fieldOf(stage.last(), "content-length") ?? length).toBe(length ?? "0");
    expect(fieldOf(stage.last(), "transfer-encoding")).toBe(undefined);
  });

  it.each([
    ["Content-Length: 44", "GET /bare/stolen HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
    ["Transfer-Encoding: chunked", "5\r\nabcde\r\n0\r\n\r\n"],
  ])("of a GET ends at the gateway, and is no request of its own: %s", async (field, body) => {
    const before = stage.asked.length;
    const wire = await dial(served.port);
    wire.send(requestText("GET /bare/fat", [field], body) + requestText("GET /bare/next", [CLOSE]));
    const first = await wire.answer();
    await until("the end of the connection", wire.closed);
    const second = parseAnswer(parseAnswer(wire.bytes(), "GET", true)!.rest, "GET", true);
    expect([first.status, second?.status]).toEqual([200, 200]);
    expect(stage.asked.slice(before)).toEqual(["GET /bare/fat", "GET /bare/next"]);
  });

  it("of a GET is not announced to the upstream", async () => {
    await ask(served.port, requestText("GET /bare/fat", ["Content-Length: 3", CLOSE], "abc"));
    for (const name of ["content-length", "transfer-encoding"])
      expect(fieldOf(stage.last(), name)).toBe(undefined);
  });

  it("waits for 100 (Continue) where the client expects one, which ends at the gateway", async () => {
    digesting("/bare/expect");
    const wire = await dial(served.port);
    wire.send(requestText("POST /bare/expect", ["Expect: 100-continue", "Content-Length: 3", CLOSE]));
    await until("the interim answer", () => wire.bytes().toString("latin1").startsWith("HTTP/1.1 100 "));
    wire.send("abc");
    const answer = await wire.answer("POST");
    expect(answer).toMatchObject({ status: 200, interim: [100] });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ size: 3 });
    expect(fieldOf(stage.last(), "expect")).toBe(undefined);
  });

  it("is not waited for when it is refused: a client that expects 100 gets its 413 without sending it", async () => {
    const before = stage.asked.length;
    const wire = await dial(served.port);
    wire.send(requestText("POST /limited/x", ["Expect: 100-continue", "Content-Length: 9999999", CLOSE]));
    const answer = await wire.answer("POST");
    expect(answer.status).toBe(413);
    expect(stage.asked.length).toBe(before);
    wire.socket.destroy();
  });
});

describe("a request to the upstream", () => {
  it.each([
    "?a=1&a=2&b=%20+%2B",
    "?",
    "??",
    "?&&=&=x&y",
    "?q=%zz&r=%",
    "?next=https://other.example.com/a?b",
    "?a/../b/%2e%2e;c",
    "?q=x|{y}[z]^`~!*()$,",
    "?q=\xc3\xa9",
    "?__proto__=1&constructor=2",
  ])("has the query untouched: %s", async (query) => {
    expect((await seenBy(`/bare/query${query}`)).url).toBe(
      `/bare/query${query.replaceAll("\xc3\xa9", "%C3%A9")}`,
    );
  });

  it("has an apostrophe of the query as the URL standard writes it: fetch leaves no choice", async () => {
    expect((await seenBy("/bare/query?q='x'")).url).toBe("/bare/query?q=%27x%27");
  });

  it("has no field that belongs to the hop in front of the gateway (RFC 9110 section 7.6.1)", async () => {
    const { fields } = await seenBy("/bare/hop", [
      "Connection: x-hop, X-Other ,, @ , close",
      ...[
        "X-Hop: 1",
        "x-other: 2",
        "X-Kept: 3",
        "TE: trailers, deflate",
        "Trailer: x-sum",
        "Keep-Alive: timeout=5",
      ],
      ...[
        "Proxy-Authorization: Basic eA==",
        "Proxy-Authenticate: x",
        "Proxy-Connection: keep-alive",
        "Upgrade: foo/2",
      ],
      ...["HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Expect: nothing"],
    ]);
    const names = fields.map(([name]) => name);
    expect(names).toContain("x-kept");
    for (const name of [
      "x-hop",
      "x-other",
      "te",
      "trailer",
      "keep-alive",
      "upgrade",
      "http2-settings",
      "expect",
    ])
      expect(names).not.toContain(name);
    expect(names.filter((name) => name.startsWith("proxy-"))).toEqual([]);
    expect(fieldOf({ fields }, "connection") ?? "keep-alive").toBe("keep-alive");
  });

  it("keeps the fields that the gateway sets, although Connection names them (S6)", async () => {
    const { fields } = await seenBy("/edited/name", [
      "Connection: close, X-Forwarded-For, x-forwarded-proto, X-Forwarded-Host, Via, CDN-Loop, traceparent, X-Request-Id, X-From-Gateway, X-Param, Host, Content-Length",
    ]);
    expect(fieldOf({ fields }, "x-forwarded-for")).toBe("127.0.0.1");
    expect(fieldOf({ fields }, "x-forwarded-proto")).toBe("http");
    expect(fieldOf({ fields }, "x-forwarded-host")).toBe("api.example.com");
    expect(fieldOf({ fields }, "via")).toBe("1.1 postern");
    expect(fieldOf({ fields }, "cdn-loop")).toBe("proxying.postern");
    expect(fieldOf({ fields }, "traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(fieldOf({ fields }, "x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(fieldOf({ fields }, "x-from-gateway")).toBe("yes");
    expect(fieldOf({ fields }, "x-param")).toBe("name");
    expect(fieldOf({ fields }, "host")).toBe(`127.0.0.1:${stage.port}`);
  });

  it("keeps the body's framing, although Connection names it", async () => {
    digesting("/bare/framing");
    const fields = [
      "Connection: close, Content-Length, Content-Type",
      "Content-Type: text/plain",
      "Content-Length: 3",
    ];
    const answer = await ask(served.port, requestText("POST /bare/framing", fields, "abc"));
    expect(JSON.parse(answer.body.toString())).toMatchObject({ size: 3 });
  });

  it("names the gateway in Via, behind the proxies before it", async () => {
    expect(fieldOf(await seenBy("/bare/via", ["Via: 1.0 fred, 1.1 p.example.net"]), "via")).toBe(
      "1.0 fred, 1.1 p.example.net, 1.1 postern",
    );
  });

  it("has X-Forwarded-For, -Proto and -Host of this connection, whatever the client claims (S8, S10)", async () => {
    const claims = ["For: 203.0.113.7", "For: 10.0.0.1, 10.0.0.2", "Proto: https", "Host: evil.example.com"];
    const { fields } = await seenBy(
      "/bare/for",
      claims.map((claim) => `X-Forwarded-${claim}`),
    );
    expect(fieldsOf({ fields }, "x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(fieldsOf({ fields }, "x-forwarded-proto")).toEqual(["http"]);
    expect(fieldsOf({ fields }, "x-forwarded-host")).toEqual(["api.example.com"]);
  });

  const SPOOFED = [
    "Forwarded: for=1.2.3.4;host=evil.example.com",
    "X-Forwarded-Prefix: /admin",
    "X-Forwarded-Port: 443",
    "X-Forwarded-Server: evil",
    "X-Forwarded-Scheme: https",
    "X-Forwarded-Ssl: on",
    "X-Forwarded: 1.2.3.4",
    "X-FORWARDED-USER: root",
    "X-Real-IP: 1.2.3.4",
    "X-Client-IP: 1.2.3.4",
    "X-Cluster-Client-IP: 1.2.3.4",
    "True-Client-IP: 1.2.3.4",
    "CF-Connecting-IP: 1.2.3.4",
    "CF-IPCountry: XX",
    "X-Original-URL: /admin",
    "X-Original-Host: evil.example.com",
    "X-Rewrite-URL: /admin",
    "X-HTTP-Method-Override: DELETE",
    "X-Method-Override: DELETE",
    "X_Forwarded_For: 1.2.3.4",
    "X_Forwarded-Proto: https",
    "x_user_id: 1",
    "X_User-Id: 1",
    "any_thing: 1",
  ];

  it.each(SPOOFED)(
    "does not have what poses as a hop before it or as an alias (S7, S8): %s",
    async (field) => {
      const [name] = field.toLowerCase().split(": ");
      const { fields } = await seenBy("/bare/spoof", [field, "X-Kept: 1"]);
      expect(fieldOf({ fields }, "x-kept")).toBe("1");
      expect(fieldOf({ fields }, name!)).toBe(undefined);
    },
  );

  it("has an identity that is proved, and no other (S7)", async () => {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer("https://issuer.example.com/")
      .setAudience("proxying")
      .setSubject("alice")
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(new TextEncoder().encode(SECRET));
    const forged = ["X-User-Id: root", "x-USER-id: admin", "X_User_Id: root", "Connection: close, x-user-id"];
    const anonymous = await seenBy("/known/x", forged);
    expect(anonymous.fields.filter(([name]) => /^x.user.id$/.test(name))).toEqual([]);
    const known = await seenBy("/known/x", [...forged, `Authorization: Bearer ${token}`]);
    expect(known.fields.filter(([name]) => /^x.user.id$/.test(name))).toEqual([["x-user-id", "alice"]]);
    expect(fieldOf(known, "authorization")).toBe(undefined);
  });

  it("has none of the values that clients send for what policies set", async () => {
    const { fields } = await seenBy("/edited/name", [
      "X-From-Gateway: no",
      "x-param: other",
      "X-Request-Id: mine",
    ]);
    expect(fieldsOf({ fields }, "x-from-gateway")).toEqual(["yes"]);
    expect(fieldsOf({ fields }, "x-param")).toEqual(["name"]);
    expect(fieldOf({ fields }, "x-request-id")).not.toContain("mine");
  });

  it("has the request id that the client gets", async () => {
    const answer = await get("/edited/id");
    expect(fieldOf(stage.last(), "x-request-id")).toBe(fieldOf(answer, "x-request-id"));
  });

  it("continues a valid trace", async () => {
    const { fields } = await seenBy("/bare/trace", [`traceparent: ${TRACE}`, "tracestate: vendor=1"]);
    expect(fieldOf({ fields }, "traceparent")).toMatch(
      /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/,
    );
    expect(fieldOf({ fields }, "tracestate")).toBe("vendor=1");
  });

  it.each([
    ["none", []],
    ["one of zeros", ["traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01"]],
    ["one in upper case", [`traceparent: ${TRACE.toUpperCase()}`]],
    ["two", [`traceparent: ${TRACE}`, `traceparent: ${TRACE}`]],
    ["words", ["traceparent: hello"]],
  ])("begins a trace where the client sends %s", async (_, fields) => {
    const seen = await seenBy("/bare/trace", [...fields, "tracestate: vendor=1"]);
    expect(fieldOf(seen, "traceparent")).toMatch(
      /^00-(?!4bf92f)(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/,
    );
    expect(fieldOf(seen, "tracestate")).toBe(undefined);
  });
});

describe("a loop (RFC 8586)", () => {
  it("is answered with 508 when a request comes back to the gateway", async () => {
    const before = relay.accepted();
    const answer = await ask(served.port, requestText("GET /loop/x", [CLOSE]));
    expect(answer.status).toBe(508);
    expect(problemOf(answer)).toMatchObject({ status: 508, code: "loop-detected" });
    expect(relay.accepted() - before).toBe(1);
  });

  it("is told by CDN-Loop, also among other names and with parameters", async () => {
    const before = stage.asked.length;
    for (const value of ["proxying.postern", "other, proxying.postern;v=1", "a;b=c,proxying.postern"]) {
      expect((await get("/bare/x", [`CDN-Loop: ${value}`])).status).toBe(508);
    }
    expect(stage.asked.length).toBe(before);
  });

  it("is not what other proxies leave behind", async () => {
    expect(fieldOf(await seenBy("/bare/x", ["CDN-Loop: other, xproxying.postern"]), "cdn-loop")).toBe(
      "other, xproxying.postern, proxying.postern",
    );
  });
});

describe("a connection of a client", () => {
  it("carries requests that were sent at once, and answers them in their order", async () => {
    for (const number of [1, 2, 3])
      stage.on(`/bare/${number}`, (_request, response) => response.end(`answer ${number}`));
    const wire = await dial(served.port);
    wire.send(
      [1, 2, 3].map((number) => requestText(`GET /bare/${number}`, number === 3 ? [CLOSE] : [])).join(""),
    );
    await until("the end of the connection", wire.closed);
    const bodies: string[] = [];
    for (let rest = wire.bytes(); rest.length > 0; ) {
      const answer = parseAnswer(rest, "GET", true)!;
      bodies.push(answer.body.toString());
      rest = answer.rest;
    }
    expect(bodies).toEqual(["answer 1", "answer 2", "answer 3"]);
  });

  it("may end while the upstream is at work: the call ends with its timeout at the latest", async () => {
    let asked = false;
    let over = false;
    stage.on("/brief/left", (request) => {
      asked = true;
      request.socket.once("close", () => {
        over = true;
      });
    });
    const wire = await dial(served.port);
    wire.send(requestText("GET /brief/left"));
    await until("the call", () => asked);
    wire.socket.destroy();
    await until("the end of the call", () => over, 2000);
  });

  it.each(WAYS)(
    "may end in the middle of an answer that is passed on %s: the upstream's ends too",
    async (_, path) => {
      let over = false;
      stage.on(path, (request, response) => {
        response.writeHead(200);
        response.write("the beginning of something endless");
        const more = setInterval(() => response.write("more"), 5);
        request.socket.once("close", () => {
          clearInterval(more);
          over = true;
        });
      });
      const wire = await dial(served.port);
      wire.send(requestText(`GET ${path}`));
      await until("the beginning", () => wire.bytes().includes("endless"));
      wire.socket.destroy();
      await until("the end of the upstream's answer", () => over, 2000);
    },
  );

  it("may end in the middle of a body: the upstream sees no complete one", async () => {
    let read = "";
    let ended: "whole" | "broken" | undefined;
    stage.on("/bare/cut", (request) => {
      request.on("data", (chunk: Buffer) => (read += chunk.toString()));
      request.once("end", () => (ended ??= "whole"));
      request.once("error", () => (ended ??= "broken"));
    });
    for (const [field, part] of [
      ["Content-Length: 10", "first"],
      ["Transfer-Encoding: chunked", "5\r\nfirst\r\n"],
    ] as const) {
      read = "";
      ended = undefined;
      const wire = await dial(served.port);
      wire.send(requestText("POST /bare/cut", [field], part));
      await until("the first part", () => read === "first");
      wire.socket.destroy();
      await until("the end of the call", () => ended !== undefined);
      expect([field, ended]).toEqual([field, "broken"]);
    }
  });
});
