import { describe, expect, it } from "vitest";
import type { Counter, Limit, LimitState } from "../../src/core/ports.ts";
import type { FakeClock } from "../support/ports.ts";

export const ALGORITHMS = ["slidingWindow", "tokenBucket", "fixedWindow"] as const;
export const MINUTE = 60_000;

export const perMinute = (
  algorithm: Limit["algorithm"],
  quantity: number,
  over: Partial<Limit> = {},
): Limit => ({ algorithm, quantity, windowMs: MINUTE, ...over });

/** A counter that has counted nothing yet, and the clock that it counts by. */
export interface CounterStage {
  readonly counter: Counter;
  readonly clock: FakeClock;
}

/** What every counter does. */
export const counterContract = (open: () => CounterStage): void => {
  const stage = () => {
    const { clock, counter } = open();
    const one = async (key: string, limit: Limit, cost = 1): Promise<LimitState> =>
      (await counter.take([key], [limit], cost))[0]!;
    /** How many of so many requests pass. */
    const passed = async (key: string, limit: Limit, requests: number): Promise<number> => {
      let count = 0;
      for (let request = 0; request < requests; request++) if ((await one(key, limit)).allowed) count++;
      return count;
    };
    return { clock, counter, one, passed };
  };

  describe.each(ALGORITHMS)("%s", (algorithm) => {
    const ten = perMinute(algorithm, 10);

    it("lets exactly the quantity pass", async () => {
      expect(await stage().passed("a", ten, 25)).toBe(10);
    });

    it("has the whole quantity again after a whole window", async () => {
      const { clock, passed } = stage();
      clock.advance(12_345);
      await passed("a", ten, 10);
      clock.advance(MINUTE);
      expect(await passed("a", ten, 25)).toBe(10);
    });

    it("counts each key by itself", async () => {
      const { passed } = stage();
      const counts = [await passed("a", ten, 25), await passed("b", ten, 5), await passed("a", ten, 1)];
      expect(counts).toEqual([10, 5, 0]);
    });

    it("tells what remains, and never less than nothing", async () => {
      const { one } = stage();
      const remaining: number[] = [];
      for (let request = 0; request < 12; request++) remaining.push((await one("a", ten)).remaining);
      expect(remaining).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]);
    });

    it("says when a refused request would pass: then it does, and not a second before", async () => {
      const { clock, one, passed } = stage();
      clock.advance(7777);
      await passed("a", ten, 10);
      const { resetSeconds, allowed } = await one("a", ten);
      expect(allowed).toBe(false);
      expect(resetSeconds).toBeGreaterThan(0);
      clock.advance((resetSeconds - 1) * 1000);
      expect((await one("a", ten)).allowed).toBe(false);
      clock.advance(1000);
      expect((await one("a", ten)).allowed).toBe(true);
    });

    it("says when everything is there again: then it is", async () => {
      const { clock, one } = stage();
      clock.advance(7777);
      await one("a", ten);
      clock.advance(4321);
      const { resetSeconds } = await one("a", ten);
      clock.advance(resetSeconds * 1000);
      expect(await one("a", ten, 0)).toEqual({ remaining: 10, resetSeconds: 0, allowed: true });
    });

    it("takes several units at once, or none", async () => {
      const { one } = stage();
      expect(await one("a", ten, 7)).toMatchObject({ allowed: true, remaining: 3 });
      expect(await one("a", ten, 4)).toMatchObject({ allowed: false, remaining: 3 });
      expect(await one("a", ten, 3)).toMatchObject({ allowed: true, remaining: 0 });
      expect(await one("b", ten, 11)).toMatchObject({ allowed: false, remaining: 10 });
      expect((await one("b", ten, 11)).resetSeconds).toBeGreaterThan(0);
    });

    it("is asked without being charged by a cost of 0", async () => {
      const { one, passed } = stage();
      expect(await one("a", ten, 0)).toMatchObject({ allowed: true, remaining: 10 });
      expect(await passed("a", ten, 10)).toBe(10);
      expect(await one("a", ten, 0)).toMatchObject({ allowed: false, remaining: 0 });
      expect((await one("a", ten, 0)).resetSeconds).toBeGreaterThan(0);
    });

    it("frees nothing when the clock steps back", async () => {
      const { clock, one, passed } = stage();
      await passed("a", ten, 10);
      clock.advance(-30_000);
      expect((await one("a", ten)).allowed).toBe(false);
      clock.advance(30_000);
      expect((await one("a", ten)).allowed).toBe(false);
    });
  });

  describe("windows' edges (S34)", () => {
    it("are no way around a sliding window, and are one around a fixed one", async () => {
      for (const [algorithm, expected] of [
        ["slidingWindow", 10],
        ["fixedWindow", 20],
      ] as const) {
        const { clock, passed } = stage();
        clock.advance(MINUTE - 1);
        const before = await passed("a", perMinute(algorithm, 10), 10);
        clock.advance(1);
        expect(before + (await passed("a", perMinute(algorithm, 10), 10))).toBe(expected);
      }
    });

    it("a sliding window gives units back when the last of their sixteenth is a window old, not before and not later", async () => {
      const { clock, passed } = stage();
      const limit = perMinute("slidingWindow", 10);
      await passed("a", limit, 4);
      clock.advance(3000);
      await passed("a", limit, 3);
      clock.advance(1000);
      await passed("a", limit, 3);
      clock.advance(MINUTE - 4000);
      expect(await passed("a", limit, 10)).toBe(0);
      clock.advance(3000);
      expect(await passed("a", limit, 10)).toBe(7);
      clock.advance(1000);
      expect(await passed("a", limit, 10)).toBe(3);
    });

    it("a token bucket gives its burst at once, and the rate after", async () => {
      const { clock, passed } = stage();
      const limit = perMinute("tokenBucket", 60, { burst: 5 });
      expect(await passed("a", limit, 60)).toBe(5);
      clock.advance(3000);
      expect(await passed("a", limit, 60)).toBe(3);
    });

    it("a token bucket stays exact after a year without requests", async () => {
      const { clock, one, passed } = stage();
      const limit = perMinute("tokenBucket", 1_000_000_000);
      await passed("a", limit, 3);
      clock.advance(365 * 86_400_000);
      expect((await one("a", limit)).remaining).toBe(999_999_999);
    });
  });

  it("several limits: all pass and are charged, or none is", async () => {
    const { counter, one, passed } = stage();
    const limits = ALGORITHMS.map((algorithm, index) => perMinute(algorithm, 4 + index));
    const keys = ["a", "b", "c"];
    const take = (cost: number) => counter.take(keys, limits, cost);
    expect((await take(3)).map(({ remaining, allowed }) => [remaining, allowed])).toEqual([
      [1, true],
      [2, true],
      [3, true],
    ]);
    expect((await take(2)).map(({ remaining, allowed }) => [remaining, allowed])).toEqual([
      [1, false],
      [2, true],
      [3, true],
    ]);
    expect(await Promise.all(keys.map((key, index) => one(key, limits[index]!, 0)))).toMatchObject([
      { remaining: 1 },
      { remaining: 2 },
      { remaining: 3 },
    ]);
    expect(await passed("c", limits[2]!, 5)).toBe(3);
  });

  it("of many that ask at once for the last units, so many pass as there are", async () => {
    const { counter } = stage();
    const limits = [perMinute("slidingWindow", 25), perMinute("tokenBucket", 20)];
    const asked = await Promise.all(
      Array.from({ length: 100 }, async () => counter.take(["a", "b"], limits, 1)),
    );
    expect(asked.filter((states) => states.every(({ allowed }) => allowed))).toHaveLength(20);
  });
};
