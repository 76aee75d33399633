import { describe, expect, it } from "vitest";
import { balancer as factory } from "../../src/balancers/least-response-time.ts";
import type { TryOutcome } from "../../src/core/balancer.ts";
import { anyExchange, link, pool, shares, tryAt, WITHIN_MS } from "./support.ts";

/** Which part of the requests each target gets from callers that wait for an answer before they ask again. */
const closedLoop = (latenciesMs: readonly number[], callers: number, durationMs: number, seed = 1) => {
  const { balancer, clock } = link(factory, pool(...latenciesMs.map(() => 1)), { name: "test" }, seed);
  const answers: { at: number; index: number; lease: number }[] = [];
  const done = latenciesMs.map(() => 0);
  const ask = (): void => {
    const index = balancer.pick(anyExchange);
    const lease = balancer.begin!(index, WITHIN_MS);
    answers.push({ at: clock.now() + latenciesMs[index]!, index, lease });
  };
  const end = clock.now() + durationMs;
  for (let caller = 0; caller < callers; caller++) ask();
  while (clock.now() < end) {
    answers.sort((one, other) => one.at - other.at);
    const { at, index, lease } = answers.shift()!;
    clock.advance(at - clock.now());
    balancer.end!(index, lease, latenciesMs[index]!, "answered");
    done[index]!++;
    ask();
  }
  const total = done.reduce((sum, count) => sum + count, 0);
  return done.map((count) => count / total);
};

describe("least response time in a closed loop", () => {
  it.each(
    [1, 4, 16, 64].flatMap((callers) => [
      { callers, latencies: [10, 100] },
      { callers, latencies: [10, 10, 100] },
      { callers, latencies: [200, 20, 20, 20, 20] },
    ]),
  )(
    "gives the slow one of $latencies ms under 15 % of what $callers callers ask",
    ({ callers, latencies }) => {
      for (let seed = 1; seed <= 3; seed++) {
        const slow = latencies.indexOf(Math.max(...latencies));
        expect(closedLoop(latencies, callers, 30_000, seed)[slow]).toBeLessThan(0.15);
      }
    },
  );

  it("shares evenly among equals", () => {
    for (const share of closedLoop([20, 20, 20, 20], 16, 60_000))
      expect(Math.abs(share - 0.25)).toBeLessThan(0.05);
  });
});

/** Picks a hundred times among two and says which always won, or -1. */
const winner = (balancer: Parameters<typeof shares>[0]): number => shares(balancer, 2, 100).indexOf(1);

describe("the decaying mean", () => {
  const measured = (
    ...steps: readonly (readonly [index: number, ms: number, wait?: number, outcome?: TryOutcome])[]
  ) => {
    const { balancer, clock } = link(factory, pool(1, 1));
    for (const [index, ms, wait = 0, outcome] of steps) {
      clock.advance(wait);
      tryAt(balancer, index, ms, outcome);
    }
    return { balancer, clock };
  };
  // After 10 s a mean of 100 and a measurement of 10 make 100/e + 10·(1 − 1/e) = 43.1.
  const mixed = [0, 10, 10_000] as const;

  it.each([
    {
      says: "takes the first measurement as it is",
      steps: [
        [0, 100],
        [1, 99],
      ],
      wins: 1,
    },
    {
      says: "does not move within one instant",
      steps: [
        [0, 100],
        [1, 99],
        [0, 1],
      ],
      wins: 1,
    },
    { says: "is 43.1 after 100, 10 s and 10: above 43", steps: [[0, 100], mixed, [1, 43]], wins: 1 },
    { says: "is 43.1 after 100, 10 s and 10: below 44", steps: [[0, 100], mixed, [1, 44]], wins: 0 },
    {
      says: "forgets the old in a minute",
      steps: [
        [0, 1000],
        [0, 10, 60_000],
        [1, 14],
      ],
      wins: 0,
    },
  ] as const)("$says", ({ steps, wins }) => {
    expect(winner(measured(...steps).balancer)).toBe(wins);
  });

  it("fades while nothing is measured, so that a slow target is tried again", () => {
    const { balancer, clock } = measured([0, 100], [1, 10]);
    const refresh = (): void => tryAt(balancer, 1, 10);
    for (let waited = 0; waited < 22_000; waited += 1000) {
      expect(winner(balancer)).toBe(1);
      clock.advance(1000);
      refresh();
    }
    clock.advance(2000);
    refresh();
    expect(winner(balancer)).toBe(0);
    tryAt(balancer, 0, 100);
    expect(winner(balancer)).toBe(1);
  });

  it("below a millisecond is even with any other, so that work under way counts", () => {
    const { balancer } = measured([0, 0], [1, 0.5]);
    balancer.begin!(0, WITHIN_MS);
    expect(winner(balancer)).toBe(1);
    balancer.begin!(1, WITHIN_MS);
    balancer.begin!(1, WITHIN_MS);
    expect(winner(balancer)).toBe(0);
  });

  it("does not let a clock that was set back turn it round", () => {
    const { balancer, clock } = measured([0, 100], [1, 50]);
    clock.advance(-3_600_000);
    tryAt(balancer, 0, 100_000);
    expect(winner(balancer)).toBe(1);
  });

  it.each([
    {
      says: "a slow one that fails fast stays slow",
      steps: [
        [0, 100],
        [1, 10],
        [0, 1, 1000, "failed"],
      ],
      wins: 1,
    },
    {
      says: "one that has only failed is not faster than the rest",
      steps: [
        [1, 50],
        [0, 1, 0, "failed"],
      ],
      wins: -1,
    },
    {
      says: "a time-out counts in full",
      steps: [
        [0, 10],
        [1, 20],
        [0, 5000, 1000, "failed"],
      ],
      wins: 1,
    },
  ] as const)("a failure: $says", ({ steps, wins }) => {
    expect(winner(measured(...steps).balancer)).toBe(wins);
  });

  it.each([
    {
      says: "does not make a target look fast",
      steps: [
        [0, 100],
        [1, 50],
        [0, 1, 5000, "abandoned"],
      ],
      wins: 1,
    },
    {
      says: "is no measurement of one that was never measured",
      steps: [
        [1, 50],
        [0, 1, 0, "abandoned"],
      ],
      wins: -1,
    },
    {
      says: "counts where it took longer than the mean",
      steps: [
        [0, 10],
        [1, 20],
        [0, 300, 1000, "abandoned"],
      ],
      wins: 1,
    },
  ] as const)("a try that nobody waited for $says", ({ steps, wins }) => {
    expect(winner(measured(...steps).balancer)).toBe(wins);
  });

  it("a pool whose first measurement is a fast failure does not flock to it", () => {
    const { balancer, clock } = link(factory, pool(1, 1));
    const picked = [0, 0];
    for (let request = 0; request < 2000; request++) {
      const index = balancer.pick(anyExchange);
      picked[index]!++;
      const lease = balancer.begin!(index, WITHIN_MS);
      const elapsed = index === 0 ? 1 : 50;
      clock.advance(elapsed);
      balancer.end!(index, lease, elapsed, index === 0 ? "failed" : "answered");
    }
    // Chance would be a half; taken for fast, it would get nearly all.
    expect(picked[0]! / 2000).toBeLessThan(0.7);
  });
});

describe("the score", () => {
  it("seeds a target that was never measured with the mean of the others", () => {
    const { balancer } = link(factory, pool(1, 1, 1));
    for (const [index, ms] of [
      [0, 10],
      [1, 30],
    ] as const)
      tryAt(balancer, index, ms);
    // 10 beats the seed of 20, which beats 30.
    expect(shares(balancer, 3, 200, (index) => index !== 1)[0]).toBe(1);
    expect(shares(balancer, 3, 200, (index) => index !== 0)[2]).toBe(1);
  });

  it.each([
    { weights: [1, 1], active: [4, 0], wins: 0, because: "10 · 5 < 60 · 1" },
    { weights: [1, 1], active: [6, 0], wins: 1, because: "10 · 7 > 60 · 1" },
    { weights: [1, 4], active: [1, 0], wins: 1, because: "10 · 2 / 1 > 60 · 1 / 4" },
    { weights: [1, 4], active: [0, 0], wins: 0, because: "10 · 1 / 1 < 60 · 1 / 4" },
  ])("counts work under way and weight: $because", ({ weights, active, wins }) => {
    const { balancer } = link(factory, pool(...weights));
    for (const [index, ms] of [
      [0, 10],
      [1, 60],
    ] as const)
      tryAt(balancer, index, ms);
    for (const [index, count] of active.entries())
      for (let i = 0; i < count; i++) balancer.begin!(index, WITHIN_MS);
    expect(winner(balancer)).toBe(wins);
  });

  it.each([
    { says: "is counted while it may still be under way", waitMs: 9000, wins: 1 },
    { says: "is forgotten when its time is over", waitMs: 11_000, wins: -1 },
  ])("work that never ends $says", ({ waitMs, wins }) => {
    const { balancer, clock } = link(factory, pool(1, 1));
    balancer.begin!(0, 10_000);
    clock.advance(waitMs);
    expect(winner(balancer)).toBe(wins);
  });

  it("keeps the means of the targets that stay where the pool has changed", () => {
    const [a, b, c] = pool(1, 1, 1);
    const known = new WeakMap();
    const before = link(factory, [a!, b!, c!], undefined, 1, known).balancer;
    tryAt(before, 0, 50);
    tryAt(before, 1, 10);
    expect(winner(link(factory, [a!, b!], undefined, 1, known).balancer)).toBe(1);
    expect(winner(link(factory, [b!, a!], undefined, 1, known).balancer)).toBe(0);
  });
});
