import type { Clock } from "../../core/ports.ts";
import type { OutlierDetectionPlan } from "../../core/upstream-plan.ts";
import type { HealthSource } from "../parts.ts";
import type { LinkedTarget } from "../upstream.ts";
import { wholeShare } from "./share.ts";

/** What is known of one target. */
interface Conduct {
  readonly target: LinkedTarget;
  /** Failures in a row. */
  failures: number;
  /** How often it was ejected, less what it made good since. */
  times: number;
  /** When it comes back from the last ejection; 0 before the first. */
  backAtMs: number;
}

/**
 * Links outlier detection as Envoy has it, for failures in a row; it counts in one isolate.
 * - The failure with which a target comes to `consecutiveErrors` in a row ejects it at once, for `baseEjectionMs` times how often
 *   it was ejected, and at most `maxEjectionMs`. It comes back by itself, with no failures.
 * - How often: one more with each ejection, but no more than lengthen it, and one less for each `baseEjectionMs` that it then
 *   stayed in. (Envoy takes one off with each of its intervals; there is none here.)
 * - Only the targets that can be picked count: those with a weight and an address. At most `maxEjected` of them are out at once,
 *   rounded down, but one always may be. The last healthy one never is, by `others`, the other sources of health, too. A
 *   target that may not be ejected keeps its count, and is when its next failure finds that it may.
 * - How tries end while a target is out says nothing: they began before, or were sent in panic. Nor does one that nobody
 *   waited for.
 */
export const linkOutlierDetection = (
  plan: OutlierDetectionPlan,
  clock: Clock,
  others: readonly HealthSource[] = [],
): HealthSource => {
  const { consecutiveErrors, baseEjectionMs, maxEjectionMs, maxEjected } = plan;
  const conducts = new WeakMap<LinkedTarget, Conduct>();
  const mostTimes = Math.ceil(maxEjectionMs / baseEjectionMs);
  /** The few that were ejected and may still be out: all that is looked at when a target is picked. */
  let ejected: readonly Conduct[] = [];

  const isHealthy = (target: LinkedTarget): boolean => {
    for (const conduct of ejected) if (conduct.target === target) return clock.now() >= conduct.backAtMs;
    return true;
  };

  const mayEject = (target: LinkedTarget, targets: readonly LinkedTarget[]): boolean => {
    let size = 0;
    let out = 0;
    let healthyOthers = 0;
    for (const it of targets) {
      if (!(it.weight > 0) || it.fetcher === undefined) continue;
      size++;
      if (!isHealthy(it)) out++;
      else if (it !== target && others.every((source) => source.isHealthy(it))) healthyOthers++;
    }
    return healthyOthers > 0 && out < Math.max(1, wholeShare(maxEjected, size));
  };

  const eject = (conduct: Conduct, nowMs: number): void => {
    const stayedMs = conduct.backAtMs === 0 ? 0 : nowMs - conduct.backAtMs;
    const before = Math.max(0, conduct.times - Math.floor(stayedMs / baseEjectionMs));
    conduct.times = Math.min(mostTimes, before + 1);
    conduct.failures = 0;
    conduct.backAtMs = nowMs + Math.min(maxEjectionMs, baseEjectionMs * conduct.times);
    ejected = [...ejected.filter((it) => it !== conduct && nowMs < it.backAtMs), conduct];
  };

  return {
    isHealthy,
    ended: (target, outcome, targets) => {
      if (outcome === "abandoned") return;
      let conduct = conducts.get(target);
      if (outcome === "answered") {
        if (conduct !== undefined) conduct.failures = 0;
        return;
      }
      const nowMs = clock.now();
      if (conduct === undefined)
        conducts.set(target, (conduct = { target, failures: 0, times: 0, backAtMs: 0 }));
      if (nowMs < conduct.backAtMs) return;
      conduct.failures++;
      if (conduct.failures >= consecutiveErrors && mayEject(target, targets)) eject(conduct, nowMs);
    },
  };
};
