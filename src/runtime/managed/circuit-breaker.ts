import type { Clock } from "../../core/ports.ts";
import type { CircuitBreakerPlan } from "../../core/upstream-plan.ts";
import { Leases } from "../../lib/leases.ts";
import { FailureWindow } from "./failure-window.ts";
import { isShare } from "./share.ts";

/** What the breaker says to a request. */
export type Entry =
  /** To be left once. Undefined where the request's end says nothing of the upstream. */
  | { readonly outcome: "in"; leave(succeeded: boolean | undefined): void }
  | { readonly outcome: "busy" }
  /** Seconds until a request may be let through, at least 1. */
  | { readonly outcome: "open"; readonly seconds: number };

export interface CircuitBreaker {
  /** `withinMs` is when the request is over at the latest: one that never leaves is forgotten then. */
  enter(withinMs: number): Entry;
}

const BUSY: Entry = { outcome: "busy" };
const PROBED: Entry = { outcome: "open", seconds: 1 };

/**
 * Links a breaker for one upstream in one isolate.
 * - `maxPending` requests may be under way at once.
 * - Closed, a failure opens it for `openMs` when with it the part of failures among the requests that ended in the last `windowMs`
 *   comes to `failureRatio`, and these are at least `minimumRequests`.
 * - Then one request is let through, the probe. Its success closes the breaker, and the window begins anew; its failure opens it
 *   again. One that never leaves is forgotten after its time, and one whose end says nothing at once: the next is the probe.
 * - How requests end that came in before the breaker last opened or closed says nothing any more.
 */
export const linkCircuitBreaker = (plan: CircuitBreakerPlan, clock: Clock): CircuitBreaker => {
  const { maxPending = Number.POSITIVE_INFINITY, failureRatio, minimumRequests, windowMs, openMs } = plan;
  const pending = new Leases();
  const window = new FailureWindow(windowMs);
  /** Undefined while closed. */
  let openUntilMs: number | undefined;
  let probeUntilMs = 0;
  /** Changes with each opening, probe and closing; a request counts only in the one in which it came in. */
  let era = 0;

  const open = (nowMs: number): void => {
    era++;
    openUntilMs = nowMs + openMs;
    probeUntilMs = 0;
  };
  const close = (): void => {
    era++;
    openUntilMs = undefined;
    window.clear();
  };
  const count = (succeeded: boolean, nowMs: number): void => {
    if (failureRatio === undefined) return;
    window.record(nowMs, !succeeded);
    const { total, failed } = window;
    if (!succeeded && total >= minimumRequests && isShare(failed, failureRatio, total)) open(nowMs);
  };
  const probeEnded = (succeeded: boolean | undefined, nowMs: number): void => {
    if (succeeded === undefined) probeUntilMs = 0;
    else if (succeeded) close();
    else open(nowMs);
  };

  return {
    enter: (withinMs) => {
      const nowMs = clock.now();
      const isProbe = openUntilMs !== undefined;
      if (openUntilMs !== undefined) {
        if (nowMs < openUntilMs) return { outcome: "open", seconds: Math.ceil((openUntilMs - nowMs) / 1000) };
        if (nowMs < probeUntilMs) return PROBED;
      }
      if (pending.count(nowMs) >= maxPending) return BUSY;
      if (isProbe) {
        era++;
        probeUntilMs = nowMs + withinMs;
      }
      const lease = pending.begin(nowMs, withinMs);
      const mine = era;
      return {
        outcome: "in",
        leave: (succeeded) => {
          pending.end(lease);
          if (mine !== era) return;
          if (isProbe) probeEnded(succeeded, clock.now());
          else if (succeeded !== undefined) count(succeeded, clock.now());
        },
      };
    },
  };
};
