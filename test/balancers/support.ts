import type { BalancedTarget, Balancer, BalancerFactory, TryOutcome } from "../../src/core/balancer.ts";
import type { BalancerPlan } from "../../src/core/upstream-plan.ts";
import { FakeClock, fakeExchange, seededRandom } from "../support/ports.ts";

/** Targets `a`, `b`, `c`, … (then `t26`, `t27`, …) with the given weights. */
export const pool = (...weights: readonly number[]): BalancedTarget[] =>
  weights.map((weight, index) => ({
    name: index < 26 ? String.fromCharCode(97 + index) : `t${index}`,
    weight,
  }));

/** Links a balancer with a clock that stands still and seeded chance. */
export const link = (
  factory: BalancerFactory,
  targets: readonly BalancedTarget[],
  plan: BalancerPlan = { name: "test" },
  seed = 1,
  known?: WeakMap<BalancedTarget, object>,
): { balancer: Balancer; clock: FakeClock } => {
  const clock = new FakeClock();
  const random = { number: seededRandom(seed), uuid: () => "" };
  return { balancer: factory(targets, plan, { random, clock, ...(known && { known }) }), clock };
};

/** An exchange for balancers that do not look at it. */
export const anyExchange = fakeExchange(new Request("https://api.example.com/"));

/** How long a try may take in these tests. */
export const WITHIN_MS = 10_000;

/** A try at a target, from begin to end in one instant. */
export const tryAt = (
  balancer: Balancer,
  index: number,
  elapsedMs: number,
  outcome: TryOutcome = "answered",
): void => balancer.end!(index, balancer.begin!(index, WITHIN_MS), elapsedMs, outcome);

/** The names that so many picks give, in one text. */
export const sequence = (
  balancer: Balancer,
  targets: readonly BalancedTarget[],
  count: number,
  usable?: (index: number) => boolean,
  part?: (index: number) => number,
): string =>
  Array.from({ length: count }, () => targets[balancer.pick(anyExchange, usable, part)]?.name ?? "-").join(
    "",
  );

/** Which part of so many picks each target gets. */
export const shares = (
  balancer: Balancer,
  size: number,
  count: number,
  usable?: (index: number) => boolean,
  part?: (index: number) => number,
) => {
  const picked = new Array<number>(size).fill(0);
  for (let done = 0; done < count; done++) picked[balancer.pick(anyExchange, usable, part)]!++;
  return picked.map((times) => times / count);
};
