import type { UpstreamDocument } from "../config/documents/upstream.ts";
import type { RetryPlan, UpstreamPlan } from "../core/upstream-plan.ts";
import { defined } from "./defined.ts";

/** The keys of an upstream that make more of a request than one plain call, as the plan has them. */
export const trafficPlan = (
  document: UpstreamDocument,
): Pick<
  UpstreamPlan,
  "retry" | "hedge" | "outlierDetection" | "healthCheck" | "circuitBreaker" | "slowStartMs" | "panicThreshold"
> => {
  const { retry, hedge, outlierDetection, healthCheck, circuitBreaker } = document;
  return defined({
    retry: retry && retryPlan(retry),
    hedge: hedge && { afterMs: hedge.after },
    outlierDetection: outlierDetection && {
      consecutiveErrors: outlierDetection.consecutiveErrors,
      baseEjectionMs: outlierDetection.baseEjection,
      maxEjectionMs: outlierDetection.maxEjection,
      maxEjected: outlierDetection.maxEjected,
    },
    healthCheck: healthCheck && {
      path: healthCheck.path,
      intervalMs: healthCheck.interval,
      timeoutMs: Math.min(healthCheck.timeout, healthCheck.interval),
      unhealthyAfter: healthCheck.unhealthyAfter,
      healthyAfter: healthCheck.healthyAfter,
      statuses: healthCheck.statuses,
    },
    circuitBreaker: circuitBreaker && {
      ...defined({ maxPending: circuitBreaker.maxPending, failureRatio: circuitBreaker.failureRatio }),
      minimumRequests: circuitBreaker.minimumRequests,
      windowMs: circuitBreaker.window,
      openMs: circuitBreaker.open,
    },
    slowStartMs: document.slowStart,
    panicThreshold: document.panicThreshold,
  });
};

const retryPlan = (retry: NonNullable<UpstreamDocument["retry"]>): RetryPlan => ({
  retries: retry.retries,
  ...defined({ perTryTimeoutMs: retry.perTryTimeout }),
  onConnectError: retry.on.includes("connect-error"),
  onTimeout: retry.on.includes("timeout"),
  statuses: [...new Set(retry.on.filter((it) => typeof it === "number"))].sort((one, other) => one - other),
  maxReplay: retry.maxReplay,
  backoff: { baseMs: retry.backoff.base, maxMs: retry.backoff.max },
  budget: retry.budget,
});
