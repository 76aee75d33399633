import type { Exchange } from "../../core/exchange.ts";
import { limitsUnavailable, UPSTREAM_LIMITS_REMOVED } from "../../core/limits-unavailable.ts";
import type { Filter } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import type { FixedGroupStep } from "./filter.ts";
import { linkGroup, type TellOp } from "./group.ts";
import { type Away, limitFailures, limitRequests } from "./hold.ts";

/**
 * What a group's limits say is done while their store is away. One that refuses is enough for 503; else those that say so are
 * counted in the isolate's memory, as a group of their own, and the others are left out. A dry run refuses nobody here either.
 */
export const whileAway = (step: FixedGroupStep, op: TellOp, ports: Ports): Away => {
  const limits = step.limits.filter(({ onStoreFailure }) => onStoreFailure === "isolate");
  const group = linkGroup({ ...step, limits }, op);
  const charge = (exchange: Exchange): void =>
    void ports.isolateCounter.take(group.keysOf(exchange), group.limits, 1);
  if (!step.dryRun && step.limits.some(({ onStoreFailure }) => onStoreFailure === "refuse"))
    return { filter: () => limitsUnavailable, charge };
  if (limits.length === 0) return { filter: step.count === "requests" ? untold(op) : (next) => next, charge };
  const limit = step.count === "requests" ? limitRequests : limitFailures;
  return { filter: limit(group, { counter: ports.isolateCounter }, ports), charge };
};

const untold =
  (op: TellOp): Filter =>
  (next) =>
    op === "add"
      ? next
      : (exchange) => {
          exchange.answerEdits.push(...UPSTREAM_LIMITS_REMOVED);
          return next(exchange);
        };
