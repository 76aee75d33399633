import { describe, expect, it } from "vitest";
import { answer, caller, type Fields, Gateway } from "./harness.ts";

/** For how many seconds after its arrival a response is answered from the store; looks no further than a day and a bit. */
const lifetime = async (gateway: Gateway, options = {}): Promise<number> => {
  await gateway.send("/a", options);
  for (const step of [100_000, 10_000, 1000, 100, 10, 1]) {
    for (;;) {
      gateway.advance(step);
      const before = gateway.sent.length;
      gateway.origin = () => answer({ "cache-control": "no-store" }, "probe", 503);
      await gateway.send("/a", options);
      if (gateway.sent.length === before) continue;
      gateway.advance(-step);
      break;
    }
  }
  return (gateway.ports.clock.ms - Date.parse("2026-01-01T00:00:00Z")) / 1000 + 1;
};

const at = (seconds: number): string =>
  new Date(Date.parse("2026-01-01T00:00:00Z") + seconds * 1000).toUTCString();

describe("how long a response is fresh in a shared cache (RFC 9111 section 4.2.1)", () => {
  it.each<[string, number, Fields]>([
    ["max-age", 60, { "cache-control": "max-age=60" }],
    ["s-maxage before a shorter max-age", 60, { "cache-control": "max-age=1, s-maxage=60" }],
    ["s-maxage before a longer max-age", 60, { "cache-control": "s-maxage=60, max-age=3600" }],
    ["max-age before Expires", 60, { "cache-control": "max-age=60", expires: at(3600) }],
    ["max-age before an Expires that lies behind", 60, { "cache-control": "max-age=60", expires: at(-3600) }],
    ["Expires less Date", 60, { expires: at(60), date: at(0) }],
    ["Expires less Date, with a clock that is fast", 60, { expires: at(460), date: at(400) }],
    ["Expires where Date cannot be read", 60, { expires: at(60), date: "foo" }],
    ["max-age less the time since Date", 50, { "cache-control": "max-age=60", date: at(-10) }],
    ["max-age less Age", 45, { "cache-control": "max-age=60", age: "15" }],
    [
      "the larger of Age and the time since Date",
      40,
      { "cache-control": "max-age=60", age: "15", date: at(-20) },
    ],
    ["the first of several values in Age", 45, { "cache-control": "max-age=60", age: "15, 30" }],
    ["no Age that is no number", 60, { "cache-control": "max-age=60", age: "abc" }],
    ["no negative Age", 60, { "cache-control": "max-age=60", age: "-15" }],
    ["no fraction in Age", 60, { "cache-control": "max-age=60", age: "15.0" }],
    ["a tenth of the time since Last-Modified", 100, { "last-modified": at(-1000), date: at(0) }],
    ["a day at most, by Last-Modified", 86_400, { "last-modified": at(-100 * 86_400), date: at(0) }],
    [
      "nothing, by a Last-Modified that lies ahead",
      1,
      { "last-modified": at(1000), date: at(0), etag: '"a"' },
    ],
    [
      "CDN-Cache-Control before Cache-Control",
      60,
      { "cache-control": "max-age=3600", "cdn-cache-control": "max-age=60" },
    ],
    [
      "CDN-Cache-Control before a shorter one",
      60,
      { "cache-control": "max-age=1", "cdn-cache-control": "max-age=60" },
    ],
    ["CDN-Cache-Control before Expires", 60, { expires: at(-1), "cdn-cache-control": "max-age=60" }],
    [
      "CDN-Cache-Control before no-store",
      60,
      { "cache-control": "no-store", "cdn-cache-control": "max-age=60" },
    ],
    [
      "Cache-Control where CDN-Cache-Control is malformed",
      60,
      { "cache-control": "max-age=60", "cdn-cache-control": "max-age=600, &&&" },
    ],
    ["CDN-Cache-Control less Age", 45, { "cdn-cache-control": "max-age=60", age: "15" }],
  ])("%s: %i s", async (_sentence, seconds, fields) => {
    expect(await lifetime(new Gateway().answers(() => answer(fields)))).toBe(seconds);
  });

  it.each<[string, Fields]>([
    ["an Expires that lies behind", { expires: at(-60), date: at(0) }],
    ["an Expires of now", { expires: at(0), date: at(0) }],
    ["an Expires before Date, both ahead", { expires: at(300), date: at(400) }],
    ["an Expires that cannot be read", { expires: "0", date: at(0) }],
    ["a Last-Modified that lies ahead", { "last-modified": at(1000), date: at(0) }],
    ["two Expires", { expires: `${at(60)}, ${at(60)}` }],
    ["max-age=0 with an Expires ahead", { "cache-control": "max-age=0", expires: at(3600) }],
    ["an Age above max-age", { "cache-control": "max-age=10", age: "15" }],
    ["an Age above Expires less Date", { expires: at(10), date: at(-10), age: "25" }],
    ["max-age twice with different values", { "cache-control": "max-age=1800, max-age=1" }],
    [
      "CDN-Cache-Control: max-age=0 with an Expires ahead",
      { "cdn-cache-control": "max-age=0", expires: at(3600) },
    ],
    [
      "CDN-Cache-Control without a lifetime, with an Expires ahead",
      { "cdn-cache-control": "public", expires: at(3600) },
    ],
    ["CDN-Cache-Control: private", { "cdn-cache-control": "private", "cache-control": "max-age=3600" }],
    ["CDN-Cache-Control: no-cache", { "cdn-cache-control": "no-cache", "cache-control": "max-age=3600" }],
    ["CDN-Cache-Control: no-store", { "cdn-cache-control": "no-store", "cache-control": "max-age=3600" }],
  ])("not at all: %s", async (_sentence, fields) => {
    const gateway = new Gateway().answers(() => answer(fields));
    await gateway.send("/a");
    await gateway.send("/a");
    expect(gateway.sent).toHaveLength(2);
  });

  it("in a caller's own entry s-maxage says nothing", async () => {
    const gateway = new Gateway({ perCaller: true }).answers(() =>
      answer({ "cache-control": "s-maxage=1, max-age=60" }),
    );
    expect(await lifetime(gateway, { identity: caller("a") })).toBe(60);
  });

  it("the time that the origin took to answer counts as age (section 4.2.3)", async () => {
    const gateway = new Gateway();
    gateway.origin = () => {
      gateway.advance(8);
      return answer({ "cache-control": "max-age=60", age: "2" });
    };
    await gateway.send("/a");
    expect((await gateway.send("/a")).headers.get("age")).toBe("10");
  });
});

describe("the policy's ttl", () => {
  it.each<[string, number, Fields]>([
    ["holds where the origin says nothing", 30, {}],
    ["takes the place of the heuristic", 30, { "last-modified": at(-1_000_000) }],
    ["counts from the arrival", 30, { age: "3600", date: at(-3600) }],
    ["gives way to max-age", 60, { "cache-control": "max-age=60" }],
    ["gives way to Expires", 60, { expires: at(60), date: at(0) }],
  ])("%s: %i s", async (_sentence, seconds, fields) => {
    expect(await lifetime(new Gateway({ ttlMs: 30_000 }).answers(() => answer(fields)))).toBe(seconds);
  });
});

describe("an answer from the store", () => {
  it("has an Age that grows (RFC 9111 section 5.1)", async () => {
    const gateway = new Gateway().answers(() => answer({ "cache-control": "max-age=60", age: "30" }));
    expect((await gateway.send("/a")).headers.get("age")).toBe("30");
    gateway.advance(3);
    expect((await gateway.send("/a")).headers.get("age")).toBe("33");
  });

  it("tells in Cache-Status that it is one, for how long still, and from where (RFC 9211)", async () => {
    const gateway = new Gateway().answers(() => answer({ "cache-control": "max-age=60" }));
    await gateway.send("/a");
    gateway.advance(10);
    const seen = await gateway.send("/a");
    expect(seen.cacheStatus).toBe("postern; hit; ttl=50; detail=isolate");
    expect(seen.result).toBe("hit");
    expect(gateway.counted).toEqual(["postern_cache_total{miss,none}", "postern_cache_total{hit,isolate}"]);
  });

  it("is there at once, without a promise", async () => {
    const gateway = new Gateway().answers(() => answer({ "cache-control": "max-age=60" }));
    await gateway.send("/a");
    expect(gateway.begin("/a").response).toBeInstanceOf(Response);
  });
});
