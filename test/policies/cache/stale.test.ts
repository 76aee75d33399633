import { describe, expect, it } from "vitest";
import { problem } from "../../../src/core/problem.ts";
import { answer, FakeEdge, type Fields, Gateway, settled } from "./harness.ts";

const holding = async (directives: string, step = {}, fields: Fields = {}): Promise<Gateway> => {
  const gateway = new Gateway(step).answers(() => answer({ "cache-control": directives, ...fields }, "old"));
  await gateway.send("/a");
  return gateway;
};

const HOUR = 3_600_000;

describe("stale-while-revalidate (RFC 5861 section 3)", () => {
  it.each<[string, boolean, string, object]>([
    ["from the response", true, "max-age=1, stale-while-revalidate=60", {}],
    ["from the policy", true, "max-age=1", { staleWhileRevalidateMs: HOUR }],
    [
      "the response's is shorter than the policy's",
      false,
      "max-age=1, stale-while-revalidate=0",
      { staleWhileRevalidateMs: HOUR },
    ],
    [
      "override puts the policy's first",
      true,
      "max-age=9, stale-while-revalidate=0",
      { staleWhileRevalidateMs: HOUR, ttlMs: 1000, override: true },
    ],
    [
      "must-revalidate forbids it",
      false,
      "max-age=1, must-revalidate, stale-while-revalidate=60",
      { staleWhileRevalidateMs: HOUR },
    ],
    ["proxy-revalidate forbids it", false, "max-age=1, proxy-revalidate", { staleWhileRevalidateMs: HOUR }],
    ["no-cache forbids it", false, "no-cache, stale-while-revalidate=60", { staleWhileRevalidateMs: HOUR }],
    ["s-maxage forbids the policy's", false, "s-maxage=1", { staleWhileRevalidateMs: HOUR }],
    ["s-maxage with a window of the same origin", true, "s-maxage=1, stale-while-revalidate=60", {}],
    ["with max-age=0", true, "max-age=0, stale-while-revalidate=60", {}],
    ["past its end", false, "max-age=1, stale-while-revalidate=2", {}],
    ["not given", false, "max-age=1", {}],
  ])("%s: %s", async (_sentence, served, directives, step) => {
    const gateway = await holding(directives, step, { etag: '"a"' });
    gateway.advance(5);
    gateway.answers(() => answer({ "cache-control": "max-age=60" }, "new"));
    const seen = await gateway.send("/a");
    expect([seen.text, seen.result]).toEqual(served ? ["old", "stale"] : ["new", "miss"]);
    expect((await gateway.send("/a")).text).toBe("new");
    expect(gateway.sent).toHaveLength(2);
  });

  it("says by how much the answer is stale", async () => {
    const gateway = await holding("max-age=2, stale-while-revalidate=60");
    gateway.advance(5);
    expect((await gateway.send("/a")).cacheStatus).toBe("postern; hit; ttl=-3; detail=isolate");
  });

  it("answers at once, and revalidates once for all who come meanwhile", async () => {
    const gateway = await holding("max-age=1, stale-while-revalidate=60", {}, { etag: '"a"' });
    gateway.advance(5);
    const release = Promise.withResolvers<Response>();
    gateway.origin = () => release.promise;
    const begun = [gateway.begin("/a"), gateway.begin("/a"), gateway.begin("/a")];
    for (const { response } of begun) expect(response).toBeInstanceOf(Response);
    expect(gateway.sent).toHaveLength(2);
    release.resolve(answer({ "cache-control": "max-age=60" }, "new"));
    await settled(begun.flatMap(({ exchange }) => exchange.deferred));
    expect((await gateway.send("/a")).text).toBe("new");
    expect(gateway.sent).toHaveLength(2);
  });

  it("begins anew after it failed, and after it was lost", async () => {
    const gateway = await holding("max-age=1, stale-while-revalidate=600");
    gateway.advance(5);
    gateway.answers(() => answer({}, "broken", 500));
    expect((await gateway.send("/a")).text).toBe("old");
    gateway.origin = () => new Promise(() => undefined);
    gateway.begin("/a");
    gateway.begin("/a");
    expect(gateway.sent).toHaveLength(3);
    gateway.advance(31);
    gateway.answers(() => answer({ "cache-control": "max-age=60" }, "new"));
    expect((await gateway.send("/a")).text).toBe("old");
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it("is over when the origin throws, too", async () => {
    const gateway = await holding("max-age=1, stale-while-revalidate=600");
    gateway.advance(5);
    gateway.origin = () => Promise.reject(new Error("boom"));
    expect((await gateway.send("/a")).text).toBe("old");
    gateway.answers(() => answer({ "cache-control": "max-age=60" }, "new"));
    await gateway.send("/a");
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it("asks about the entry, and a 304 makes it fresh", async () => {
    const gateway = await holding("max-age=1, stale-while-revalidate=60", {}, { etag: '"a"' });
    gateway.advance(5);
    gateway.answers(() => answer({ "cache-control": "max-age=60" }, null, 304));
    await gateway.send("/a");
    expect(gateway.sent[1]!.headers.get("if-none-match")).toBe('"a"');
    expect((await gateway.send("/a")).cacheStatus).toBe("postern; hit; ttl=60; detail=isolate");
  });

  it.each<[string, Response]>([
    ["cannot be stored", answer({ "cache-control": "no-store" })],
    ["is gone", answer({}, "gone", 404)],
    ["is larger than what is stored", answer({ "cache-control": "max-age=60" }, "x".repeat(20))],
    ["is another one's 304", answer({ etag: '"b"' }, null, 304)],
  ])("ends the entry when what took its place %s", async (_sentence, response) => {
    const gateway = await holding("max-age=1, stale-while-revalidate=600", { maxBody: 10 }, { etag: '"a"' });
    gateway.advance(5);
    gateway.origin = () => response;
    await gateway.send("/a");
    gateway.answers(() => answer({}, "now"));
    expect((await gateway.send("/a")).text).toBe("now");
    expect(gateway.sent[2]!.headers.has("if-none-match")).toBe(false);
  });

  it("fetches the whole, whatever part or copy the client asked about, and keeps the two exchanges apart", async () => {
    const gateway = await holding("max-age=1, stale-while-revalidate=60");
    gateway.advance(5);
    gateway.origin = (_sent, exchange) => {
      exchange.target = "aside";
      exchange.answerEdits.push({ op: "set", name: "x-aside", value: "1" });
      return answer({ "cache-control": "max-age=60" }, "newer");
    };
    const { response, exchange } = gateway.begin("/a", {
      headers: { range: "bytes=0-0", "if-none-match": '"z"' },
    });
    expect((await response).status).toBe(206);
    await settled(exchange.deferred);
    expect(gateway.sent[1]!.headers.has("range")).toBe(false);
    expect(gateway.sent[1]!.headers.has("if-none-match")).toBe(false);
    expect([exchange.target, exchange.answerEdits, exchange.requestEdits]).toEqual([undefined, [], []]);
    expect((await gateway.send("/a")).text).toBe("newer");
  });

  it("a HEAD gets the stale answer and starts nothing", async () => {
    const gateway = await holding("max-age=1, stale-while-revalidate=60");
    gateway.advance(5);
    expect((await gateway.send("/a", { method: "HEAD" })).result).toBe("stale");
    expect(gateway.sent).toHaveLength(1);
  });

  it("looks into the data centre first: another isolate may have been faster", async () => {
    const edge = new FakeEdge();
    const tiers = ["isolate", "edge"] as const;
    const one = new Gateway({ tiers }, { edge }).answers(() =>
      answer({ "cache-control": "max-age=1, stale-while-revalidate=600" }, "old"),
    );
    const other = new Gateway({ tiers }, { edge, ports: one.ports }).answers(() =>
      answer({ "cache-control": "max-age=600" }, "new"),
    );
    await one.send("/a");
    one.advance(5);
    await other.send("/a");
    await other.send("/a");
    expect((await one.send("/a")).text).toBe("old");
    expect((await one.send("/a")).text).toBe("new");
    expect([one.sent.length, other.sent.length]).toEqual([1, 1]);
  });
});

describe("stale-if-error (RFC 5861 section 4)", () => {
  it.each<[string, boolean, string, object, number]>([
    ["500, from the response", true, "max-age=1, stale-if-error=60", {}, 500],
    ["502, from the response", true, "max-age=1, stale-if-error=60", {}, 502],
    ["503, from the policy", true, "max-age=1", { staleIfErrorMs: HOUR }, 503],
    ["504, from the policy", true, "max-age=1", { staleIfErrorMs: HOUR }, 504],
    ["501 is no failure", false, "max-age=1, stale-if-error=60", {}, 501],
    ["404 is no failure", false, "max-age=1, stale-if-error=60", {}, 404],
    ["past its end", false, "max-age=1, stale-if-error=3", {}, 500],
    [
      "must-revalidate forbids it",
      false,
      "max-age=1, must-revalidate, stale-if-error=60",
      { staleIfErrorMs: HOUR },
      500,
    ],
    ["proxy-revalidate forbids it", false, "max-age=1, proxy-revalidate", { staleIfErrorMs: HOUR }, 500],
    ["no-cache forbids it", false, "no-cache", { staleIfErrorMs: HOUR }, 500],
    ["s-maxage forbids it", false, "s-maxage=1", { staleIfErrorMs: HOUR }, 500],
    [
      "s-maxage forbids the policy's, even beside a window of the origin for something else",
      false,
      "s-maxage=1, stale-while-revalidate=2",
      { staleIfErrorMs: HOUR },
      500,
    ],
    ["not given", false, "max-age=1", {}, 500],
  ])("%s: %s", async (_sentence, served, directives, step, status) => {
    const gateway = await holding(directives, step, { etag: '"a"' });
    gateway.advance(5);
    gateway.answers(() => answer({}, "broken", status));
    const seen = await gateway.send("/a");
    expect([seen.status, seen.text]).toEqual(served ? [200, "old"] : [status, "broken"]);
    if (served)
      expect(seen.cacheStatus).toBe(`postern; fwd=stale; fwd-status=${status}; ttl=-4; detail=isolate`);
  });

  it("holds for what has nothing to ask about, and for HEAD", async () => {
    const gateway = await holding("max-age=1, stale-if-error=60");
    gateway.advance(5);
    gateway.answers(() => answer({}, null, 503));
    expect((await gateway.send("/a")).text).toBe("old");
    expect((await gateway.send("/a", { method: "HEAD" })).status).toBe(200);
  });

  it.each([500, 502, 503, 504])("does not put a stored %i in the place of an error", async (status) => {
    const gateway = new Gateway().answers(() =>
      answer({ "cache-control": "max-age=1, stale-if-error=60" }, "stored", status),
    );
    await gateway.send("/a");
    gateway.advance(5);
    gateway.answers(() => answer({}, "now", 503));
    expect((await gateway.send("/a")).text).toBe("now");
  });

  it("takes the gateway's own error back, too", async () => {
    const gateway = await holding("max-age=1, stale-if-error=60");
    gateway.advance(5);
    gateway.origin = (_sent, exchange) =>
      problem(exchange, { status: 504, code: "upstream-timeout", title: "Gateway timeout" });
    const seen = await gateway.send("/a");
    expect([seen.text, seen.problemCode, seen.result]).toEqual(["old", undefined, "stale"]);
  });

  it("without it the client learns of the failure, and the entry stays to be asked about", async () => {
    const gateway = await holding("max-age=1", {}, { etag: '"a"' });
    gateway.advance(5);
    gateway.answers(
      () => answer({}, "broken", 500),
      () => answer({}, null, 304),
    );
    expect((await gateway.send("/a")).status).toBe(500);
    expect((await gateway.send("/a")).text).toBe("old");
  });
});
