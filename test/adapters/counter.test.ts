import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryCounter } from "../../src/adapters/memory/counter.ts";
import type { Limit } from "../../src/core/ports.ts";
import { FakeClock } from "../support/ports.ts";
import { ALGORITHMS, counterContract, MINUTE } from "./counter-contract.ts";

const setup = (options?: { maxKeys?: number }) => {
  const clock = new FakeClock();
  const counter = new MemoryCounter(clock, options);
  const one = (key: string, limit: Limit, cost = 1) => counter.take([key], [limit], cost)[0]!;
  return { clock, counter, one };
};

describe("a counter in the isolate's memory", () => counterContract(setup));

/** Requests at random moments: milliseconds since the one before. */
const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(200), fc.nat(20_000)), {
  minLength: 1,
  maxLength: 120,
});

/** The moments at which requests passed. */
const passes = (limit: Limit, steps: readonly number[]): { at: number; end: number }[] => {
  const { clock, one } = setup();
  return steps.flatMap((gap) => {
    clock.advance(gap);
    return one("a", limit).allowed ? [{ at: clock.ms, end: clock.ms + limit.windowMs }] : [];
  });
};

describe("laws", () => {
  const limits = fc.record({
    quantity: fc.integer({ min: 1, max: 12 }),
    windowMs: fc.constantFrom(1000, 10_000, MINUTE, 16_001),
  });

  it("sliding window: in no window of any position do more than the quantity pass", () => {
    fc.assert(
      fc.property(limits, gaps, (base, steps) => {
        const all = passes({ algorithm: "slidingWindow", ...base }, steps);
        for (const { at, end } of all) {
          expect(all.filter((other) => other.at >= at && other.at < end).length).toBeLessThanOrEqual(
            base.quantity,
          );
        }
      }),
    );
  });

  it("sliding window: a request is refused only if the window and its sixteenth before hold the quantity", () => {
    fc.assert(
      fc.property(limits, gaps, (base, steps) => {
        const { clock, one } = setup();
        const passed: number[] = [];
        for (const gap of steps) {
          clock.advance(gap);
          const { allowed } = one("a", { algorithm: "slidingWindow", ...base });
          const near = passed.filter((at) => at > clock.ms - base.windowMs * (17 / 16)).length;
          if (!allowed) expect(near).toBeGreaterThanOrEqual(base.quantity);
          else passed.push(clock.ms);
        }
      }),
    );
  });

  it("token bucket: in no span do more than the burst and what drips in meanwhile pass", () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 20 }), gaps, (base, burst, steps) => {
        const all = passes({ algorithm: "tokenBucket", burst, ...base }, steps);
        for (const [from, { at }] of all.entries()) {
          for (const [to, { at: until }] of all.entries()) {
            if (to < from) continue;
            expect(to - from + 1).toBeLessThanOrEqual(burst + ((until - at) * base.quantity) / base.windowMs);
          }
        }
      }),
    );
  });

  it("token bucket: a caller who keeps to the rate is never refused", () => {
    fc.assert(
      fc.property(limits, fc.array(fc.nat(5000), { maxLength: 60 }), (base, extra) => {
        const { clock, one } = setup();
        for (const more of extra) {
          expect(one("a", { algorithm: "tokenBucket", burst: 1, ...base }).allowed).toBe(true);
          clock.advance(Math.ceil(base.windowMs / base.quantity) + more);
        }
      }),
    );
  });

  it("fixed window: in no window from the epoch do more than the quantity pass", () => {
    fc.assert(
      fc.property(limits, gaps, (base, steps) => {
        const windows = Map.groupBy(passes({ algorithm: "fixedWindow", ...base }, steps), ({ at }) =>
          Math.floor(at / base.windowMs),
        );
        for (const members of windows.values()) expect(members.length).toBeLessThanOrEqual(base.quantity);
      }),
    );
  });

  it("several limits: all pass and are charged, or none is", () => {
    const request = fc.record({
      gap: fc.nat(8000),
      keys: fc.subarray([0, 1, 2], { minLength: 1 }),
      cost: fc.integer({ min: 0, max: 3 }),
    });
    const trio = ALGORITHMS.map((algorithm, index) => ({ algorithm, quantity: 4 + index, windowMs: 10_000 }));
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        const { clock, counter } = setup();
        const ask = (index: number) => counter.take([`k${index}`], [trio[index]!], 0)[0]!.remaining;
        for (const { gap, keys, cost } of requests) {
          clock.advance(gap);
          const before = keys.map(ask);
          const states = counter.take(
            keys.map((index) => `k${index}`),
            keys.map((index) => trio[index]!),
            cost,
          );
          const charged = states.every(({ allowed }) => allowed) ? cost : 0;
          expect(keys.map(ask)).toEqual(before.map((remaining) => remaining - charged));
          expect(states.map(({ remaining }) => remaining)).toEqual(keys.map(ask));
          expect(states.map(({ allowed }) => allowed)).toEqual(
            before.map((remaining) => remaining >= Math.max(cost, 1)),
          );
        }
      }),
    );
  });
});

describe("memory", () => {
  const hourly: Limit = { algorithm: "slidingWindow", quantity: 1, windowMs: 3_600_000 };
  const secondly: Limit = { algorithm: "fixedWindow", quantity: 1, windowMs: 1000 };

  it("holds so many keys and no more", () => {
    const { counter, one } = setup({ maxKeys: 100 });
    for (let index = 0; index < 1000; index++) one(`k${index}`, hourly);
    expect(counter.size).toBeLessThanOrEqual(100);
    expect(counter.size).toBeGreaterThan(90);
  });

  it("drops what has expired first", () => {
    const { clock, one } = setup({ maxKeys: 3 });
    one("old but alive", hourly);
    one("expired 1", secondly);
    one("expired 2", secondly);
    clock.advance(5000);
    one("new", hourly);
    expect(one("old but alive", hourly).allowed).toBe(false);
    expect(one("new", hourly).allowed).toBe(false);
  });

  it("then what was used least recently", () => {
    const { one } = setup({ maxKeys: 3 });
    for (const key of ["a", "b", "c"]) one(key, hourly);
    one("a", hourly);
    one("d", hourly);
    expect(["a", "c", "d"].map((key) => one(key, hourly).allowed)).toEqual([false, false, false]);
    expect(one("b", hourly).allowed).toBe(true);
  });

  it("who is refused again and again cannot push out their own bucket", () => {
    const { one } = setup({ maxKeys: 10 });
    one("attacker", hourly);
    for (let index = 0; index < 1000; index++) {
      expect(one("attacker", hourly).allowed).toBe(false);
      one(`victim ${index}`, hourly);
    }
  });

  it("remembers nothing of a key that was only asked about or refused with others", () => {
    const { counter, one } = setup();
    one("a", hourly, 0);
    expect(counter.size).toBe(0);
    one("a", hourly);
    counter.take(["a", "b"], [hourly, hourly], 1);
    expect(counter.size).toBe(1);
  });
});
