import type { KeyStep } from "../../core/bucket-key.ts";
import { type CallerPlans, linkCallerPlan, withoutPlan } from "../../core/caller-plan.ts";
import type { StoreFailure } from "../../core/limits-unavailable.ts";
import type { Filter, FilterFactory } from "../../core/policy.ts";
import type { Limit, Ports } from "../../core/ports.ts";
import { linkGroup, type TellOp } from "./group.ts";
import { type Counting, limitFailures, limitRequests } from "./hold.ts";
import { whileAway } from "./while-away.ts";

/** How much there is. */
export type MeasureStep = {
  /** Counted in requests: what a request costs has been divided out. */
  readonly limit: {
    readonly algorithm: Limit["algorithm"];
    readonly quantity: number;
    readonly windowMs: number;
    readonly burst?: number;
  };
  /** As RateLimit-Policy says it: `"per-ip";q=600;w=60`. */
  readonly policy: string;
};

type CommonStep = {
  readonly name: string;
  /** The node where the limit is written, and its name: whose buckets they are. */
  readonly bucket: string;
  readonly key: KeyStep;
  /** Units that a request costs, for the fields. */
  readonly cost: number;
  /** Present where Redis counts. */
  readonly onStoreFailure?: StoreFailure;
};

/** The same for everybody. */
export type FixedLimitStep = CommonStep & MeasureStep;
/** What the plan of each caller says, by the plan's name. */
export type PlanLimitStep = CommonStep & { readonly plans: { readonly [plan: string]: MeasureStep } };
export type LimitStep = FixedLimitStep | PlanLimitStep;

/** Limits that are decided together: all of them pass and are charged, or none is. */
export type GroupStep = {
  readonly count: "requests" | "auth-failures";
  readonly dryRun: boolean;
  /** Who counts, where it is not the isolate's memory. */
  readonly store?: "redis";
  readonly limits: readonly LimitStep[];
};

/** A group whose limits are the same for everybody. */
export type FixedGroupStep = Omit<GroupStep, "limits"> & { readonly limits: readonly FixedLimitStep[] };

export type Step = {
  /** Outermost first. */
  readonly groups: readonly GroupStep[];
  /** `add` where an earlier stage has spoken of its limits in the answer; an upstream's own fields are replaced. */
  readonly fields: TellOp;
  /** Present where a limit is that of each caller's plan. */
  readonly callers?: CallerPlans;
};

/** Holds requests to their limits; one that is over gets 429 and, as all do, the fields of draft-ietf-httpapi-ratelimit-headers. */
export const filter: FilterFactory<Step> = ({ groups, fields, callers }, ports) => {
  let op = fields;
  const filters = groups.map((step) => {
    const linked =
      callers !== undefined && step.limits.some(isOfPlan)
        ? limitByPlan(step, op, callers, ports)
        : limitFixed(step as FixedGroupStep, op, ports);
    // Those that follow are told of beside it.
    if (step.count === "requests" && !step.dryRun) op = "add";
    return linked;
  });
  return (next) => filters.reduceRight((inner, outer) => outer(inner), next);
};

const isOfPlan = (limit: LimitStep): limit is PlanLimitStep => "plans" in limit;

const limitFixed = (step: FixedGroupStep, op: TellOp, ports: Ports): Filter => {
  const counting: Counting =
    step.store === undefined
      ? { counter: ports.isolateCounter }
      : { counter: ports.storeCounter!, away: whileAway(step, op, ports) };
  const group = linkGroup(step, op);
  return step.count === "requests"
    ? limitRequests(group, counting, ports)
    : limitFailures(group, counting, ports);
};

/** Holds each caller to what their own plan says: one group of limits for each plan. Who has none is refused. */
const limitByPlan = (step: GroupStep, op: TellOp, callers: CallerPlans, ports: Ports): Filter => {
  const plans = new Set(step.limits.flatMap((limit) => (isOfPlan(limit) ? Object.keys(limit.plans) : [])));
  const planOf = linkCallerPlan(callers);
  return (next) => {
    const handlers = new Map(
      [...plans].map((plan) => [plan, limitFixed(ofPlan(step, plan), op, ports)(next)]),
    );
    return (exchange) => {
      const handler = handlers.get(planOf(exchange) ?? "");
      if (handler !== undefined) return handler(exchange);
      return step.dryRun ? next(exchange) : withoutPlan(exchange);
    };
  };
};

/** The limits of callers with a plan. Its name is part of the bucket: a key belongs to one limit only. */
const ofPlan = (step: GroupStep, plan: string): FixedGroupStep => ({
  ...step,
  limits: step.limits.map((limit) =>
    isOfPlan(limit) ? { ...limit, ...limit.plans[plan]!, bucket: `${limit.bucket} ${plan}` } : limit,
  ),
});
