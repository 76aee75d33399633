import type { BalancedTarget, BalancerFactory } from "../core/balancer.ts";
import type { Clock } from "../core/ports.ts";
import { lowerOfTwo, weightedDraw, withoutChoice } from "./draw.ts";

const TIME_CONSTANT_MS = 10_000;

/** Clocks count whole milliseconds: below one, means are even and the work under way decides. */
const FLOOR_MS = 1;

/**
 * Of two targets drawn by weight, the one with the lower `e · (active + 1) / weight`; the first drawn when they are even.
 * `e` is a decaying mean of the times until the answer's header, as `decayingMeans` says.
 */
export const balancer: BalancerFactory = (targets, _plan, { random, clock }) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const weights = targets.map((target) => target.weight);
  const draw = weightedDraw(weights, random);
  const active = new Int32Array(targets.length);
  const means = decayingMeans(targets, clock);
  const score = (index: number): number => (means.get(index) * (active[index]! + 1)) / weights[index]!;
  return {
    pick: (_exchange, usable) => lowerOfTwo(draw, usable, score),
    begin: (index) => {
      active[index]!++;
    },
    end: (index, elapsedMs, failed) => {
      active[index]!--;
      means.observe(index, elapsedMs, failed);
    },
  };
};

/**
 * One mean a target: `e = e·exp(−Δt/10 s) + rtt·(1 − exp(−Δt/10 s))`, Δt being the time since it was measured last.
 * - While nothing is measured `e` fades by the same factor; a target that once was slow is so tried again, and not shunned
 *   for good.
 * - A target that was never measured counts with the mean of the others; its first measurement replaces that.
 * - A failed try does not make a target look fast: it counts as no faster than the target's own mean and that of the pool.
 */
const decayingMeans = (targets: readonly BalancedTarget[], clock: Clock) => {
  const values = new Float64Array(targets.length);
  const measuredAt = new Float64Array(targets.length).fill(Number.NaN);

  /** What of an old mean still holds; 0 for a target that was never measured. */
  const kept = (index: number, now: number): number => {
    const since = measuredAt[index]!;
    return Number.isNaN(since) ? 0 : Math.exp(Math.min(0, since - now) / TIME_CONSTANT_MS);
  };

  const poolMean = (now: number): number => {
    let sum = 0;
    let measured = 0;
    for (let index = 0; index < values.length; index++) {
      if (Number.isNaN(measuredAt[index]!)) continue;
      sum += values[index]! * kept(index, now);
      measured++;
    }
    return measured === 0 ? FLOOR_MS : Math.max(FLOOR_MS, sum / measured);
  };

  return {
    /** The mean as of now, in milliseconds. */
    get: (index: number): number => {
      const now = clock.now();
      if (Number.isNaN(measuredAt[index]!)) return poolMean(now);
      return Math.max(FLOOR_MS, values[index]! * kept(index, now));
    },
    observe: (index: number, elapsedMs: number, failed: boolean): void => {
      const now = clock.now();
      const part = kept(index, now);
      let before = values[index]!;
      let rtt = elapsedMs;
      if (failed) {
        before = Math.max(before, poolMean(now));
        rtt = Math.max(rtt, before);
      }
      values[index] = before * part + rtt * (1 - part);
      measuredAt[index] = now;
    },
  };
};
