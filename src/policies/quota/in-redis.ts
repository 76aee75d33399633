import type { Exchange } from "../../core/exchange.ts";
import { limitsUnavailable, UPSTREAM_LIMITS_REMOVED } from "../../core/limits-unavailable.ts";
import type { Filter, Handler } from "../../core/policy.ts";
import type { Limit, LimitState, Ports } from "../../core/ports.ts";
import type { FixedQuotaStep } from "./filter.ts";
import { isToldOf, Meter, tell, usedUp } from "./meter.ts";

/** Holds callers to quotas that are counted in the isolate's memory. */
type HoldHere = (quotas: readonly FixedQuotaStep[]) => Filter;

/** Holds callers to quotas that Redis counts: exact for all copies of the gateway, and not forgotten with one of them. */
export const holdInRedis = (quotas: readonly FixedQuotaStep[], holdHere: HoldHere, ports: Ports): Filter => {
  const meters = quotas.map((quota) => new Meter(quota));
  const counter = ports.storeCounter!;
  return (next) => {
    const decided = (exchange: Exchange, states: readonly LimitState[], nowMs: number) => {
      const left = states.map((state, index) => leftOf(meters[index]!, state));
      tell(exchange, meters, left, nowMs);
      const over = meters.filter((_, index) => !states[index]!.allowed);
      return over.length === 0 ? next(exchange) : usedUp(exchange, over, nowMs, ports);
    };
    const instead = whileAway(quotas, holdHere)(next);
    return (exchange) => {
      const nowMs = ports.clock.now();
      const keys = meters.map((meter) => periodKey(meter, exchange, nowMs));
      const limits = meters.map((meter) => limitOf(meter, nowMs));
      return Promise.resolve(counter.take(keys, limits, 1)).then(
        (states) => decided(exchange, states, nowMs),
        () => instead(exchange),
      );
    };
  };
};

/** Each period has counts of its own; they go when they can no longer matter. */
const periodKey = (meter: Meter, exchange: Exchange, nowMs: number): string =>
  `${meter.chargeOf(exchange, nowMs).key}\n${meter.spanAt(nowMs).startMs}`;

/**
 * Within a period a window of its length forgets nothing. Counted in requests: so quotas of different cost are decided together,
 * in whole numbers.
 */
const limitOf = (meter: Meter, nowMs: number): Limit => {
  const { startMs, endMs } = meter.spanAt(nowMs);
  return { algorithm: "slidingWindow", quantity: requestsIn(meter), windowMs: endMs - startMs };
};

const requestsIn = ({ quota: { quantity, cost } }: Meter): number => Math.floor(quantity / cost);

const leftOf = (meter: Meter, { remaining }: LimitState): number =>
  meter.quota.quantity - (requestsIn(meter) - remaining) * meter.quota.cost;

/**
 * One that refuses is enough for 503; else those that say so are counted in the isolate's memory, and the others are left out.
 */
const whileAway = (quotas: readonly FixedQuotaStep[], holdHere: HoldHere): Filter => {
  if (quotas.some(({ onStoreFailure }) => onStoreFailure === "refuse")) return () => limitsUnavailable;
  const here = quotas.filter(({ onStoreFailure }) => onStoreFailure === "isolate");
  return here.length > 0 ? holdHere(here) : untold;
};

const untold: Filter =
  (next: Handler): Handler =>
  (exchange) => {
    if (!isToldOf(exchange)) exchange.answerEdits.push(...UPSTREAM_LIMITS_REMOVED);
    return next(exchange);
  };
