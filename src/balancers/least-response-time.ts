import type { BalancerFactory, TryOutcome } from "../core/balancer.ts";
import { Leases } from "../lib/leases.ts";
import { lowerOfTwo, weightedDraw, withoutChoice } from "./draw.ts";
import { knownOf } from "./known.ts";

const TIME_CONSTANT_MS = 10_000;

/** Clocks count whole milliseconds: below one, means are even and the work under way decides. */
const FLOOR_MS = 1;

/** What is known of one target. */
interface Measured {
  readonly active: Leases;
  /** The mean when it was measured last, and when that was; NaN where it never was. */
  meanMs: number;
  atMs: number;
}

/**
 * Of two targets drawn by weight, the one with the lower `e · (active + 1) / weight`; the first drawn when they are even.
 * `e` is a decaying mean of the times until the answer's header, as `observe` says. A target that was never measured counts
 * with the mean of the others.
 */
export const balancer: BalancerFactory = (targets, _plan, site) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const { random, clock } = site;
  const weights = targets.map((target) => target.weight);
  const draw = weightedDraw(weights, random);
  const all = knownOf(targets, site, () => ({ active: new Leases(), meanMs: 0, atMs: Number.NaN }));
  let nowMs = 0;
  const score = (index: number): number => {
    const one = all[index]!;
    return (meanOf(one, all, nowMs) * (one.active.count(nowMs) + 1)) / weights[index]!;
  };
  return {
    pick: (_exchange, usable, part) => {
      nowMs = clock.now();
      return lowerOfTwo(draw, usable, part, random, score);
    },
    begin: (index, withinMs) => all[index]!.active.begin(clock.now(), withinMs),
    end: (index, lease, elapsedMs, outcome) => {
      const one = all[index]!;
      one.active.end(lease);
      observe(one, all, elapsedMs, outcome, clock.now());
    },
  };
};

/** What of an old mean still holds; 0 for a target that was never measured. */
const kept = ({ atMs }: Measured, nowMs: number): number =>
  Number.isNaN(atMs) ? 0 : Math.exp(Math.min(0, atMs - nowMs) / TIME_CONSTANT_MS);

/** The mean as of now, in milliseconds. */
const meanOf = (one: Measured, all: readonly Measured[], nowMs: number): number =>
  Number.isNaN(one.atMs) ? poolMean(all, nowMs) : Math.max(FLOOR_MS, one.meanMs * kept(one, nowMs));

const poolMean = (all: readonly Measured[], nowMs: number): number => {
  let sum = 0;
  let measured = 0;
  for (const one of all) {
    if (Number.isNaN(one.atMs)) continue;
    sum += one.meanMs * kept(one, nowMs);
    measured++;
  }
  return measured === 0 ? FLOOR_MS : Math.max(FLOOR_MS, sum / measured);
};

/**
 * Takes a try into the mean: `e = e·exp(−Δt/10 s) + rtt·(1 − exp(−Δt/10 s))`, Δt being the time since it was measured last.
 * - While nothing is measured `e` fades by the same factor; a target that once was slow is so tried again, and not shunned
 *   for good.
 * - The first measurement of a target replaces the mean of the others, with which it counted before.
 * - A failed try does not make a target look fast: it counts as no faster than the target's own mean and that of the pool.
 * - A try that nobody waited for would have taken longer than it did: it counts only where it took longer than the mean.
 */
const observe = (
  one: Measured,
  all: readonly Measured[],
  elapsedMs: number,
  outcome: TryOutcome,
  nowMs: number,
): void => {
  if (outcome === "abandoned" && elapsedMs <= meanOf(one, all, nowMs)) return;
  const part = kept(one, nowMs);
  let before = one.meanMs;
  let rtt = elapsedMs;
  if (outcome === "failed") {
    before = Math.max(before, poolMean(all, nowMs));
    rtt = Math.max(rtt, before);
  }
  one.meanMs = before * part + rtt * (1 - part);
  one.atMs = nowMs;
};
