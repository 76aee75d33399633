import { describe, expect, it, vi } from "vitest";
import { balancer as smoothWeightedRoundRobin } from "../../src/balancers/smooth-weighted-round-robin.ts";
import { filter as accessLog } from "../../src/policies/access-log/filter.ts";
import { filter as bodyLimit } from "../../src/policies/body-limit/filter.ts";
import { filter as cache } from "../../src/policies/cache/filter.ts";
import { type Gateway, link, type Registry } from "../../src/runtime/link.ts";
import { linkManagedUpstream } from "../../src/runtime/managed/upstream.ts";
import { linkMirror } from "../../src/runtime/mirror.ts";
import { linkSplit } from "../../src/runtime/split.ts";
import { compiled, planOf, sourcesOf } from "../support/compiling.ts";
import { fakePorts } from "../support/ports.ts";

// Lanes and mirrors among the other parts of a gateway: policies, retries, the log.

const registry: Registry = {
  filters: { accessLog, bodyLimit, cache },
  authenticators: {},
  balancers: { smoothWeightedRoundRobin },
  parts: { managed: linkManagedUpstream, mirror: linkMirror, split: linkSplit },
};

interface Sent {
  readonly upstream: string;
  readonly method: string;
  readonly headers: Headers;
}

type Network = (sent: Sent, time: number) => Response | Promise<Response>;

/** A gateway with one public route, its upstreams named after their hosts. */
const stage = (route: string, network: Network = () => new Response("ok"), policies = "") => {
  const sources = sourcesOf({
    "gateway.yaml": `gateway:
  hosts: { public: api.example.com }
  clientIp: connection
  policies: { accessLog: {}${policies} }
upstreams:
  orders: { targets: { main: { url: "https://orders.example.com" } } }
  next:
    targets: { one: { url: "https://next.example.com" }, two: { url: "https://next.example.com" } }
    retry: { retries: 3, on: [503], backoff: { base: 1ms, max: 1ms } }
  shadow: { targets: { main: { url: "https://shadow.example.com/base" } } }
apis:
  shop: { public: true, routes: { it: { match: { path: /x }, ${route} } } }
  keeper: { public: true, routes: { a: { match: { path: /keeper }, split: { lanes: { orders: 50%, next: 50% } }, mirror: [{ upstream: shadow }] } } }
`,
  });
  const sent: Sent[] = [];
  const deferred: Promise<unknown>[] = [];
  const ports = fakePorts({
    network: (url, init) => {
      const call: Sent = {
        upstream: new URL(url).hostname.split(".")[0]!,
        method: init!.method!,
        headers: new Headers(init!.headers),
      };
      sent.push(call);
      return network(call, sent.length);
    },
  });
  const gateway: Gateway = link(planOf(compiled(sources)), registry, ports);
  const ask = async (
    headers: Record<string, string> = {},
    method = "GET",
    body: string | null = null,
  ): Promise<Response> =>
    gateway(new Request("https://api.example.com/x", { method, headers, body }), {
      waitUntil: (work) => void deferred.push(work),
    });
  /** Asks, reads the answer, and waits for what is done after it. */
  const read = async (...words: Parameters<typeof ask>): Promise<{ headers: Headers; text: string }> => {
    const response = await ask(...words);
    const text = await response.text();
    await Promise.all(deferred.splice(0));
    return { headers: response.headers, text };
  };
  return { ask, read, sent, deferred, ports, upstreams: () => sent.map(({ upstream }) => upstream) };
};

const EVEN = "lanes: { orders: 50%, next: 50% }";
const BY_HEADER = `split: { ${EVEN}, sticky: { by: header, name: x-key } }`;
const keys = Array.from({ length: 12 }, (_, index) => ({ "x-key": `caller-${index}` }));

describe("a lane", () => {
  it("is a caller's own, time after time", async () => {
    const { ask, upstreams, sent } = stage(BY_HEADER);
    for (const headers of [...keys, ...keys]) await ask(headers);
    expect(upstreams().slice(keys.length)).toEqual(upstreams().slice(0, keys.length));
    expect(new Set(sent.map(({ upstream }) => upstream))).toEqual(new Set(["orders", "next"]));
  });

  it("keeps the retries of its requests", async () => {
    const { ask, upstreams } = stage(
      "split: { lanes: { next: 100%, orders: 0% } }",
      (_, time) => new Response(null, { status: time < 3 ? 503 : 200 }),
    );
    expect((await ask()).status).toBe(200);
    expect(upstreams()).toEqual(["next", "next", "next"]);
  });

  it("is told in the log, beside the target", async () => {
    const { ask, ports } = stage(BY_HEADER);
    for (const headers of keys) await ask(headers);
    const lanes = ports.records.map(({ lane, target }) => `${lane}.${target}`);
    expect(new Set(lanes)).toEqual(new Set(["orders.main", "next.one", "next.two"]));
  });

  it("is not chosen for a request that is refused before: no cookie is given for it", async () => {
    const sticky = "sticky: { by: cookie, name: lane }";
    const { ask, ports } = stage(`split: { ${EVEN}, ${sticky} }, policies: { bodyLimit: { max: 1B } }`);
    const refused = await ask({ "content-length": "9" }, "POST", "too large");
    expect([refused.status, refused.headers.get("set-cookie")]).toEqual([413, null]);
    expect(ports.records).toMatchObject([{ status: 413, lane: undefined }]);
    expect((await ask()).headers.get("set-cookie")).toMatch(/^lane=/);
  });

  it("is no lane of a route without a split", async () => {
    const { ask, ports } = stage("upstream: orders");
    await ask();
    expect(ports.records).toMatchObject([{ lane: undefined, target: "main" }]);
  });
});

describe("what a lane edits", () => {
  const lanes = (next: string): string =>
    `split: { lanes: { orders: 0%, next: { share: 100%, headers: ${next} } } }`;

  it("goes to its upstream, retries included, and is added once", async () => {
    const { ask, sent } = stage(
      lanes("{ set: { x-lane: next }, add: { accept: text/plain }, remove: [x-old] }"),
      (_, time) => new Response(null, { status: time < 2 ? 503 : 200 }),
    );
    await ask({ accept: "text/html", "x-old": "1", "x-lane": "forged" });
    const seen = sent.map(({ headers }) => ["x-lane", "accept", "x-old"].map((name) => headers.get(name)));
    expect(seen).toEqual([
      ["next", "text/html, text/plain", null],
      ["next", "text/html, text/plain", null],
    ]);
  });

  it("is no part of what a cache selects by, and is added once when it asks again", async () => {
    const route = `${lanes("{ set: { x-lane: next }, add: { accept: text/plain } }")}, policies: { cache: { ttl: 1m } }`;
    const { read, sent, ports } = stage(route, (_, time) =>
      time === 2
        ? new Response(null, { status: 304, headers: { etag: '"other"' } })
        : new Response("ok", { headers: { etag: '"1"', vary: "x-lane", "cache-control": "max-age=10" } }),
    );
    await read();
    expect((await read()).headers.get("cache-status")).toMatch(/^postern; hit/);
    expect(sent.length).toBe(1);
    ports.clock.advance(11_000);
    // What it asked about is not what the upstream has, so it asks a second time.
    await read();
    expect(sent.map(({ headers }) => headers.get("accept"))).toEqual([
      "text/plain",
      "text/plain",
      "text/plain",
    ]);
    expect(sent.map(({ headers }) => headers.get("if-none-match"))).toEqual([null, '"1"', null]);
  });
});

describe("a cache", () => {
  const CACHED = ", policies: { cache: { ttl: 1m } }";
  const version: Network = ({ upstream }) => new Response(upstream);

  it("keeps lanes apart", async () => {
    const { read, sent } = stage(BY_HEADER + CACHED, version);
    const texts = async (): Promise<string[]> => {
      const list = [];
      for (const headers of keys) list.push((await read(headers)).text);
      return list;
    };
    const first = await texts();
    expect(new Set(first)).toEqual(new Set(["orders", "next"]));
    const calls = sent.length;
    expect(calls).toBeLessThan(keys.length);
    expect(await texts()).toEqual(first);
    expect(sent.length).toBe(calls);
  });

  it("forgets all of them when the resource is changed by way of one", async () => {
    const { read, sent } = stage(BY_HEADER + CACHED, version);
    for (const headers of keys) await read(headers);
    await read(keys[0], "PUT");
    sent.length = 0;
    for (const headers of keys) await read(headers);
    expect(new Set(sent.map(({ upstream }) => upstream))).toEqual(new Set(["orders", "next"]));
  });

  it("hands no cookie on that another was given, and gives one of their own to those whom it answers", async () => {
    const sticky = "sticky: { by: cookie, name: lane }";
    const { read, sent } = stage(`split: { lanes: { orders: 100%, next: 0% }, ${sticky} }${CACHED}`, version);
    const cookies = [];
    for (let time = 0; time < 3; time++) cookies.push((await read()).headers.get("set-cookie"));
    expect(sent.length).toBe(1);
    expect(new Set(cookies).size).toBe(3);
    expect(cookies).not.toContain(null);
    const known = await read({ cookie: "lane=abc" });
    expect([known.headers.get("set-cookie"), known.headers.get("cache-control")]).toEqual([null, null]);
    expect(sent.length).toBe(1);
  });
});

describe("a mirror", () => {
  const MIRRORED = "upstream: orders, mirror: [{ upstream: shadow }]";

  it("gets what the upstream gets, after it, below its own base path", async () => {
    const { ask, sent, deferred } = stage(MIRRORED);
    expect(await (await ask({ accept: "text/plain", cookie: "a=b" })).text()).toBe("ok");
    await Promise.all(deferred);
    expect(sent.map(({ upstream }) => upstream)).toEqual(["orders", "shadow"]);
    expect(sent.map(({ headers }) => headers.get("accept"))).toEqual(["text/plain", "text/plain"]);
    expect(sent.map(({ headers }) => headers.get("cookie"))).toEqual(["a=b", null]);
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ["fails", () => Promise.reject(new TypeError("refused"))],
    ["answers 500", () => new Response(null, { status: 500 })],
    ["never answers", () => new Promise(() => {})],
  ])("that %s is no failure, and no part of the log", async (_, answer) => {
    vi.useFakeTimers();
    const { ask, deferred, ports } = stage(MIRRORED, ({ upstream }) =>
      upstream === "shadow" ? answer() : new Response("ok"),
    );
    const response = await ask();
    expect([response.status, await response.text()]).toEqual([200, "ok"]);
    expect(ports.records).toMatchObject([{ status: 200, target: "main", problem: undefined, upstreamMs: 0 }]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await Promise.allSettled(deferred)).toEqual([{ status: "fulfilled", value: undefined }]);
    expect(ports.records.length).toBe(1);
    vi.useRealTimers();
  });

  it("gets nothing that a cache answers", async () => {
    const { read, upstreams } = stage(
      `${MIRRORED}, policies: { cache: { ttl: 1m } }`,
      () => new Response("ok"),
    );
    await read();
    await read();
    expect(upstreams()).toEqual(["orders", "shadow"]);
  });

  it("does not get what went down its own lane", async () => {
    const { ask, upstreams, deferred } = stage(`${BY_HEADER}, mirror: [{ upstream: next }]`);
    for (const headers of keys) await ask(headers);
    await Promise.all(deferred);
    const next = upstreams().filter((name) => name === "next").length;
    expect(next).toBe(keys.length);
  });
});
