import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { type Opened, openSocket, type SocketEnd, type SocketStage, startSocketStage } from "./sockets.ts";
import { until } from "./until.ts";
import { ask, requestText } from "./wire.ts";

const SECRET = "a secret of thirty-two bytes and more";
const SHOP = "https://shop.example.com";

let stage: SocketStage;
let served: Served;

const policies = (): string => `
gateway:
  name: sockets
  hosts: { public: api.example.com, local: 127.0.0.1 }
  clientIp: connection
issuers:
  main: { issuer: https://issuer.example.com/, audiences: [sockets], algorithms: [HS256], secret: { env: SIGNING_SECRET }, claims: { role: string } }
upstreams:
  chat: { targets: { only: { url: "http://127.0.0.1:${stage.port}", network: private } }, timeout: 1s }
  bound: { targets: { only: { binding: CHAT } }, timeout: 1s }
  careful:
    targets: { one: { url: "http://127.0.0.1:${stage.port}", network: private }, two: { url: "http://127.0.0.1:${stage.port}/two", network: private } }
    retry: {}
    hedge: { after: 1ms }
    circuitBreaker: { maxPending: 10 }
    timeout: 1s
  dead: { targets: { only: { url: "http://127.0.0.1:1", network: private } }, timeout: 1s }
apis:
  bare:
    public: true
    websocket: true
    routes:
      chat: { match: { pathPrefix: /bare }, upstream: chat }
      bound: { match: { pathPrefix: /bound }, upstream: bound }
      careful: { match: { pathPrefix: /careful }, upstream: careful }
      lanes: { match: { pathPrefix: /lanes }, split: { lanes: { chat: 50%, careful: 50% }, sticky: { by: ip } } }
      dead: { match: { pathPrefix: /dead }, upstream: dead }
  edited:
    public: true
    upstream: chat
    websocket: true
    policies:
      requestId: {}
      accessLog: {}
      securityHeaders: {}
      bodyLimit: {}
      cors: { origins: ["${SHOP}"], credentials: true }
      headers: { request: { set: { x-from-gateway: "yes" } }, response: { set: { x-served: "yes" } } }
      cache: { ttl: 60s }
    routes: { all: { match: { pathPrefix: /edited } } }
  none:
    public: true
    upstream: chat
    routes: { all: { match: { pathPrefix: /none } } }
  guarded:
    upstream: chat
    websocket: true
    policies:
      jwt: { issuers: [main], forward: { x-user: sub } }
      authorize: { allow: "claims.role == 'member'" }
      rateLimit: { limits: [{ name: sockets, rate: 2/1h, key: identity, store: isolate }] }
    routes: { all: { match: { pathPrefix: /guarded } } }
`;

beforeAll(async () => {
  stage = await startSocketStage();
  served = await serve({
    files: { "gateway.yaml": policies() },
    args: ["--var", `SIGNING_SECRET=${SECRET}`, "--binding", `CHAT=127.0.0.1:${stage.port}`],
  });
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await stage.stop();
});

const open = (path: string, ...more: [protocols?: readonly string[], options?: object]): Promise<Opened> =>
  openSocket(`ws://127.0.0.1:${served.port}${path}`, ...more);

/** Opens one, with the upstream's end of it. */
const joined = async (
  path: string,
  ...more: [protocols?: readonly string[], options?: object]
): Promise<{ client: Opened; upstream: SocketEnd }> => {
  const before = stage.ends.length;
  const client = await open(path, ...more);
  expect(client.status).toBe(101);
  await until("the upstream's end", () => stage.ends.length > before);
  return { client, upstream: stage.ends.at(-1)! };
};

const WAYS = [
  ["with no policy", "/bare/room"],
  ["with policies that edit the answer", "/edited/room"],
  ["by a service binding", "/bound/room"],
  ["to an upstream with retries, hedges and a breaker", "/careful/room"],
  ["down a lane", "/lanes/room"],
] as const;

describe.each(WAYS)("a WebSocket %s", (_, path) => {
  it("carries text, bytes and what is large, and each message as one", async () => {
    const { client } = await joined(path);
    const large = Buffer.alloc(5 * 1024 * 1024, 7);
    for (const message of ["hello", "", "é\u{1f600}", Buffer.from([0, 255]), large])
      client.socket.send(message);
    await until("all echoes", () => client.messages.length === 5);
    expect(client.messages.slice(0, 4)).toEqual(["hello", "", "é\u{1f600}", Buffer.from([0, 255])]);
    expect((client.messages[4] as Buffer).equals(large)).toBe(true);
    client.socket.close();
    await until("the end", () => client.closed() !== undefined);
  });

  it("carries pings and pongs, in both directions", async () => {
    const { client, upstream } = await joined(path);
    client.socket.ping("from the client");
    upstream.socket.ping("from the upstream");
    await until("both pongs", () => client.pongs.length + upstream.pongs.length === 2);
    expect([upstream.pings, client.pings]).toEqual([["from the client"], ["from the upstream"]]);
    client.socket.terminate();
  });

  it("carries the code and the reason of a close, from either end", async () => {
    for (const closing of ["client", "upstream"] as const) {
      const ends = await joined(path);
      ends[closing].socket.close(4001, "done here");
      await until(
        "both closes",
        () => ends.client.closed() !== undefined && ends.upstream.closed() !== undefined,
      );
      expect([ends.client.closed(), ends.upstream.closed()]).toEqual(["4001 done here", "4001 done here"]);
    }
  });

  it("ends at both ends when one goes away without a word", async () => {
    for (const leaving of ["client", "upstream"] as const) {
      const ends = await joined(path);
      ends[leaving].socket.terminate();
      await until(
        "both ends",
        () => ends.client.closed() !== undefined && ends.upstream.closed() !== undefined,
      );
      expect(ends[leaving === "client" ? "upstream" : "client"].closed()).toBe("1006");
    }
  });

  it("speaks the subprotocol that the upstream picks, or none", async () => {
    const { client } = await joined(path, ["other", "chat"]);
    expect(client.socket.protocol).toBe("chat");
    const { client: plain } = await joined(path);
    expect(plain.socket.protocol).toBe("");
    for (const { socket } of [client, plain]) socket.terminate();
  });

  it("is compressed where both ends can", async () => {
    const { client } = await joined(path, [], { perMessageDeflate: { threshold: 0 } });
    expect(client.socket.extensions).toContain("permessage-deflate");
    client.socket.send("x".repeat(100_000));
    await until("the echo", () => client.messages.length === 1);
    expect(client.messages).toEqual(["x".repeat(100_000)]);
    client.socket.terminate();
    const { client: plain } = await joined(path, [], { perMessageDeflate: false });
    expect(plain.socket.extensions).toBe("");
    plain.socket.terminate();
  });

  it("lasts longer than the upstream's time, which is for the handshake", async () => {
    const { client } = await joined(path);
    const since = Date.now();
    await until("the time to be over", () => Date.now() - since > 1300);
    client.socket.send("still there");
    await until("the echo", () => client.messages.length === 1);
    client.socket.terminate();
  });
});

describe("an upstream that does not take a handshake", () => {
  it.each([
    ["refuses it", "HTTP/1.1 403 Forbidden\r\nx-why: full\r\ncontent-length: 6\r\n\r\nno way", 403],
    ["answers as if it were none", "HTTP/1.1 200 OK\r\nx-why: full\r\ncontent-length: 6\r\n\r\nno way", 200],
  ])("%s: the client gets the answer", async (_, answer, status) => {
    for (const path of [`/bare/${status}`, `/edited/${status}`]) {
      stage.refuse(path, (_request, socket) => socket.end(answer));
      const client = await open(path);
      expect([client.status, client.fields["x-why"], client.body]).toEqual([status, "full", "no way"]);
      expect(client.fields["x-served"]).toBe(path.startsWith("/edited") ? "yes" : undefined);
    }
  });

  it("does not answer in time: 504", async () => {
    stage.refuse("/bare/silent", () => {});
    const client = await open("/bare/silent");
    expect([client.status, JSON.parse(client.body)]).toMatchObject([504, { code: "upstream-timeout" }]);
  });

  it("is not there: 502", async () => {
    const client = await open("/dead/x");
    expect([client.status, JSON.parse(client.body)]).toMatchObject([502, { code: "upstream-failed" }]);
  });

  it("answers a key that nobody sent: no WebSocket is opened", async () => {
    stage.refuse("/bare/forged", (_request, socket) =>
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
      ),
    );
    expect((await open("/bare/forged")).status).toBe(502);
  });
});

describe("the policies of a route", () => {
  const token = (role: string, subject: string): Promise<string> =>
    new SignJWT({ role, sub: subject })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer("https://issuer.example.com/")
      .setAudience("sockets")
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(SECRET));
  const knock = async (role: string, subject: string): Promise<Opened> =>
    open("/guarded/room", [], { headers: { authorization: `Bearer ${await token(role, subject)}` } });

  it("are applied before a WebSocket is opened: identity, authorization and limits", async () => {
    const before = stage.asked.length;
    expect((await open("/guarded/room")).status).toBe(401);
    expect((await knock("guest", "g")).status).toBe(403);
    expect(stage.asked.length).toBe(before);
    for (const status of [101, 101, 429]) {
      const client = await knock("member", "m");
      expect(client.status).toBe(status);
      client.socket.terminate();
    }
    expect(stage.asked.length).toBe(before + 2);
    expect(stage.asked.at(-1)!.headers).toMatchObject({ "x-user": "m" });
    expect(stage.asked.at(-1)!.headers.authorization).toBeUndefined();
  });

  it("edit both sides of the handshake, and the log has it", async () => {
    const { client } = await joined("/edited/logged");
    expect(client.fields).toMatchObject({ "x-served": "yes", "x-content-type-options": "nosniff" });
    expect(stage.asked.at(-1)!.headers).toMatchObject({ "x-from-gateway": "yes", via: "1.1 postern" });
    expect(stage.asked.at(-1)!.headers["x-request-id"]).toBe(client.fields["x-request-id"]);
    client.socket.terminate();
    await until("the record", () => /"path":"\/edited\/logged"[^\n]*"status":101/.test(served.output()));
  });

  it("keep pages of other origins out where there is a cors policy", async () => {
    const before = stage.asked.length;
    const evil = await open("/edited/room", [], { origin: "https://evil.example" });
    expect([evil.status, JSON.parse(evil.body)]).toMatchObject([403, { code: "origin-refused" }]);
    expect(stage.asked.length).toBe(before);
    for (const origin of [SHOP, undefined]) {
      const { client } = await joined("/edited/room", [], { origin });
      client.socket.terminate();
    }
    const { client } = await joined("/bare/room", [], { origin: "https://evil.example" });
    client.socket.terminate();
  });

  it("leave what a cache has stored to requests that open none", async () => {
    const get = () => ask(served.port, requestText("GET /edited/stored", ["Connection: close"]));
    await get();
    const hit = await get();
    expect(Object.fromEntries(hit.fields)["cache-status"]).toContain("hit");
    const { client } = await joined("/edited/stored");
    client.socket.terminate();
  });
});

describe("a request that opens no WebSocket", () => {
  const HANDSHAKE = [
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];

  it.each([
    ["on a route that offers none", "GET /none/x", "websocket"],
    ["for another protocol", "GET /bare/x", "h2c"],
    ["by another method", "POST /bare/x", "websocket"],
  ])("goes on without its Upgrade: %s", async (_, line, protocol) => {
    const answer = await ask(
      served.port,
      requestText(line, [`Upgrade: ${protocol}`, ...HANDSHAKE, "Content-Length: 0"]),
    );
    expect([answer.status, answer.body.toString()]).toEqual([200, "plain"]);
    expect(stage.asked.at(-1)!.headers.upgrade).toBeUndefined();
  });

  it("because its handshake is not in order is told so, and the upstream hears nothing", async () => {
    const before = stage.asked.length;
    for (const fields of [HANDSHAKE.slice(0, 2), [HANDSHAKE[0]!, HANDSHAKE[2]!]]) {
      const answer = await ask(served.port, requestText("GET /bare/x", ["Upgrade: websocket", ...fields]));
      expect(answer.status).toBe(400);
    }
    expect(stage.asked.length).toBe(before);
  });
});
