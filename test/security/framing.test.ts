import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RawStage, type Stage, startRawStage, startStage } from "../e2e/stage.ts";
import { until } from "../e2e/until.ts";
import { dial, parseAnswer, type RawAnswer, requestText } from "../e2e/wire.ts";
import type { Served } from "../support/served.ts";
import { compact, HOST, hs256, now, serveText, upstream } from "./support.ts";

// S26 and S27: gateway and upstream agree where a request ends, and nothing becomes a tunnel.

const SECRET = "a secret of thirty-two bytes and more";
let open: Stage;
let guarded: Stage;
let canary: RawStage;
let sockets: Awaited<ReturnType<typeof startSockets>>;
let gateway: Served;

/** An upstream that opens a WebSocket below /opens, and elsewhere answers 200 to who asks for one. */
const startSockets = async () => {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(`${request.method} ${request.url}`);
    response.end("no socket");
  });
  const held = new Set<Duplex>();
  server.on("upgrade", (request, socket) => {
    heard.push(`UPGRADE ${request.url}`);
    held.add(socket);
    socket.on("error", () => {});
    if (!request.url!.includes("opens")) return socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
    socket.on("data", (chunk: Buffer) => heard.push(`bytes ${chunk.length > 0}`));
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64");
    return socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const stop = async (): Promise<void> => {
    for (const socket of held) socket.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, heard, stop };
};

beforeAll(async () => {
  [open, guarded] = [await startStage(), await startStage()];
  canary = await startRawStage((socket) => socket.destroy());
  sockets = await startSockets();
  gateway = await serveText(
    `
gateway:
  name: framing
  hosts: { public: ${HOST} }
  clientIp: connection
issuers:
  main: { issuer: framing, audiences: [framing], algorithms: [HS256], secret: { env: SIGNING_SECRET } }
upstreams: { open: ${upstream(open.url)}, guarded: ${upstream(guarded.url)}, sockets: ${upstream(sockets.url)} }
apis:
  open:
    public: true
    upstream: open
    routes:
      all: { match: { pathPrefix: /open } }
      stored: { match: { pathPrefix: /stored }, policies: { cache: { ttl: 5m } } }
      small: { match: { pathPrefix: /small }, policies: { bodyLimit: { max: 4B } } }
      limited: { match: { path: /limited }, policies: { rateLimit: { limits: [{ name: one, rate: 1/1h, key: ip }] } } }
      typed: { match: { path: /typed }, policies: { bodyLimit: { contentTypes: [application/json] } } }
      moved: { match: { path: /moved }, redirect: { status: 308, path: /open } }
      said: { match: { path: /said }, respond: { status: 200, body: "said" } }
  guarded: { upstream: guarded, policies: { jwt: {} }, routes: { admin: { match: { pathPrefix: /admin } } } }
  sockets:
    upstream: sockets
    websocket: true
    policies: { jwt: {} }
    routes: { all: { match: { pathPrefix: /socket } } }
`,
    { SIGNING_SECRET: SECRET },
  );
});
afterAll(async () => {
  expect([guarded.asked, canary.accepted()]).toEqual([[], 0]);
  expect(await gateway.stop()).toBe(0);
  for (const server of [open, guarded, canary, sockets]) await server.stop();
});

const INNER = `GET /admin/smuggled HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

/** Every answer that a connection had. */
const answersIn = (bytes: Buffer): RawAnswer[] => {
  const answers: RawAnswer[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const answer = parseAnswer(rest, "GET", true);
    if (answer === undefined) break;
    answers.push(answer);
    rest = answer.rest;
  }
  return answers;
};

/**
 * Sends bytes, and waits until the connection ends or nothing more comes; where that many answers are wanted, a little longer
 * for them. Answers what came, and what the open upstream heard.
 */
const exchange = async (
  text: string,
  wanted = 0,
): Promise<{ answers: RawAnswer[]; heard: readonly string[] }> => {
  const before = open.asked.length;
  const wire = await dial(gateway.port);
  wire.send(text);
  const seen = { bytes: -1, at: performance.now() };
  await until("silence", () => {
    const { length } = wire.bytes();
    if (length !== seen.bytes) Object.assign(seen, { bytes: length, at: performance.now() });
    const silentMs = performance.now() - seen.at;
    return wire.closed() || (silentMs > 100 && answersIn(wire.bytes()).length >= wanted) || silentMs > 3000;
  });
  const answers = answersIn(wire.bytes());
  wire.socket.destroy();
  expect([guarded.asked, canary.accepted()]).toEqual([[], 0]);
  expect(open.asked.filter((line) => line.includes("smuggled"))).toEqual([]);
  return { answers, heard: open.asked.slice(before) };
};

let requests = 0;
/** A path of its own for each request: one that comes late is not taken for another. */
const fresh = (path: string): string => `${path}-${++requests}`;

describe("a request whose end can be read in two ways (S26)", () => {
  const CHUNKED = `0\r\n\r\n${INNER}`;
  const LENGTHS = [
    ...[
      "Content-Length:",
      "Content-Length: ",
      `Content-Length: ${CHUNKED.length}`,
      "Content-Length: 0, 5",
      "Content-Length: 5, 5",
    ],
    ...[
      "Content-Length: +5",
      "Content-Length: -5",
      "Content-Length: 0x5",
      "Content-Length: 5.0",
      "Content-Length: 5 5",
      "Content-Length: 05",
    ],
    ...[
      "Content-Length: 18446744073709551621",
      "Content-Length: 5;a",
      "Content-Length\t: 5",
      "Content-Length : 5",
      "Content_Length: 5",
      "\tContent-Length: 5",
    ],
    ...[
      "Content-Length: 5\r\nContent-Length: 0",
      "Content-Length: 0\r\nContent-Length: 5",
      "Content-Length: \x0b5",
      "Content-Length: 5\0",
    ],
  ];
  const CODINGS = [
    ...[
      "Transfer-Encoding: chunked",
      "Transfer-Encoding: Chunked",
      "Transfer-Encoding: xchunked",
      "Transfer-Encoding : chunked",
      "Transfer-Encoding:\tchunked",
    ],
    ...[
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
      "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked, identity",
    ],
    ...[
      "Transfer-Encoding: identity, chunked",
      "Transfer-Encoding: identity",
      "Transfer-Encoding: gzip, chunked",
      "Transfer-Encoding: chunked, chunked",
    ],
    ...[
      "Transfer-Encoding: \x0bchunked",
      "Transfer-Encoding: chunked\x0b",
      "Transfer-Encoding: chunked;a=b",
      'Transfer-Encoding: "chunked"',
      "Transfer-Encoding: ,chunked",
    ],
    ...[
      "Transfer-Encoding:\r\n chunked",
      "X: y\nTransfer-Encoding: chunked",
      "Transfer_Encoding: chunked",
      "Transfer-Encoding: chunked\0",
      " Transfer-Encoding: chunked",
    ],
    ...[
      "X: y\rTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
      "Content-Length: 5\r\nConnection: Content-Length",
    ],
  ];
  const framings = [
    ...LENGTHS.map((length) => [length]),
    ...CODINGS.map((coding) => [coding]),
    ...CODINGS.flatMap((coding) => [
      [coding, "Content-Length: 5"],
      ["Content-Length: 5", coding],
      [coding, "Content-Length:"],
    ]),
  ];

  it.each(framings.map((fields) => [JSON.stringify(fields.join(" | ")), fields] as const))(
    "%s hides none",
    async (_, fields) => {
      for (const path of ["/open/a", "/small/a", "/stored/a"].map(fresh)) {
        const { answers, heard } = await exchange(requestText(`POST ${path}`, fields, CHUNKED));
        // At most the one that was meant reached the upstream, and what came behind it was judged as any other request.
        expect(heard.filter((line) => line.endsWith(path)).length).toBeLessThan(2);
        expect(heard.filter((line) => !/^POST \/(?:open|small|stored)\/a-\d+$/.test(line))).toEqual([]);
        for (const { status } of answers.slice(1)) expect([400, 401, 404, 501]).toContain(status);
        // Of one that reached it the upstream saw one framing, and a plain one.
        if (heard.length > 0) {
          const framing = open
            .last()
            .fields.filter(([name]) => /content.length|transfer.encoding/.test(name));
          expect(framing.map(([name, value]) => `${name}: ${value}`).join()).toMatch(
            /^(?:content-length: (?:0|[1-9]\d*)|transfer-encoding: chunked)?$/,
          );
        }
      }
    },
  );

  it.each([
    ...[
      "0\r\n\r\n",
      "+0\r\n\r\n",
      "0x0\r\n\r\n",
      "-1\r\n\r\n",
      "0;a=b\r\n\r\n",
      "0;\n\r\n\r\n",
      "0\n\n",
      "0\r\r\n",
      "00000000000000000\r\n\r\n",
    ],
    ...[
      "5\r\nabcdeX\r\n0\r\n\r\n",
      "5\r\nabcde0\r\n\r\n",
      "ffffffffffffffff\r\n",
      "10000000000000005\r\nabcde\r\n0\r\n\r\n",
      "0\r\nX: y\r\n\r\n",
      "0\r\nContent-Length: 5\r\n\r\n",
      " 0\r\n\r\n",
      "0 \r\n\r\n",
      "\r\n0\r\n\r\n",
    ],
  ])("a chunk of %j hides none", async (chunks) => {
    const { answers, heard } = await exchange(
      requestText(`POST ${fresh("/open/a")}`, ["Transfer-Encoding: chunked"], chunks + INNER),
    );
    expect(heard.filter((line) => !/^POST \/(?:open|small|stored)\/a-\d+$/.test(line))).toEqual([]);
    for (const { status } of answers.slice(1)) expect([400, 401, 404, 501]).toContain(status);
  });

  it("that is plain is served, and the next one on its connection too (the control)", async () => {
    for (const [field, body] of [
      ["Content-Length: 5", "abcde"],
      ["Transfer-Encoding: chunked", "5\r\nabcde\r\n0\r\n\r\n"],
    ] as const) {
      const [first, second] = [fresh("/open/a"), fresh("/open/b")];
      const text = requestText(`POST ${first}`, [field], body) + requestText(`GET ${second}`);
      const { answers, heard } = await exchange(text, 2);
      const own = heard.filter((line) => line.endsWith(first) || line.endsWith(second));
      expect([answers.map(({ status }) => status), own]).toEqual([
        [200, 200],
        [`POST ${first}`, `GET ${second}`],
      ]);
    }
  });

  it.each(["100-continue", "100-Continue", "nonsense", "100-continue, 100-continue", ""])(
    "nor does Expect: %s travel on",
    async (value) => {
      const path = fresh("/open/expecting");
      const { answers, heard } = await exchange(
        requestText(`POST ${path}`, [`Expect: ${value}`, "Content-Length: 5"], "abcde"),
        1,
      );
      if (!heard.includes(`POST ${path}`)) expect([400, 417]).toContain(answers[0]?.status);
      else expect(open.last().fields.filter(([name]) => name === "expect")).toEqual([]);
    },
  );
});

describe("an answer that comes before the body was read (S26)", () => {
  it.each<[string, string, string[], number]>([
    ["no token", "POST /admin/x", [], 401],
    ["a wrong token", "POST /admin/x", ["Authorization: Bearer x"], 401],
    ["no route", "POST /nothing", [], 404],
    ["a path that is refused", "POST /open/%2f", [], 400],
    ["a body that is too large", "POST /small/x", [], 413],
    ["a type that is not taken", "POST /typed", ["Content-Type: text/x"], 415],
    ["a redirect", "POST /moved", [], 308],
    ["an answer of the gateway's own", "POST /said", [], 200],
    ["a stored answer", "GET /stored/hit", [], 200],
    ["a limit that is used up", "POST /limited", [], 429],
  ])("leaves no request in its body: %s", async (_, line, fields, status) => {
    open.on("/stored/hit", (_request, response) =>
      response.setHeader("cache-control", "max-age=300").end("stored"),
    );
    if (status === 429) await exchange(requestText("GET /limited"), 1);
    if (line.startsWith("GET")) await exchange(requestText(line), 1);
    // One that begins as a request, and one that is longer than what is read ahead.
    for (const inner of [INNER, INNER.replace("/admin/smuggled", "/open/smuggled"), INNER.repeat(2000)]) {
      const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`;
      for (const [framing, body] of [
        [`Content-Length: ${inner.length}`, inner],
        ["Transfer-Encoding: chunked", chunked],
      ] as const) {
        const path = fresh("/open/next");
        const text = requestText(line, [...fields, framing], body) + requestText(`GET ${path}`);
        const { answers, heard } = await exchange(text, 2);
        expect(answers[0]?.status).toBe(status);
        // The connection goes on with the next request, or ends; between the two there is nothing.
        // A counted body, and a stored answer's request that has one, are on their way to the upstream when that is known.
        const next = heard.filter((it) => it.endsWith(path));
        expect(
          heard.filter((it) => !/^POST \/small|^GET \/stored|\/(?:next|a|b|expecting)-\d+$/.test(it)),
        ).toEqual([]);
        expect([[], [`GET ${path}`]]).toContainEqual(next);
        expect(answers.slice(1).map((answer) => answer.status)).toEqual(next.map(() => 200));
      }
    }
  });
});

describe("a tunnel (S27)", () => {
  const to = (text: string): string => text.replace("CANARY", `127.0.0.1:${canary.port}`);

  it.each([
    ["CONNECT CANARY", ""],
    ["CONNECT api.example.com:443", ""],
    ["CONNECT /open/a", ""],
    ["CONNECT CANARY", INNER],
    ["CONNECT api.example.com:80", INNER],
  ])("%s opens none, nor for what is sent behind it: %j", async (line, behind) => {
    const { answers, heard } = await exchange(requestText(to(line)) + behind, 1);
    // workerd answers CONNECT by itself, with 500.
    expect([400, 405, 500, 501]).toContain(answers[0]?.status);
    expect(heard).toEqual([]);
  });

  it.each(["TRACE /open/a", "TRACE *", "TRACK /open/a"])("%s shows nothing", async (line) => {
    const { answers, heard } = await exchange(requestText(line, ["X-Secret: abc"]), 1);
    expect([400, 405, 501]).toContain(answers[0]?.status);
    expect([answers[0]?.body.includes("abc"), heard]).toEqual([false, []]);
  });

  const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  it.each([
    [
      "h2c",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings",
      PREFACE,
    ],
    ["h2c without its settings", "Upgrade: h2c", "Connection: Upgrade", PREFACE],
    ["something unknown", "Upgrade: unheard/1", "Connection: Upgrade", INNER],
    ["two", "Upgrade: h2c, websocket", "Connection: Upgrade", INNER],
    [
      "websocket on a route without them",
      "Upgrade: websocket",
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      INNER,
    ],
  ])("an upgrade to %s does not happen", async (_, field, others, behind) => {
    for (const path of ["/open/a", "/admin/x"]) {
      const { answers, heard } = await exchange(requestText(`GET ${path}`, [field, others]) + behind, 1);
      expect(answers.map(({ status }) => status)).not.toContain(101);
      expect(heard.filter((line) => line !== "GET /open/a")).toEqual([]);
      if (heard.length > 0)
        expect(open.last().fields.filter(([name]) => /^(?:upgrade|http2-settings)$/.test(name))).toEqual([]);
    }
  });

  const HANDSHAKE = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const token = (): string =>
    `Authorization: Bearer ${compact({ alg: "HS256" }, { iss: "framing", aud: "framing", sub: "a", exp: now() + 600 }, hs256(SECRET))}`;

  it("is a WebSocket only after the token was read", async () => {
    for (const fields of [HANDSHAKE, [...HANDSHAKE, "Authorization: Bearer x"]]) {
      const { answers } = await exchange(requestText("GET /socket/opens", fields) + INNER, 1);
      expect(answers[0]?.status).toBe(401);
    }
    expect(sockets.heard).toEqual([]);
  });

  it("and after the upstream said 101", async () => {
    const refused = await exchange(requestText("GET /socket/other", [...HANDSHAKE, token()]) + INNER, 1);
    expect(refused.answers.map(({ status }) => status)).not.toContain(101);
    expect(sockets.heard.splice(0)).toEqual(["UPGRADE /socket/other"]);
    const opened = await exchange(requestText("GET /socket/opens", [...HANDSHAKE, token()]), 1);
    expect([opened.answers[0]?.status, sockets.heard.splice(0)]).toEqual([101, ["UPGRADE /socket/opens"]]);
  });
});
