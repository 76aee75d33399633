import type { TargetState } from "../../core/health.ts";
import type { Log } from "../../core/ports.ts";
import type { HealthCheckPlan } from "../../core/upstream-plan.ts";
import type { LinkedTarget } from "../upstream.ts";
import { addressOf, afterCheck } from "./health-states.ts";

/** What the checks of one upstream share. */
export interface CheckSite {
  readonly upstream: string;
  readonly plan: HealthCheckPlan;
  readonly log: Log;
}

/** On Workers six calls of a request may wait for their answers at once, and further ones queue: the client's own must not. */
const AT_ONCE = 4;

/** The longest that a round over so many targets takes. */
export const longestRoundMs = (targets: number, { timeoutMs }: HealthCheckPlan): number =>
  Math.ceil(targets / AT_ONCE) * timeoutMs;

/**
 * Asks each target once, and keeps in `states` what comes of it as it comes: a round that is cut off has told that much. Every
 * target has a state there. Never rejects.
 */
export const checkTargets = async (
  targets: readonly LinkedTarget[],
  states: Record<string, TargetState>,
  { upstream, plan, log }: CheckSite,
): Promise<void> => {
  const waiting = targets.values();
  const checkInTurn = async (): Promise<void> => {
    for (const target of waiting) {
      const passed = await passes(target, plan);
      const before = states[target.name]!;
      const after = afterCheck(before, passed, plan);
      states[target.name] = after;
      if (after.isHealthy === before.isHealthy) continue;
      const message = `Health checks ${after.isHealthy ? "took a target back in" : "took a target out"}.`;
      log.write({ level: "warn", message, upstream, target: target.name });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, checkInTurn));
};

const HEADERS = { accept: "*/*", "user-agent": "postern-health-check", via: "1.1 postern" };

/**
 * Whether a target answers in time with a status of a healthy one; one that cannot be called does not. A call over its time is
 * broken off: left to itself it would keep one of the few places of its request.
 */
const passes = (target: LinkedTarget, { path, timeoutMs, statuses }: HealthCheckPlan): Promise<boolean> =>
  new Promise((resolve) => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      resolve(false);
      abort.abort();
    }, timeoutMs);
    const ask = async (): Promise<boolean> => {
      const { signal } = abort;
      // Some cache's word of yesterday is no proof of health: with `no-store` the platform asks no cache, and asks others not to.
      const init: RequestInit = { headers: HEADERS, cache: "no-store", redirect: "manual", signal };
      const response = await target.fetcher!.fetch(addressOf(target) + path, init);
      response.body?.cancel().catch(() => {});
      return response.status >= statuses[0] && response.status <= statuses[1];
    };
    ask()
      .catch(() => false)
      .then((passed) => {
        clearTimeout(timer);
        resolve(passed);
      });
  });
