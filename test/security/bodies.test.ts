import type { IncomingMessage, ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../e2e/until.ts";
import { ask, dial, fieldOf, requestText } from "../e2e/wire.ts";
import { type Ground, startGround, statusOf, upstream } from "./support.ts";

// S30, S31 and S32: what is too large is refused by what really comes, and nothing is inflated.

const CLOSE = "Connection: close";
let ground: Ground<"shop">;
/** What the upstream read of bodies: how many bytes, and whether they were whole. */
const read: { bytes: number; whole: boolean }[] = [];

beforeAll(async () => {
  ground = await startGround(
    ["shop"],
    ({ shop }) => `
gateway: { name: bodies, hosts: { public: api.example.com }, clientIp: connection }
upstreams:
  shop: ${upstream(shop)}
  one: { targets: { only: { url: "${shop}", network: private } }, timeout: 3s, circuitBreaker: { maxPending: 1 } }
apis:
  open:
    public: true
    upstream: shop
    routes:
      free: { match: { pathPrefix: /free } }
      limited: { match: { pathPrefix: /limited }, policies: { bodyLimit: { max: 1KiB } } }
      retried: { match: { pathPrefix: /one }, upstream: one, policies: { bodyLimit: { max: 1KiB } } }
      stored: { match: { pathPrefix: /stored }, policies: { bodyLimit: { max: 1KiB }, cache: { ttl: 1m } } }
      said: { match: { path: /said }, policies: { bodyLimit: { max: 1KiB } }, respond: { status: 200, body: said } }
      edited: { match: { pathPrefix: /edited }, policies: { bodyLimit: { max: 1KiB }, body: { request: { edits: [{ op: add, path: /a, value: 1 }] }, response: { edits: [{ op: add, path: /a, value: 1 }] } } } }
      headers: { match: { pathPrefix: /headers }, policies: { bodyLimit: { maxHeaders: { count: 20, size: 4KiB } } } }
`,
  );
  for (const path of ["/free/x", "/limited/x", "/one/x", "/stored/x", "/edited/x"])
    ground.origins.shop.on(path, count);
});
afterAll(() => ground.stop());

const count = (request: IncomingMessage, response: ServerResponse): void => {
  const one = { bytes: 0, whole: false };
  read.push(one);
  request.on("data", (chunk: Buffer) => (one.bytes += chunk.length));
  request.once("end", () => {
    one.whole = true;
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
};

const chunksOf = (bytes: Buffer, size = 256): Buffer => {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
};

const JSON_TYPE = "Content-Type: application/json";
const post = async (path: string, fields: readonly string[], body: Buffer) => {
  read.length = 0;
  const head = Buffer.from(requestText(`POST ${path}`, [...fields, JSON_TYPE, CLOSE]), "latin1");
  return statusOf(await ask(ground.gateway.port, Buffer.concat([head, body])));
};

const SMALL = Buffer.from(`{"b":"${"x".repeat(1000)}"}`);
const LARGE = Buffer.from(`{"b":"${"x".repeat(2000)}"}`);
const PATHS = ["/limited/x", "/one/x", "/stored/x", "/edited/x"];

describe("a body within the limit (the control)", () => {
  it.each([...PATHS, "/said"])("passes, with a length and in chunks: %s", async (path) => {
    expect(await post(path, [`Content-Length: ${SMALL.length}`], SMALL)).toBe("200");
    expect(await post(path, ["Transfer-Encoding: chunked"], chunksOf(SMALL))).toBe("200");
    if (path !== "/said") expect(read).toMatchObject([{ whole: true }]);
  });
});

describe("a body over the limit is 413, and none that is whole arrives (S30):", () => {
  it.each(PATHS)("%s", async (path) => {
    for (const [fields, body] of [
      [[`Content-Length: ${LARGE.length}`], LARGE],
      [["Transfer-Encoding: chunked"], chunksOf(LARGE)],
      [["Transfer-Encoding: chunked"], chunksOf(LARGE, 1)],
      [["Transfer-Encoding: chunked"], chunksOf(LARGE, LARGE.length)],
      // The lie is believed by nobody: chunked decides, or the request is refused.
      [["Transfer-Encoding: chunked", "Content-Length: 5"], chunksOf(LARGE)],
      [["Content-Length: 5", "Transfer-Encoding: chunked"], chunksOf(LARGE)],
      [["Transfer-Encoding: chunked", "X-Content-Length: 5", "Content_Length: 5"], chunksOf(LARGE)],
    ] as const) {
      expect(await post(path, fields, body)).toMatch(/^(?:413 body-too-large|400|501)$/);
      expect(read.filter(({ whole }) => whole)).toEqual([]);
    }
  });

  it("where the length is too small, what is over it is no part of the body", async () => {
    expect(await post("/limited/x", ["Content-Length: 5"], LARGE)).toBe("200");
    expect(read).toEqual([{ bytes: 5, whole: true }]);
  });

  it("where the length is too large, before any of it came", async () => {
    expect(await post("/limited/x", ["Content-Length: 99999999999"], SMALL)).toBe("413 body-too-large");
    expect(read).toEqual([]);
  });

  it("where nobody reads it, by what it says of itself; one that says nothing costs nobody anything", async () => {
    expect(await post("/said", [`Content-Length: ${LARGE.length}`], LARGE)).toBe("413 body-too-large");
    // The answer does not wait for a body that no policy and no upstream wants.
    const wire = await dial(ground.gateway.port);
    wire.send(requestText("POST /said", ["Transfer-Encoding: chunked"], "5\r\nabcde\r\n"));
    expect((await wire.answer("POST")).status).toBe(200);
    wire.socket.destroy();
    expect(read.filter(({ whole }) => whole)).toEqual([]);
  });

  it.each(PATHS.slice(0, 3))(
    "a small body that would inflate to much is what it is on the wire: %s",
    async (path) => {
      const bomb = gzipSync(Buffer.alloc(900_000));
      expect(bomb.length).toBeLessThan(1024);
      expect(await post(path, [`Content-Length: ${bomb.length}`, "Content-Encoding: gzip"], bomb)).toBe(
        "200",
      );
      expect(read).toEqual([{ bytes: bomb.length, whole: true }]);
      const larger = gzipSync(Buffer.alloc(9_000_000));
      expect(
        await post(path, ["Transfer-Encoding: chunked", "Content-Encoding: gzip"], chunksOf(larger)),
      ).toBe("413 body-too-large");
    },
  );
});

describe("header fields (S31)", () => {
  const many = (length: number): string[] => Array.from({ length }, (_, index) => `X-${index}: y`);

  it("within the limits pass (the control)", async () => {
    expect(statusOf((await ground.request("GET /headers/x", many(10))).answer)).toBe("200");
    expect(statusOf((await ground.request("GET /free/y", many(60))).answer)).toBe("200");
  });

  it.each<[string, string[]]>([
    ["too many", many(30)],
    ["one that is too large", [`X-Large: ${"y".repeat(5000)}`]],
    ["several that are too large together", many(5).map((field) => field + "y".repeat(1000))],
    ["one of many values", Array.from({ length: 600 }, () => "X-Same: yyyyyy")],
    ["many crumbs of a cookie", Array.from({ length: 600 }, (_, index) => `Cookie: c${index}=y`)],
  ])("%s are 431, and the upstream hears nothing", async (_, fields) => {
    const { answer, heard } = await ground.request("GET /headers/x", fields);
    expect([answer.status, heard]).toEqual([431, []]);
  });

  it("more than the platform takes end the connection, and the gateway goes on", async () => {
    const wire = await dial(ground.gateway.port);
    wire.send(`GET /free/y HTTP/1.1\r\nHost: api.example.com\r\n${many(100_000).join("\r\n")}`);
    await until("the end of it", () => wire.closed() || /^HTTP\/1.1 4/.test(wire.bytes().toString("latin1")));
    wire.socket.destroy();
    expect((await ground.request("GET /free/y")).answer.status).toBe(200);
  });
});

describe("clients that go away (S31)", () => {
  it("take their calls along, and give back the only permit of a breaker", async () => {
    let open = 0;
    ground.origins.shop.on("/one/slow", (request, response) => {
      open++;
      request.socket.once("close", () => open--);
      response.writeHead(200);
      // It writes now and then, as otherwise nobody would notice that the reader is gone.
      const more = setInterval(() => response.write("more"), 5);
      request.socket.once("close", () => clearInterval(more));
    });
    for (let time = 0; time < 20; time++) {
      const wire = await dial(ground.gateway.port);
      wire.send(requestText("GET /one/slow"));
      await until("an answer", () => wire.bytes().includes("more"));
      expect(wire.bytes().toString("latin1")).toMatch(/^HTTP\/1\.1 200 /);
      wire.socket.destroy();
    }
    await until("the end of the calls", () => open === 0, 5000);
    expect((await ground.request("GET /one/y")).answer.status).toBe(200);
  });

  it("before an answer, give it back at the latest when the call's time is over", async () => {
    ground.origins.shop.on("/one/never", () => {});
    for (let time = 0; time < 5; time++) {
      const wire = await dial(ground.gateway.port);
      wire.send(requestText("GET /one/never"));
      await new Promise((resolve) => setTimeout(resolve, 30));
      wire.socket.destroy();
    }
    await until("an answer", async () => (await ground.request("GET /one/y")).answer.status === 200, 8000);
  });

  it("in a flood of streams leave a gateway that serves", async () => {
    for (let time = 0; time < 200; time++) {
      const wire = await dial(ground.gateway.port);
      wire.send(requestText("POST /free/x", ["Content-Length: 100"], "x"));
      wire.socket.destroy();
    }
    expect((await ground.request("GET /free/y")).answer.status).toBe(200);
  });
});

describe("what is compressed (S32)", () => {
  const BOMB = gzipSync(Buffer.alloc(64 * 1024 * 1024));

  it("passes in both directions as it came, byte for byte, however much it stands for", async () => {
    ground.origins.shop.on("/free/bomb", (_request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(BOMB),
    );
    const answer = await ask(
      ground.gateway.port,
      requestText("GET /free/bomb", [CLOSE, "Accept-Encoding: gzip"]),
    );
    expect([answer.status, fieldOf(answer, "content-encoding"), answer.body.equals(BOMB)]).toEqual([
      200,
      "gzip",
      true,
    ]);
    expect(await post("/free/x", [`Content-Length: ${BOMB.length}`, "Content-Encoding: gzip"], BOMB)).toBe(
      "200",
    );
    expect(read).toEqual([{ bytes: BOMB.length, whole: true }]);
  });

  it.each(["gzip", "br", "deflate", "zstd", "gzip, gzip"])(
    "is not inflated for a policy that would read it: %s",
    async (coding) => {
      const small = gzipSync(Buffer.alloc(900_000));
      expect(
        await post("/edited/x", [`Content-Length: ${small.length}`, `Content-Encoding: ${coding}`], small),
      ).toMatch(/^415/);
      expect(read).toEqual([]);
      ground.origins.shop.on("/edited/answer", (_request, response) =>
        response
          .writeHead(200, { "content-type": "application/json", "content-encoding": coding })
          .end(small),
      );
      const { answer } = await ground.request("GET /edited/answer");
      expect([answer.status, answer.body.length < 2000]).toEqual([502, true]);
    },
  );

  it("is edited where it is not (the control)", async () => {
    expect(await post("/edited/x", [`Content-Length: ${SMALL.length}`], SMALL)).toBe("200");
  });
});
