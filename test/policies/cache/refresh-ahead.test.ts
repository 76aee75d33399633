import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ports } from "../../../src/core/ports.ts";
import { seededRandom } from "../../support/ports.ts";
import { answer, FakeEdge, type Fields, Gateway, type RequestOptions } from "./harness.ts";

/** A gateway with chance as the test says, whose origin takes a second. */
const gatewayWith = (number: () => number, step: object = {}, edge?: FakeEdge): Gateway => {
  const random: Ports["random"] = { number, uuid: () => "generation" };
  return new Gateway(step, { over: { random, edgeCache: edge } });
};

const holding = async (gateway: Gateway, fields: Fields): Promise<void> => {
  gateway.origin = () => {
    gateway.advance(1);
    return answer(fields, "old");
  };
  await gateway.send("/a");
  gateway.origin = () => {
    gateway.advance(1);
    return answer(fields, "new");
  };
};

const MINUTE: Fields = { "cache-control": "max-age=61" };

describe("refresh ahead", () => {
  it.each<[string, boolean, number, number]>([
    ["long before the end nothing is refreshed, whatever chance says", false, 49, 1e-9],
    ["within ten times as long as it takes, chance decides", true, 51, 1e-9],
    ["and mostly says no", false, 51, 0.5],
    ["a second before the end, one in e", true, 59, 1 / Math.E],
    ["a second before the end, not more than one in e", false, 59, 0.37],
    ["just before the end", true, 59.9, 0.5],
    ["chance of zero", true, 51, 0],
  ])("%s", async (_sentence, refreshed, seconds, chance) => {
    const gateway = gatewayWith(() => chance);
    await holding(gateway, MINUTE);
    gateway.advance(seconds);
    const seen = await gateway.send("/a");
    expect([seen.text, seen.result]).toEqual(["old", "hit"]);
    expect(gateway.sent).toHaveLength(refreshed ? 2 : 1);
    expect((await gateway.send("/a")).text).toBe(refreshed ? "new" : "old");
  });

  it("is one request for all who come meanwhile", async () => {
    const gateway = gatewayWith(() => 0);
    await holding(gateway, MINUTE);
    gateway.advance(58);
    const release = Promise.withResolvers<Response>();
    gateway.origin = () => release.promise;
    const begun = [gateway.begin("/a"), gateway.begin("/a"), gateway.begin("/a")];
    for (const { response } of begun) expect(response).toBeInstanceOf(Response);
    expect(gateway.sent).toHaveLength(2);
    release.resolve(answer(MINUTE, "new"));
    await Promise.all(begun.flatMap(({ exchange }) => exchange.deferred));
  });

  it.each<[string, boolean, Fields, RequestOptions]>([
    ["HEAD", false, MINUTE, { method: "HEAD" }],
    ["a request with a condition", true, { ...MINUTE, etag: '"a"' }, { headers: { "if-none-match": '"a"' } }],
    ["a request for a range", true, MINUTE, { headers: { range: "bytes=0-1" } }],
    ["what must be revalidated", true, { "cache-control": "max-age=61, must-revalidate" }, {}],
  ])("%s begins one: %s", async (_what, begins, fields, options) => {
    const gateway = gatewayWith(() => 0);
    await holding(gateway, fields);
    gateway.advance(58);
    expect((await gateway.send("/a", options)).result).toBe("hit");
    expect(gateway.sent).toHaveLength(begins ? 2 : 1);
    for (const name of ["range", "if-none-match"])
      expect(gateway.sent[1]?.headers.get(name) ?? "").not.toContain("bytes");
  });

  it("a part is not refreshed: the whole would take its place", async () => {
    const gateway = gatewayWith(() => 0);
    const range = { headers: { range: "bytes=0-3" } };
    gateway.origin = () => {
      gateway.advance(1);
      return answer({ ...MINUTE, "content-range": "bytes 0-3/10", etag: '"a"' }, "part", 206);
    };
    await gateway.send("/a", range);
    gateway.advance(58);
    expect((await gateway.send("/a", range)).result).toBe("hit");
    expect(gateway.sent).toHaveLength(1);
  });

  it("asks the upstream, though another tier has the same entry", async () => {
    const gateway = gatewayWith(() => 0, { tiers: ["isolate", "edge"] }, new FakeEdge());
    await holding(gateway, MINUTE);
    gateway.advance(58);
    await gateway.send("/a");
    expect(gateway.sent).toHaveLength(2);
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it("a failure leaves what is there", async () => {
    const gateway = gatewayWith(() => 0);
    await holding(gateway, MINUTE);
    gateway.advance(58);
    gateway.origin = () => answer({}, "broken", 500);
    await gateway.send("/a");
    expect((await gateway.send("/a")).text).toBe("old");
  });

  it("with many requests, nearly always comes before the end, and hardly ever long before", async () => {
    let early = 0;
    let late = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const gateway = gatewayWith(seededRandom(seed));
      await holding(gateway, MINUTE);
      gateway.advance(45);
      let tenths = 0;
      for (; tenths < 150 && gateway.sent.length === 1; tenths++) {
        gateway.advance(0.1);
        await gateway.send("/a");
      }
      if (tenths === 150) late++;
      if (tenths < 70) early++;
    }
    expect(late).toBe(0);
    expect(early).toBeLessThan(3);
  });
});

describe("jitter", () => {
  const lifetimeOf = async (chance: number, jitter: number, fields: Fields): Promise<number> => {
    const gateway = gatewayWith(() => chance, { jitter });
    gateway.answers(() => answer(fields));
    await gateway.send("/a");
    const { cacheStatus } = await gateway.send("/a");
    return Number(/ttl=(-?\d+)/.exec(cacheStatus)?.[1]);
  };

  it.each<[string, number, number, Fields, number]>([
    ["none", 0, 0.9, { "cache-control": "max-age=1000" }, 1000],
    ["a tenth, by half", 0.1, 0.5, { "cache-control": "max-age=1000" }, 950],
    ["of what is left of it", 0.1, 0.5, { "cache-control": "max-age=1000", age: "500" }, 475],
    ["all of it", 1, 0.999, { "cache-control": "max-age=1000" }, 1],
  ])("%s", async (_sentence, jitter, chance, fields, ttl) => {
    expect(await lifetimeOf(chance, jitter, fields)).toBe(ttl);
  });

  it("never lengthens a lifetime, and shortens it by its share at most", async () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        share,
        share,
        fc.integer({ min: 10, max: 100_000 }),
        async (jitter, chance, seconds) => {
          const ttl = await lifetimeOf(Math.min(chance, 0.999999), jitter, {
            "cache-control": `max-age=${seconds}`,
          });
          expect(ttl).toBeLessThanOrEqual(seconds);
          expect(ttl).toBeGreaterThanOrEqual(Math.floor(seconds * (1 - jitter)));
        },
      ),
    );
  });

  it("counts for what a 304 makes fresh again, and not for what must be asked about anyway", async () => {
    const gateway = gatewayWith(() => 0.5, { jitter: 0.1 });
    const fields = { "cache-control": "max-age=1000", etag: '"a"' };
    gateway.answers(
      () => answer(fields),
      () => answer(fields, null, 304),
    );
    await gateway.send("/a");
    gateway.advance(951);
    expect((await gateway.send("/a")).result).toBe("revalidated");
    expect((await gateway.send("/a")).cacheStatus).toContain("ttl=950");
    gateway.answers(() => answer({ "cache-control": "no-cache", etag: '"b"' }));
    await gateway.send("/b");
    expect((await gateway.send("/b")).cacheStatus).toContain("fwd=stale");
  });
});
