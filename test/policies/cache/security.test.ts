import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answer, caller, FakeEdge, type Fields, Gateway, type RequestOptions } from "./harness.ts";

const LIVE = { "cache-control": "max-age=600" };

/** What one client gets, and whether another one then gets the same from the store. */
const leaks = async (
  gateway: Gateway,
  first: [string, RequestOptions?],
  second: [string, RequestOptions?],
): Promise<boolean> => {
  let answers = 0;
  const { origin } = gateway;
  gateway.origin = async (sent, exchange) => {
    const { status, headers } = await origin(sent, exchange);
    return new Response(status === 204 ? null : `answer ${++answers}`, { status, headers });
  };
  await gateway.send(...first);
  return (await gateway.send(...second)).text === "answer 1";
};

const both = (step = {}) => new Gateway({ tiers: ["isolate", "edge"], ...step }, { edge: new FakeEdge() });

describe("S19: private data is not stored for others", () => {
  it("positive control: what is for everybody, is", async () => {
    expect(
      await leaks(
        both().answers(() => answer(LIVE)),
        ["/a"],
        ["/a"],
      ),
    ).toBe(true);
  });

  it.each<[string, Fields, RequestOptions]>([
    ["private", { "cache-control": "private, max-age=600" }, {}],
    ["private in another case", { "cache-control": "Private, max-age=600" }, {}],
    ["no-store", { "cache-control": "no-store, max-age=600" }, {}],
    ["Set-Cookie", { ...LIVE, "set-cookie": "session=1" }, {}],
    [
      "Set-Cookie, though it says public",
      { "cache-control": "public, max-age=600", "set-cookie": "session=1" },
      {},
    ],
    ["an answer to Authorization", LIVE, { headers: { authorization: "Bearer x" } }],
    [
      "an answer to Authorization, with Expires",
      { expires: "Thu, 01 Jan 2030 00:00:00 GMT" },
      { headers: { authorization: "Basic x" } },
    ],
    ["Vary: *", { ...LIVE, vary: "*" }, {}],
    ["an answer to POST", LIVE, { method: "POST" }],
    ["an answer to PUT", LIVE, { method: "PUT" }],
  ])("%s", async (_sentence, fields, options) => {
    for (const step of [
      {},
      { ttlMs: 60_000 },
      { ttlMs: 60_000, override: true },
      { staleIfErrorMs: 60_000, staleWhileRevalidateMs: 60_000 },
    ]) {
      expect(
        await leaks(
          both(step).answers(() => answer(fields)),
          ["/a", options],
          ["/a"],
        ),
        JSON.stringify(step),
      ).toBe(false);
    }
  });

  it("a part", async () => {
    const gateway = both().answers(() => answer({ ...LIVE, "content-range": "bytes 0-1/9" }, "x", 206));
    expect(await leaks(gateway, ["/a", { headers: { range: "bytes=0-1" } }], ["/a"])).toBe(false);
  });

  it("what one caller got, where the route identifies callers, even if the origin calls it public", async () => {
    const gateway = both({ perCaller: true }).answers(() =>
      answer({ "cache-control": "public, max-age=600" }),
    );
    expect(await leaks(gateway, ["/a", { identity: caller("a") }], ["/a", { identity: caller("b") }])).toBe(
      false,
    );
  });

  it("positive control: the same caller gets it, and with `shared` another does, too", async () => {
    const one = both({ perCaller: true }).answers(() => answer(LIVE));
    expect(await leaks(one, ["/a", { identity: caller("a") }], ["/a", { identity: caller("a") }])).toBe(true);
    const two = both().answers(() => answer(LIVE));
    expect(await leaks(two, ["/a", { identity: caller("a") }], ["/a", { identity: caller("b") }])).toBe(true);
  });
});

describe("S20: nothing that tells requests apart is left out of the key", () => {
  it.each<[string, [string, RequestOptions?], [string, RequestOptions?]]>([
    ["host", ["https://a.example/x"], ["https://b.example/x"]],
    ["scheme", ["https://a.example/x"], ["http://a.example/x"]],
    ["path", ["/x"], ["/y"]],
    ["query", ["/x?a=1"], ["/x?a=2"]],
    [
      "Vary",
      ["/x", { headers: { "accept-language": "en" } }],
      ["/x", { headers: { "accept-language": "de" } }],
    ],
    [
      "Vary, where a value was made to look like two fields",
      ["/x", { headers: { "accept-language": "en,1:v" } }],
      ["/x", { headers: { "accept-language": "en" } }],
    ],
    ["route", ["/x", { route: "a.one" }], ["/x", { route: "a.two" }]],
  ])("%s", async (_sentence, first, second) => {
    const gateway = both().answers(() => answer({ ...LIVE, vary: "accept-language" }));
    expect(await leaks(gateway, first, second)).toBe(false);
  });

  it("a stored GET is not the answer to a POST, nor the other way round", async () => {
    const gateway = both().answers(() => answer(LIVE));
    expect(await leaks(gateway, ["/a"], ["/a", { method: "POST" }])).toBe(false);
    expect(
      await leaks(
        both().answers(() => answer(LIVE)),
        ["/a", { method: "POST" }],
        ["/a"],
      ),
    ).toBe(false);
  });

  it("a key that was made to be an entry's own name in the store finds nothing", async () => {
    const gateway = both().answers(() => answer({ ...LIVE, vary: "accept-language" }));
    await gateway.send("/x", { headers: { "accept-language": "en" } });
    const edge = gateway.ports.edgeCache as FakeEdge;
    for (const key of [...edge.entries.keys()]) {
      const before = gateway.sent.length;
      await gateway.send(`/x?${encodeURIComponent(key)}`);
      await gateway.send("/x", { headers: { "accept-language": encodeURIComponent(key) } });
      expect(gateway.sent.length).toBe(before + 2);
    }
  });
});

describe("S21: what is not part of the key does not alter what is stored", () => {
  it("a body on a GET: such a request is neither answered from the store nor stored", async () => {
    const gateway = both().answers(() => answer(LIVE));
    // Only a client of HTTP, not one of the web, can send it.
    const fat = (target: string) => {
      const { exchange } = gateway.begin(target, { method: "POST", body: "x" });
      return exchange.request;
    };
    const request = fat("/fat");
    const { filter } = await import("../../../src/policies/cache/filter.ts");
    const { fakeExchange } = await import("../../support/ports.ts");
    const exchange = fakeExchange(request, { method: "GET" });
    const handler = filter(gateway.step, gateway.ports, gateway.site)!(() => answer(LIVE, "fat"));
    expect(await (await handler(exchange)).text()).toBe("fat");
    expect(exchange.answerEdits).toEqual([{ op: "add", name: "cache-status", value: "postern; fwd=bypass" }]);
    expect((await gateway.send("/fat")).text).toBe("body");
  });

  it.each(["/users/me/x.css", "/users/me;x.css", "/users/me%2Fx.css", "/users/me.css"])(
    "%s is not stored for its looks",
    async (target) => {
      const gateway = both().answers(() => answer({ "content-type": "text/css" }));
      expect(await leaks(gateway, [target], [target])).toBe(false);
    },
  );

  it.each([400, 405, 412, 413, 416, 431])(
    "an error %i that a crafted request brought about is not kept for all",
    async (status) => {
      const gateway = both().answers(() => answer({ "cache-control": "no-cache" }, "error", status));
      expect(await leaks(gateway, ["/a", { headers: { "x-oversized": "x" } }], ["/a"])).toBe(false);
    },
  );
});

describe("whatever the origin answers and whoever asks, nothing that is one caller's reaches another", () => {
  const random = fc.subarray(
    [
      "private",
      "no-store",
      "no-cache",
      "public",
      "max-age=60",
      "s-maxage=60",
      "max-age=0",
      "must-revalidate",
      'private="x-a"',
      "stale-while-revalidate=60",
      "stale-if-error=60",
    ],
    { maxLength: 4 },
  );
  // Mostly what is stored: a history in which nothing is says little.
  const directives = fc.oneof(
    random,
    fc.constantFrom(["max-age=60"], ["public", "max-age=60"], ["private", "max-age=60"]),
  );
  const seldom = fc.constantFrom(true, false, false, false);
  const request = fc.record({
    path: fc.constantFrom("/a", "/a", "/b"),
    who: fc.constantFrom("alice", "bob", "anonymous", undefined),
    method: fc.constantFrom("GET", "GET", "GET", "GET", "HEAD", "POST"),
    authorization: seldom,
    language: fc.constantFrom("en", "de", undefined),
    advance: fc.constantFrom(0, 30, 90),
    directives,
    cookie: seldom,
    vary: fc.constantFrom(undefined, undefined, "accept-language", "accept-language", "*"),
    tag: fc.constantFrom(undefined, '"1"', '"2"'),
    status: fc.constantFrom(200, 200, 200, 200, 304, 404, 500),
  });
  const step = fc.record({
    perCaller: fc.boolean(),
    ttlMs: fc.constantFrom(null, 60_000),
    override: fc.boolean(),
    staleWhileRevalidateMs: fc.constantFrom(null, 60_000),
    staleIfErrorMs: fc.constantFrom(null, 60_000),
    tiers: fc.constantFrom(["isolate"] as const, ["edge"] as const, ["isolate", "edge"] as const),
  });

  /** Whether a shared cache may give this answer of the origin to others (RFC 9111 sections 3 and 3.5), and S19. */
  const isForAll = (it: {
    directives: string[];
    cookie: boolean;
    vary?: string;
    authorization: boolean;
  }): boolean => {
    const has = (name: string) => it.directives.includes(name);
    if (has("private") || has("no-store") || it.cookie || it.vary === "*") return false;
    return !it.authorization || has("public") || has("s-maxage=60") || has("must-revalidate");
  };

  it("in several thousand random histories", async () => {
    let reused = 0;
    await fc.assert(
      fc.asyncProperty(
        step,
        fc.array(request, { minLength: 6, maxLength: 10, size: "max" }),
        async (policy, requests) => {
          const gateway = both({ ...policy, override: policy.override && policy.ttlMs !== null });
          const origins = new Map<
            string,
            { who: string; forAll: boolean; language: string | undefined; vary?: string }
          >();
          let made = 0;
          for (const it of requests) {
            gateway.advance(it.advance);
            const who = it.who ?? "nobody";
            gateway.origin = (sent) => {
              const text = `${++made}`;
              origins.set(text, { who, forAll: isForAll(it as never), language: it.language, vary: it.vary });
              const headers: Record<string, string> = { "x-a": `secret of ${text}` };
              if (it.directives.length > 0) headers["cache-control"] = it.directives.join(", ");
              if (it.cookie) headers["set-cookie"] = `cookie of ${text}`;
              if (it.vary !== undefined) headers["vary"] = it.vary;
              if (it.tag !== undefined) headers["etag"] = it.tag;
              const status = it.status === 304 && !sent.headers.has("if-none-match") ? 200 : it.status;
              const bodiless = status === 304 || sent.method === "HEAD";
              return new Response(bodiless ? null : text, { status, headers });
            };
            const headers: Record<string, string> = {};
            if (it.authorization) headers["authorization"] = "Bearer x";
            if (it.language !== undefined) headers["accept-language"] = it.language;
            const before = made;
            const seen = await gateway.send(it.path, {
              method: it.method,
              headers,
              identity:
                it.who === undefined
                  ? undefined
                  : { kind: it.who === "anonymous" ? "anonymous" : "jwt", id: it.who },
            });
            const cookie = seen.headers.get("set-cookie");
            const from = seen.text === "" ? undefined : origins.get(seen.text);
            const fresh = Number(seen.text) > before;
            if (from !== undefined && !fresh) {
              reused++;
              const isOwn = policy.perCaller && from.who === who && who !== "nobody" && who !== "anonymous";
              if (!isOwn) expect(from.forAll, `${seen.text} was for ${from.who} alone`).toBe(true);
              if (policy.perCaller && !isOwn) {
                for (const name of [who, from.who])
                  expect(["nobody", "anonymous"], "an identified caller's").toContain(name);
              }
              if (from.vary === "accept-language") expect(from.language).toBe(it.language);
              expect(it.method).not.toBe("POST");
            }
            if (cookie !== null) {
              const number = cookie.replace("cookie of ", "");
              const its = origins.get(number)!;
              if (Number(number) <= before)
                expect(policy.perCaller && its.who === who && its.who !== "nobody").toBe(true);
            }
          }
        },
      ),
      { numRuns: 4000 },
    );
    // The property would hold of a cache that stores nothing.
    expect(reused).toBeGreaterThan(1000);
  }, 60_000);
});
