import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { balancer as smoothWeightedRoundRobin } from "../../../src/balancers/smooth-weighted-round-robin.ts";
import { filter as accessLog } from "../../../src/policies/access-log/filter.ts";
import { filter as cache } from "../../../src/policies/cache/filter.ts";
import { filter as headersFilter } from "../../../src/policies/headers/filter.ts";
import { filter as queryFilter } from "../../../src/policies/query/filter.ts";
import { linkAggregate } from "../../../src/runtime/aggregate/aggregate.ts";
import { link, type Registry } from "../../../src/runtime/link.ts";
import { linkManagedUpstream } from "../../../src/runtime/managed/upstream.ts";
import { compiled, planOf, sourcesOf } from "../../support/compiling.ts";
import { fakePorts } from "../../support/ports.ts";

const registry: Registry = {
  filters: { accessLog, cache, headers: headersFilter, query: queryFilter },
  authenticators: {},
  balancers: { smoothWeightedRoundRobin },
  parts: { managed: linkManagedUpstream, aggregate: linkAggregate },
};

interface Sent {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: unknown;
}

type Network = (sent: Sent) => Response | Promise<Response>;

const json = (text: string, headers: Record<string, string> = {}, status = 200): Response =>
  new Response(text, { status, headers: { "content-type": "application/json", ...headers } });

const CALLS = `user: { upstream: users, path: "/users/{params.userId}" }, orders: { upstream: orders, path: /orders }`;

/** A gateway with one route that aggregates calls; upstreams are told by their hosts. */
const stage = (calls: string, answers: Record<string, Network>, more = "", policies = "", route = "") => {
  const sources = sourcesOf({
    "gateway.yaml": `gateway:
  hosts: { public: api.example.com }
  policies: { accessLog: {} }
upstreams:
  users: { targets: { main: { url: "https://users.example.com" } }, timeout: 5s }
  orders:
    targets: { one: { url: "https://orders.example.com/base" }, two: { url: "https://orders.example.com/base" } }
    timeout: 2s
    retry: { retries: 1, on: [503], backoff: { base: 1ms, max: 1ms } }
apis:
  shop:
    public: true
    policies: {${policies}}
    routes:
      page:
        match: { path: "/page/{userId}", methods: [GET] }
        aggregate: { calls: { ${calls} }${more} }
        ${route}
  keeper: { public: true, routes: { a: { match: { path: /a }, upstream: users }, b: { match: { path: /b }, upstream: orders } } }
`,
  });
  const sent: Sent[] = [];
  const ports = fakePorts({
    network: (url, init) => {
      const call: Sent = {
        url: new URL(url),
        method: init!.method!,
        headers: new Headers(init!.headers),
        body: init!.body,
      };
      sent.push(call);
      return answers[call.url.hostname.split(".")[0]!]!(call);
    },
  });
  const gateway = link(planOf(compiled(sources)), registry, ports);
  const ask = async (path = "/page/42", init: RequestInit = {}): Promise<Response> =>
    gateway(new Request(`https://api.example.com${path}`, init), { waitUntil: () => undefined });
  return { ask, sent, ports, targets: () => sent.map(({ url }) => url.pathname + url.search).sort() };
};

const WELL: Record<string, Network> = {
  users: () => json('{"id":42}'),
  orders: () => json('{"items":[1,2],"total":2}'),
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("an aggregate", () => {
  it("answers with one JSON object, a member a call", async () => {
    const { ask, targets } = stage(CALLS, WELL);
    const answer = await ask();
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toEqual({ "content-type": "application/json" });
    expect(await answer.json()).toEqual({ user: { id: 42 }, orders: { items: [1, 2], total: 2 } });
    expect(targets()).toEqual(["/base/orders", "/users/42"]);
  });

  it("begins all calls at once", async () => {
    const gate = Promise.withResolvers<void>();
    const gated: Network = () => gate.promise.then(() => json("1"));
    const { ask, sent } = stage(CALLS, { users: gated, orders: gated });
    const answer = ask();
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toHaveLength(2);
    gate.resolve();
    expect((await answer).status).toBe(200);
  });

  it("keeps what an upstream wrote: large numbers, the order of members, names that come twice", async () => {
    const text = '{"b":12345678901234567890,"a":1.0,"a":[ 1e400 ],"__proto__":{"x":"\\u00e9"}}';
    const { ask } = stage(CALLS, { ...WELL, users: () => json(`\ufeff ${text}\n`) });
    expect(await (await ask()).text()).toContain(`"user":${text}`);
  });

  it.each([
    ["a member", "/items", "[1,2]"],
    ["a member of a member, as it is written", "/meta/big", "12345678901234567890"],
    ["an item", "/items/1", "2"],
    ["a name with a slash and a tilde", "/a~1b~0c", "true"],
    ["the last of two equal names", "/twice", "2"],
    ["a name that is written with escapes", "/é", "1"],
  ])("picks %s", async (_, pointer, expected) => {
    const answer =
      '{"items":[1,2],"meta":{"big":12345678901234567890},"a/b~c":true,"twice":1,"twice":2,"\\u00e9":1}';
    const { ask } = stage(
      `user: { upstream: users, path: /u }, orders: { upstream: orders, path: /orders, pick: "${pointer}" }`,
      { ...WELL, orders: () => json(answer) },
    );
    expect(await (await ask()).text()).toContain(`"orders":${expected}`);
  });

  it("answers HEAD as it would GET, without the body", async () => {
    const { ask, sent } = stage(CALLS, WELL);
    const answer = await ask("/page/42", { method: "HEAD" });
    expect([answer.status, answer.headers.get("content-type"), answer.body]).toEqual([
      200,
      "application/json",
      null,
    ]);
    expect(sent.map(({ method }) => method)).toEqual(["GET", "GET"]);
  });

  it("refuses a preflight that no cors policy answered", async () => {
    const { ask, sent } = stage(CALLS, WELL);
    const headers = { origin: "https://a.example", "access-control-request-method": "GET" };
    const answer = await ask("/page/42", { method: "OPTIONS", headers });
    expect([answer.status, answer.headers.get("allow"), sent.length]).toEqual([405, "GET, HEAD", 0]);
  });
});

describe("what goes to an upstream", () => {
  it("is what the client sent and policies edited, without what is about the answer as a whole", async () => {
    const { ask, sent } = stage(
      CALLS,
      WELL,
      "",
      "headers: { request: { set: { x-from: gateway, accept-encoding: br } } }",
    );
    await ask("/page/42", {
      headers: {
        "x-client": "1",
        accept: "text/html",
        range: "bytes=0-1",
        "if-none-match": '"a"',
        "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT",
        te: "trailers",
        upgrade: "h2c",
      },
    });
    for (const { headers, body } of sent) {
      expect(Object.fromEntries(headers)).toMatchObject({
        accept: "application/json",
        "x-client": "1",
        "x-from": "gateway",
        via: "1.1 postern",
      });
      for (const name of ["range", "if-none-match", "if-modified-since", "accept-encoding", "te", "upgrade"])
        expect([name, headers.has(name)]).toEqual([name, false]);
      expect(body).toBeNull();
    }
  });

  it.each([
    ["a segment stays one", "/page/a%20b", "/users/a%20b"],
    ["and so does what looks like a query", "/page/a&b=c", "/users/a%26b%3Dc"],
  ])("has values escaped in its path: %s", async (_, path, expected) => {
    const { ask, targets } = stage(CALLS, WELL);
    await ask(path);
    expect(targets()).toContain(expected);
  });

  it("has a path in normal form, or the request is refused and nobody called", async () => {
    const { ask, sent } = stage(
      `user: { upstream: users, path: "/users/{params.userId}" }, orders: { upstream: orders, path: "/x/{client.ip}/y" }`,
      WELL,
    );
    const answer = await ask();
    expect(await answer.json()).toMatchObject({ status: 400, code: "path-refused" });
    expect(sent).toEqual([]);
  });

  it("has the query that the call says, the parameters that are forwarded, and what policies add", async () => {
    const { ask, targets } = stage(
      `user: { upstream: users, path: /u, query: { "a&b": "{params.userId}", c: "x&y=z {request.method}" } },
          orders: { upstream: orders, path: /o, forwardQuery: [page, "sort by"] }`,
      WELL,
      "",
      'query: { add: { via: gateway }, remove: [page] }, headers: { response: { set: { x-y: "1" } } }',
    );
    await ask("/page/42?page=2&sort+by=%C3%A9&other=1&sort%20by=z");
    expect(targets()).toEqual([
      "/base/o?sort+by=%C3%A9&sort%20by=z&via=gateway",
      "/u?a%26b=42&c=x%26y%3Dz%20GET&via=gateway",
    ]);
  });

  it("is tried again as the upstream says, at another target", async () => {
    let calls = 0;
    const { ask, sent } = stage(CALLS, {
      ...WELL,
      orders: () => (++calls === 1 ? json("{}", {}, 503) : json("[]")),
    });
    const answer = ask();
    await vi.advanceTimersByTimeAsync(10);
    expect((await answer).status).toBe(200);
    expect(sent).toHaveLength(3);
  });
});

describe("a call that fails", () => {
  const stalled = (): Response =>
    new Response(new ReadableStream({ pull: () => new Promise(() => undefined) }));
  const broken = (): Response =>
    new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) }));

  const FAILURES: readonly (readonly [string, Network, object, number])[] = [
    ["with a status outside 2xx", () => json("{}", {}, 500), { reason: "status", status: 500 }, 502],
    ["with a redirect", () => new Response(null, { status: 302 }), { reason: "status", status: 302 }, 502],
    ["with 404", () => json("{}", {}, 404), { reason: "status", status: 404 }, 404],
    ["with 403", () => json("{}", {}, 403), { reason: "status", status: 403 }, 403],
    ["with 410", () => json("{}", {}, 410), { reason: "status", status: 410 }, 410],
    ["with 401", () => json("{}", {}, 401), { reason: "status", status: 401 }, 502],
    ["with HTML", () => new Response("<p>"), { reason: "not-json" }, 502],
    ["with JSON that breaks off", () => json('{"a":'), { reason: "not-json" }, 502],
    ["with nothing", () => new Response(null, { status: 204 }), { reason: "not-json" }, 502],
    [
      "with text that is not UTF-8",
      () => new Response(new Uint8Array([0x22, 0xff, 0x22])),
      { reason: "not-json" },
      502,
    ],
    ["with too much", () => json(`"${"x".repeat(1023)}"`), { reason: "too-large" }, 502],
    ["in the middle of its body", broken, { reason: "upstream-incomplete" }, 502],
    [
      "by not being there",
      () => Promise.reject(new TypeError("refused")),
      { reason: "upstream-failed" },
      502,
    ],
    ["by being late", () => new Promise<Response>(() => undefined), { reason: "upstream-timeout" }, 504],
    ["by being late with its body", stalled, { reason: "upstream-timeout" }, 504],
  ];

  it.each(FAILURES)("%s fails the whole answer", async (_, users, failure, status) => {
    const { ask, ports } = stage(CALLS, { ...WELL, users }, ", maxBody: 1KiB");
    const pending = ask();
    await vi.advanceTimersByTimeAsync(5000);
    const answer = await pending;
    expect(answer.status).toBe(status);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toMatchObject({
      code: "aggregate-failed",
      status,
      detail: "What the answer is made of could not be had: user.",
      calls: [{ name: "user", ...failure }],
    });
    expect(ports.records.at(-1)).toMatchObject({ status, problem: "aggregate-failed" });
  });

  it.each(FAILURES)("%s leaves its place to the fallback", async (_, users) => {
    const { ask } = stage(
      `user: { upstream: users, path: /u, fallback: { id: null, tags: [] } }, orders: { upstream: orders, path: /orders }`,
      { users, orders: () => json("[]", { "cache-control": "public, max-age=60", vary: "x-a" }) },
      ", maxBody: 1KiB",
    );
    const pending = ask();
    await vi.advanceTimersByTimeAsync(5000);
    const answer = await pending;
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ user: { id: null, tags: [] }, orders: [] });
    expect(Object.fromEntries(answer.headers)).toEqual({
      "cache-control": "no-store",
      "content-type": "application/json",
      "postern-partial": "user",
      vary: "x-a",
    });
  });

  it("is as large as allowed where it is not larger", async () => {
    const { ask } = stage(CALLS, { ...WELL, users: () => json(`"${"x".repeat(1022)}"`) }, ", maxBody: 1KiB");
    expect((await ask()).status).toBe(200);
  });

  it("may have null in its place", async () => {
    const { ask } = stage(
      `user: { upstream: users, path: /u, fallback: null }, orders: { upstream: orders, path: /orders }`,
      { ...WELL, users: () => json("{}", {}, 500) },
    );
    expect(await (await ask()).text()).toContain('"user":null');
  });

  it("fails where the pointer leads nowhere", async () => {
    const { ask } = stage(
      `user: { upstream: users, path: /u, pick: /id/x }, orders: { upstream: orders, path: /orders, pick: /items/2 }`,
      WELL,
    );
    expect((await (await ask()).json()) as object).toMatchObject({
      status: 502,
      calls: [
        { name: "orders", reason: "pick-missing" },
        { name: "user", reason: "pick-missing" },
      ],
    });
  });

  it.each([
    ["late and gone", "late", 404, 502],
    ["both gone, each in its way", 404, 410, 404],
    ["gone and ill", 500, 404, 502],
    ["both late", "late", "late", 504],
  ] as const)("tells of others that failed: %s", async (_, orders, users, status) => {
    const failing = (how: number | "late"): Network =>
      how === "late" ? () => new Promise(() => undefined) : () => json('{"secret":1}', {}, how);
    const { ask } = stage(CALLS, { users: failing(users), orders: failing(orders) });
    const pending = ask();
    await vi.advanceTimersByTimeAsync(5000);
    const text = await (await pending).text();
    expect(JSON.parse(text)).toMatchObject({ status, calls: [{ name: "orders" }, { name: "user" }] });
    expect(text).not.toContain("secret");
  });

  it.each([
    ["its own", "timeout: 300ms", "", 300],
    ["its route's", "", "timeout: 400ms", 400],
    ["its upstream's", "", "", 5000],
  ])("fails when %s time is over", async (_, own, route, ms) => {
    const { ask } = stage(
      `user: { upstream: users, path: /u, ${own} }, orders: { upstream: orders, path: /orders }`,
      { ...WELL, users: () => new Promise<Response>(() => undefined) },
      "",
      "",
      route,
    );
    let answered = false;
    const pending = ask().then((answer) => {
      answered = true;
      return answer;
    });
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(answered).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect((await pending).status).toBe(504);
  });
});

describe("an aggregate among policies", () => {
  it("is stored by a cache as its parts allow, and not where it lacks something", async () => {
    const fresh =
      (text: string): Network =>
      () =>
        json(text, { "cache-control": "max-age=60" });
    let ill = false;
    const { ask, sent } = stage(
      `user: { upstream: users, path: "/users/{params.userId}", fallback: {} }, orders: { upstream: orders, path: /orders }`,
      { users: (call) => (ill ? json("{}", {}, 500) : fresh("1")(call)), orders: fresh("2") },
      "",
      "cache: {}",
    );
    await (await ask()).text();
    expect((await ask()).headers.get("cache-status")).toContain("hit");
    expect(sent).toHaveLength(2);
    ill = true;
    for (const times of [1, 2]) {
      const answer = await ask("/page/43");
      expect([times, answer.headers.get("cache-status")]).toEqual([
        times,
        "postern; fwd=miss; detail=no-store",
      ]);
    }
    expect(sent).toHaveLength(6);
  });

  it("is told in the log with the targets of its calls, and the time of the longest", async () => {
    const { ask, ports } = stage(CALLS, {
      ...WELL,
      users: async () => {
        ports.clock.advance(30);
        return json("1");
      },
    });
    await ask();
    expect(ports.records.at(-1)).toMatchObject({
      status: 200,
      upstreamMs: 30,
      target: "orders=one user=main",
    });
  });
});
