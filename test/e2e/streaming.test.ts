import { createHash } from "node:crypto";
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Served, serve } from "../support/served.ts";
import { residentMib, workerdOf } from "./processes.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { dial, fieldOf, requestText } from "./wire.ts";

let stage: Stage;

const MIB = 1024 * 1024;
const LENGTH = 100 * MIB;
/** Bytes that no two MiB of a body have in common. */
const PIECE = Buffer.alloc(64 * 1024, createHash("sha512").update("postern").digest());
const DIGEST = (() => {
  const hash = createHash("sha1");
  for (let sent = 0; sent < LENGTH; sent += PIECE.length) hash.update(pieceAt(sent));
  return hash.digest("hex");
})();

function pieceAt(sent: number): Buffer {
  const piece = Buffer.from(PIECE);
  piece.writeUInt32BE(sent, 0);
  return piece;
}

const policies = (): string => `
gateway:
  name: streaming
  hosts: { public: api.example.com, local: 127.0.0.1 }
  clientIp: connection
upstreams:
  plain: { targets: { only: { url: "${stage.url}", network: private } }, timeout: 20s }
  careful:
    targets: { one: { url: "${stage.url}", network: private }, two: { url: "${stage.url}", network: private } }
    retry: {}
    outlierDetection: {}
    circuitBreaker: { maxPending: 10 }
    timeout: 20s
apis:
  bare:
    public: true
    upstream: plain
    routes: { all: { match: { pathPrefix: /bare } } }
  limited:
    public: true
    upstream: plain
    policies: { bodyLimit: { max: 1GiB } }
    routes: { all: { match: { pathPrefix: /limited } } }
  retried:
    public: true
    upstream: careful
    routes: { all: { match: { pathPrefix: /retried } } }
  small:
    public: true
    policies: { bodyLimit: { max: 1MiB } }
    timeout: 500ms
    routes:
      plain: { match: { pathPrefix: /small/plain }, upstream: plain }
      retried: { match: { pathPrefix: /small/retried }, upstream: careful }
  cached:
    public: true
    upstream: plain
    policies: { cache: { ttl: 1m } }
    routes: { all: { match: { pathPrefix: /cached } } }
  full:
    public: true
    upstream: careful
    policies:
      requestId: {}
      accessLog: {}
      securityHeaders: {}
      cors: { origins: [https://shop.example.com] }
      bodyLimit: { max: 1GiB }
      rateLimit: { limits: [{ name: ip, rate: 1000/1m, key: ip, store: isolate }] }
      headers: { request: { set: { x-from-gateway: "yes" } }, response: { set: { x-served: "yes" } } }
      cache: { ttl: 1m }
    routes:
      all: { match: { pathPrefix: /full } }
      brief: { match: { pathPrefix: /full/brief }, timeout: 150ms }
`;

beforeAll(async () => {
  stage = await startStage();
});

afterAll(async () => {
  await stage.stop();
});

describe.each([
  ["with no policy", "/bare/events"],
  ["with every policy there is", "/full/events"],
])("a stream of events, %s", (_, path) => {
  let served: Served;

  beforeAll(async () => {
    served = await serve({ files: { "gateway.yaml": policies() } });
  });
  afterAll(async () => {
    expect(await served.stop()).toBe(0);
  });

  /** Opens a stream of events: the origin's side, which answers with these fields, and the client's. */
  const subscribe = async (
    target: string,
    fields: Record<string, string> = {},
    sent: readonly string[] = [],
  ) => {
    let origin: ServerResponse | undefined;
    stage.on(target, (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream", ...fields });
      response.flushHeaders();
      origin = response;
    });
    const wire = await dial(served.port);
    wire.send(requestText(`GET ${target}`, ["Accept: text/event-stream", ...sent]));
    await until("the stream's header", () => wire.bytes().includes("\r\n\r\n") && origin !== undefined);
    return { origin: origin!, wire };
  };

  it("delays none: half of them arrive within 50 ms of being sent, and mostly in far less", async () => {
    const { origin, wire } = await subscribe(path);
    const delays: number[] = [];
    for (let number = 0; number < 21; number++) {
      const event = `data: event ${number}\n\n`;
      const arrived = new Promise<number>((resolve) => {
        const look = (chunk: Buffer): void => {
          if (!chunk.includes(event)) return;
          wire.socket.off("data", look);
          resolve(performance.now());
        };
        wire.socket.on("data", look);
      });
      const sentAt = performance.now();
      origin.write(event);
      delays.push((await arrived) - sentAt);
    }
    origin.end();
    wire.socket.destroy();
    expect(delays.sort((one, other) => one - other)[10]).toBeLessThan(50);
  });

  it("is never stored, however fresh its origin says that it is, and each client has its own", async () => {
    const target = `${path}/fresh`;
    const before = stage.asked.length;
    const fresh = { "cache-control": "public, max-age=60" };
    const first = await subscribe(target, fresh);
    const second = await subscribe(target, fresh);
    expect(stage.asked.length).toBe(before + 2);
    first.origin.end("data: one\n\n");
    second.origin.end("data: two\n\n");
    for (const [{ wire }, data] of [
      [first, "one"],
      [second, "two"],
    ] as const) {
      const answer = await wire.answer();
      expect(answer.body.toString()).toBe(`data: ${data}\n\n`);
      if (path.startsWith("/full")) expect(fieldOf(answer, "cache-status")).toContain("detail=stream");
      wire.socket.destroy();
    }
  });

  it("goes on where the client says that it was", async () => {
    const { origin, wire } = await subscribe(`${path}/again`, {}, ["Last-Event-ID: 41"]);
    expect(fieldOf(stage.last(), "last-event-id")).toBe("41");
    origin.end();
    wire.socket.destroy();
  });

  it("ends at its origin when the client goes away, once the origin writes", async () => {
    const { origin, wire } = await subscribe(`${path}/left`);
    let over = false;
    origin.once("close", () => {
      over = true;
    });
    wire.socket.destroy();
    await until("the end at the origin", () => {
      origin.write(": still there\n\n");
      return over;
    });
  });
});

it("a stream of events may be silent for longer than its upstream's time", async () => {
  const served = await serve({ files: { "gateway.yaml": policies() } });
  let origin: ServerResponse | undefined;
  stage.on("/full/brief/events", (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    origin = response;
  });
  const wire = await dial(served.port);
  wire.send(requestText("GET /full/brief/events"));
  await until("the stream's header", () => wire.bytes().includes("\r\n\r\n"));
  const since = Date.now();
  await until("the time to be over", () => Date.now() - since > 500);
  origin!.write("data: late\n\n");
  await until("the event", () => wire.bytes().includes("data: late"));
  origin!.end();
  wire.socket.destroy();
  expect(await served.stop()).toBe(0);
});

/** Writes 100 MiB, as fast as they are taken. */
const pour = (into: Writable): void => {
  let sent = 0;
  const more = (): void => {
    while (sent < LENGTH) {
      const piece = pieceAt(sent);
      sent += piece.length;
      if (!into.write(piece)) return void into.once("drain", more);
    }
    into.end();
  };
  more();
};

const digestOf = async (stream: IncomingMessage): Promise<string> => {
  const hash = createHash("sha1");
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest("hex");
};

/** Sends a request and answers its response. */
const send = (
  served: Served,
  method: string,
  path: string,
  headers: Record<string, string>,
  write: (request: ClientRequest) => void,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: served.port, method, path, headers }, resolve);
    request.once("error", reject);
    write(request);
  });

const FRAMINGS = { "of a known length": { "content-length": String(LENGTH) }, chunked: {} } as const;
type Framing = keyof typeof FRAMINGS;

/** 100 MiB in one direction. */
const move = async (served: Served, method: string, path: string, framing: Framing): Promise<void> => {
  const fields = FRAMINGS[framing];
  if (method === "GET") {
    stage.on(path, (_request, response) => {
      response.writeHead(200, { "cache-control": "max-age=60", ...fields });
      pour(response);
    });
    const answer = await send(served, method, path, {}, (request) => request.end());
    expect([answer.statusCode, await digestOf(answer)]).toEqual([200, DIGEST]);
    return;
  }
  stage.on(path, async (request, response) => response.end(await digestOf(request)));
  const answer = await send(served, method, path, { ...fields }, pour);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  expect([answer.statusCode, Buffer.concat(chunks).toString()]).toEqual([200, DIGEST]);
};

/** What a gateway that was never used grows by, at its peak. */
const growthOf = async (moves: readonly (readonly [string, string, Framing])[]): Promise<number> => {
  const served = await serve({ files: { "gateway.yaml": policies() } });
  const pid = workerdOf(served.process.pid!);
  for (const path of new Set(moves.map(([, target]) => target))) {
    await (await fetch(`${served.url}${path}/warm`)).text();
  }
  const before = residentMib(pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMib(pid));
  }, 5);
  for (const words of moves) await move(served, ...words);
  clearInterval(watch);
  expect(await served.stop()).toBe(0);
  return peak - before;
};

/** What bodies may make the gateway grow by, in MiB. */
const FLAT = 32;
/** Where a body goes through two pipes, and each piece of it twice through JavaScript: what that leaves behind is collected late. */
const TWICE = 40;

describe("100 MiB, byte for byte, in flat memory", () => {
  it("up and down, one after the other, where nobody looks at them", async () => {
    const growth = await growthOf([
      ["GET", "/bare/down", "of a known length"],
      ["GET", "/bare/down", "chunked"],
      ["POST", "/bare/up", "of a known length"],
      ["POST", "/bare/up", "chunked"],
    ]);
    expect(growth).toBeLessThan(FLAT);
  });

  it("where policies let them pass unseen: a known length within the limit, an answer that is too large for the cache", async () => {
    const growth = await growthOf([
      ["POST", "/limited/up", "of a known length"],
      ["PUT", "/retried/up", "of a known length"],
      ["GET", "/retried/down", "chunked"],
      ["GET", "/cached/down", "of a known length"],
      ["GET", "/cached/down", "chunked"],
      ["GET", "/full/down", "chunked"],
    ]);
    expect(growth).toBeLessThan(FLAT);
  });

  it.each([
    ["a body limit counts them", "POST", "/limited/up", FLAT],
    ["a retry keeps their beginning", "PUT", "/retried/up", FLAT],
    ["both do, among all other policies", "PUT", "/full/up", TWICE],
  ])("chunked, where %s", async (_, method, path, bound) => {
    expect(await growthOf([[method, path, "chunked"]])).toBeLessThan(bound);
  });
});

describe.each(["/small/plain", "/small/retried"])("a chunked body to %s", (path) => {
  let served: Served;
  let ended: string | undefined;
  let read = 0;

  beforeAll(async () => {
    served = await serve({ files: { "gateway.yaml": policies() } });
    stage.on(path, (request) => {
      ended = undefined;
      read = 0;
      request.on("data", (chunk: Buffer) => (read += chunk.length));
      request.once("end", () => (ended ??= "whole"));
      request.once("error", () => (ended ??= "broken"));
    });
  });
  afterAll(async () => {
    expect(await served.stop()).toBe(0);
  });

  const chunk = `${(100_000).toString(16)}\r\n${"x".repeat(100_000)}\r\n`;
  const begin = async (chunks: number) => {
    const wire = await dial(served.port);
    wire.send(requestText(`PUT ${path}`, ["Transfer-Encoding: chunked"]) + chunk.repeat(chunks));
    return wire;
  };

  it("that proves too large is answered 413, and its upstream never has a whole one", async () => {
    const wire = await begin(12);
    wire.send("0\r\n\r\n");
    expect((await wire.answer()).status).toBe(413);
    await until("the end of the call", () => ended !== undefined);
    expect([ended, read <= MIB]).toEqual(["broken", true]);
    wire.socket.destroy();
  });

  it("that takes longer than there is time for is answered 504, and its upstream let go of", async () => {
    const wire = await begin(3);
    expect((await wire.answer()).status).toBe(504);
    await until("the end of the call", () => ended !== undefined);
    expect(ended).toBe("broken");
    wire.socket.destroy();
  });

  it("whose client goes away is no whole one either", async () => {
    const wire = await begin(3);
    await until("what was sent", () => read === 300_000);
    wire.socket.destroy();
    await until("the end of the call", () => ended !== undefined);
    expect(ended).toBe("broken");
  });
});
