import { describe, expect, it } from "vitest";
import { balancer as smoothWeightedRoundRobin } from "../../src/balancers/smooth-weighted-round-robin.ts";
import { filter as cache } from "../../src/policies/cache/filter.ts";
import { filter as cors } from "../../src/policies/cors/filter.ts";
import { link, type Registry } from "../../src/runtime/link.ts";
import { linkManagedUpstream } from "../../src/runtime/managed/upstream.ts";
import { linkSplit } from "../../src/runtime/split.ts";
import { linkWebSocket } from "../../src/runtime/websocket.ts";
import { compiled, planOf, sourcesOf } from "../support/compiling.ts";
import { fakePorts } from "../support/ports.ts";

const registry: Registry = {
  filters: { cache, cors },
  authenticators: {},
  balancers: { smoothWeightedRoundRobin },
  parts: { managed: linkManagedUpstream, split: linkSplit, websocket: linkWebSocket },
};

/** A gateway with one route; what its upstream got, and answers by what a test says. */
const stage = (action: string, policies = "", answer = () => new Response("plain")) => {
  const sources = sourcesOf({
    "gateway.yaml": `gateway:
  hosts: { public: api.example.com }
upstreams:
  chat: { targets: { main: { url: "https://chat.example.com" } } }
  next: { targets: { main: { url: "https://next.example.com" } }, hedge: { after: 1ms } }
apis:
  chat:
    public: true
    policies: { ${policies} }
    routes: { room: { match: { path: /room }, ${action} } }
  keeper: { public: true, routes: { a: { match: { path: /a }, upstream: chat }, b: { match: { path: /b }, upstream: next } } }
`,
  });
  const sent: Headers[] = [];
  const ports = fakePorts({
    network: (_url, init) => {
      sent.push(new Headers(init!.headers));
      return answer();
    },
  });
  const gateway = link(planOf(compiled(sources)), registry, ports);
  const ask = async (headers: Record<string, string>, method = "GET"): Promise<Response> =>
    gateway(new Request("https://api.example.com/room", { method, headers }), { waitUntil: () => undefined });
  return { ask, sent, upgrades: () => sent.map((fields) => fields.get("upgrade")) };
};

const HANDSHAKE = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** The handshake with other fields; undefined takes one off. */
const handshake = (over: Record<string, string | undefined> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...HANDSHAKE, ...over }).filter(
      (field): field is [string, string] => field[1] !== undefined,
    ),
  );

describe("a request that opens a WebSocket", () => {
  it.each([
    ["by the book", {}],
    ["in capitals", { upgrade: "WebSocket", connection: "keep-alive, UPGRADE" }],
    [
      "from another Worker, without key, version and connection",
      { connection: undefined, "sec-websocket-version": undefined, "sec-websocket-key": undefined },
    ],
    ["through a proxy that ends HTTP/2, without connection", { connection: undefined }],
  ])("goes on as one: %s", async (_, over) => {
    const { ask, upgrades } = stage("upstream: chat, websocket: true");
    expect((await ask(handshake(over))).status).toBe(200);
    expect(upgrades()).toEqual(["websocket"]);
  });

  it("goes on as one down a lane too", async () => {
    const { ask, upgrades } = stage("split: { lanes: { chat: 100%, next: 0% } }, websocket: true");
    await ask(handshake());
    expect(upgrades()).toEqual(["websocket"]);
  });

  it("is not hedged: two upstreams would each open one", async () => {
    const slow = () => new Promise<Response>((resolve) => setTimeout(resolve, 20, new Response("plain")));
    const { ask, sent } = stage("upstream: next, websocket: true", "", slow as never);
    await ask(handshake());
    expect(sent).toHaveLength(1);
    await ask({});
    expect(sent).toHaveLength(3);
  });

  it.each([
    ["an old version", { "sec-websocket-version": "8" }, "websocket-version"],
    ["several versions", { "sec-websocket-version": "13, 8" }, "websocket-version"],
    ["no version", { "sec-websocket-version": undefined }, "websocket-version"],
    ["no key", { "sec-websocket-key": undefined }, "websocket-key"],
    ["a key that is too short", { "sec-websocket-key": "dGhlIHNhbXBsZQ==" }, "websocket-key"],
    ["a key that is no base64", { "sec-websocket-key": "dGhlIHNhbXBsZSBub25j!Q==" }, "websocket-key"],
    [
      "two keys",
      { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==" },
      "websocket-key",
    ],
    ["a long key", { "sec-websocket-key": "A".repeat(65_536) }, "websocket-key"],
  ])("is refused before anybody hears of it: %s", async (_, over, code) => {
    const { ask, sent } = stage("upstream: chat, websocket: true");
    const answer = await ask(handshake(over));
    expect(await answer.json()).toMatchObject({ status: 400, code });
    expect(answer.headers.get("sec-websocket-version")).toBe(code === "websocket-version" ? "13" : null);
    expect(sent).toEqual([]);
  });
});

describe("a request that opens none goes on without its Upgrade (S27)", () => {
  it.each([
    ["another protocol", "websocket: true", { upgrade: "h2c" }, "GET"],
    ["a choice of protocols", "websocket: true", { upgrade: "websocket, h2c" }, "GET"],
    ["another method", "websocket: true", {}, "POST"],
    ["a route that offers none", "", {}, "GET"],
    [
      "a route that offers none, and a handshake that is not in order",
      "",
      { "sec-websocket-version": "8" },
      "GET",
    ],
  ])("%s", async (_, offer, over, method) => {
    const { ask, upgrades } = stage(`upstream: chat${offer === "" ? "" : `, ${offer}`}`);
    expect((await ask(handshake(over), method)).status).toBe(200);
    expect(upgrades()).toEqual([null]);
  });
});

describe("a cors policy", () => {
  const CORS = "cors: { origins: [https://shop.example.com], credentials: true }";

  it.each([
    ["another origin", "https://evil.example", 403],
    ["no origin that there could be", "null", 403],
    ["an origin that is allowed", "https://shop.example.com", 200],
    ["no page at all", undefined, 200],
  ])("tells whose pages open WebSockets: %s", async (_, origin, status) => {
    const { ask, sent } = stage("upstream: chat, websocket: true", CORS);
    const answer = await ask(handshake({ origin }));
    expect(answer.status).toBe(status);
    expect(sent).toHaveLength(status === 200 ? 1 : 0);
    if (status === 403) expect(await answer.json()).toMatchObject({ code: "origin-refused" });
  });

  it("leaves other requests of other origins to the browser", async () => {
    for (const [offer, fields] of [
      ["", handshake()],
      [", websocket: true", {}],
    ] as const) {
      const { ask } = stage(`upstream: chat${offer}`, CORS);
      expect((await ask({ ...fields, origin: "https://evil.example" })).status).toBe(200);
    }
  });

  it("lets everybody in where it says so", async () => {
    const { ask } = stage("upstream: chat, websocket: true", "cors: { origins: any }");
    expect((await ask(handshake({ origin: "https://evil.example" }))).status).toBe(200);
  });
});

describe("a cache", () => {
  const fresh = () => new Response("plain", { headers: { "cache-control": "max-age=60" } });

  it("neither answers a request that opens a WebSocket nor keeps its answer", async () => {
    const { ask, sent } = stage("upstream: chat, websocket: true", "cache: {}", fresh);
    for (const [fields, calls, status] of [
      [handshake(), 1, null],
      [{}, 2, "postern; fwd=miss; stored"],
      [handshake(), 3, null],
    ] as const) {
      const answer = await ask(fields);
      await answer.text();
      expect([sent.length, answer.headers.get("cache-status")]).toEqual([calls, status]);
    }
    expect((await ask({})).headers.get("cache-status")).toContain("hit");
  });

  it("is not to be got around by an Upgrade that nobody looks at", async () => {
    const { ask, sent } = stage("upstream: chat", "cache: {}", fresh);
    await (await ask({})).text();
    expect((await ask(handshake())).headers.get("cache-status")).toContain("hit");
    expect(sent).toHaveLength(1);
  });
});

describe("gRPC", () => {
  it.each(["application/grpc", "application/grpc+proto", "Application/GRPC;x=y", "application/grpc "])(
    "is refused with a word on what to do: %s",
    async (type) => {
      const { ask, sent } = stage("upstream: chat");
      const answer = await ask({ te: "trailers", "content-type": type }, "POST");
      expect(await answer.json()).toMatchObject({ status: 501, code: "grpc-not-offered" });
      expect(sent).toEqual([]);
    },
  );

  it("is not what has been through this gateway before", async () => {
    const { ask } = stage("upstream: chat");
    const answer = await ask({ "content-type": "application/grpc", "cdn-loop": "postern.postern" }, "POST");
    expect(await answer.json()).toMatchObject({ status: 508, code: "loop-detected" });
  });

  it.each([
    ["gRPC-Web", "trailers", "application/grpc-web+proto"],
    ["gRPC-Web as text", "trailers", "application/grpc-web-text"],
    ["anything else with trailers", "trailers", "application/json"],
    ["what no gRPC client sends", undefined, "application/grpc"],
  ])("is not %s", async (_, te, type) => {
    const { ask, sent } = stage("upstream: chat");
    const fields: Record<string, string> = { "content-type": type, ...(te !== undefined && { te }) };
    expect((await ask(fields, "POST")).status).toBe(200);
    expect([sent[0]!.get("te"), sent[0]!.get("content-type")]).toEqual([null, type]);
  });
});
