import { describe, expect, it } from "vitest";
import { balancer as factory } from "../../src/balancers/least-response-time.ts";
import { anyExchange, link, pool, shares } from "./support.ts";

/** Which part of the requests each target gets from callers that wait for an answer before they ask again. */
const closedLoop = (latenciesMs: readonly number[], callers: number, durationMs: number, seed = 1) => {
  const { balancer, clock } = link(factory, pool(...latenciesMs.map(() => 1)), { name: "test" }, seed);
  const answers: { at: number; index: number }[] = [];
  const done = latenciesMs.map(() => 0);
  const ask = (): void => {
    const index = balancer.pick(anyExchange);
    balancer.begin!(index);
    answers.push({ at: clock.now() + latenciesMs[index]!, index });
  };
  const end = clock.now() + durationMs;
  for (let caller = 0; caller < callers; caller++) ask();
  while (clock.now() < end) {
    answers.sort((one, other) => one.at - other.at);
    const { at, index } = answers.shift()!;
    clock.advance(at - clock.now());
    balancer.end!(index, latenciesMs[index]!, false);
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
    ...steps: readonly (readonly [index: number, ms: number, wait?: number, failed?: boolean])[]
  ) => {
    const { balancer, clock } = link(factory, pool(1, 1));
    for (const [index, ms, wait = 0, failed = false] of steps) {
      clock.advance(wait);
      balancer.begin!(index);
      balancer.end!(index, ms, failed);
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
    const refresh = (): void => {
      balancer.begin!(1);
      balancer.end!(1, 10, false);
    };
    for (let waited = 0; waited < 22_000; waited += 1000) {
      expect(winner(balancer)).toBe(1);
      clock.advance(1000);
      refresh();
    }
    clock.advance(2000);
    refresh();
    expect(winner(balancer)).toBe(0);
    balancer.begin!(0);
    balancer.end!(0, 100, false);
    expect(winner(balancer)).toBe(1);
  });

  it("below a millisecond is even with any other, so that work under way counts", () => {
    const { balancer } = measured([0, 0], [1, 0.5]);
    balancer.begin!(0);
    expect(winner(balancer)).toBe(1);
    balancer.begin!(1);
    balancer.begin!(1);
    expect(winner(balancer)).toBe(0);
  });

  it("does not let a clock that was set back turn it round", () => {
    const { balancer, clock } = measured([0, 100], [1, 50]);
    clock.advance(-3_600_000);
    balancer.begin!(0);
    balancer.end!(0, 100_000, false);
    expect(winner(balancer)).toBe(1);
  });

  it.each([
    {
      says: "a slow one that fails fast stays slow",
      steps: [
        [0, 100],
        [1, 10],
        [0, 1, 1000, true],
      ],
      wins: 1,
    },
    {
      says: "one that has only failed is not faster than the rest",
      steps: [
        [1, 50],
        [0, 1, 0, true],
      ],
      wins: -1,
    },
    {
      says: "a time-out counts in full",
      steps: [
        [0, 10],
        [1, 20],
        [0, 5000, 1000, true],
      ],
      wins: 1,
    },
  ] as const)("a failure: $says", ({ steps, wins }) => {
    expect(winner(measured(...steps).balancer)).toBe(wins);
  });

  it("a pool whose first measurement is a fast failure does not flock to it", () => {
    const { balancer, clock } = link(factory, pool(1, 1));
    const picked = [0, 0];
    for (let request = 0; request < 2000; request++) {
      const index = balancer.pick(anyExchange);
      picked[index]!++;
      balancer.begin!(index);
      const elapsed = index === 0 ? 1 : 50;
      clock.advance(elapsed);
      balancer.end!(index, elapsed, index === 0);
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
    ] as const) {
      balancer.begin!(index);
      balancer.end!(index, ms, false);
    }
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
    ] as const) {
      balancer.begin!(index);
      balancer.end!(index, ms, false);
    }
    for (const [index, count] of active.entries()) for (let i = 0; i < count; i++) balancer.begin!(index);
    expect(winner(balancer)).toBe(wins);
  });
});
