import { bucketKey, type KeyStep } from "../../core/bucket-key.ts";
import { type CallerPlans, linkCallerPlan, withoutPlan } from "../../core/caller-plan.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { Filter, FilterFactory } from "../../core/policy.ts";
import type { Limit, LimitState, Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { after } from "../../lib/after.ts";

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
  readonly limits: readonly LimitStep[];
};

export type Step = {
  /** Outermost first. */
  readonly groups: readonly GroupStep[];
  /** `add` where an earlier stage has spoken of its limits in the answer; an upstream's own fields are replaced. */
  readonly fields: "set" | "add";
  /** Present where a limit is that of each caller's plan. */
  readonly callers?: CallerPlans;
};

/** Holds requests to their limits; one that is over gets 429 and, as all do, the fields of draft-ietf-httpapi-ratelimit-headers. */
export const filter: FilterFactory<Step> = ({ groups, fields, callers }, ports) => {
  const filters = groups.map((step) => {
    if (callers !== undefined && step.limits.some(isOfPlan)) return limitByPlan(step, fields, callers, ports);
    const group = linkGroup(step as FixedGroupStep, fields);
    return step.count === "requests" ? limitRequests(group, ports) : limitFailures(group, ports);
  });
  return (next) => filters.reduceRight((inner, outer) => outer(inner), next);
};

type FixedGroupStep = Omit<GroupStep, "limits"> & { readonly limits: readonly FixedLimitStep[] };

const isOfPlan = (limit: LimitStep): limit is PlanLimitStep => "plans" in limit;

/** Holds each caller to what their own plan says: one group of limits for each plan. Who has none is refused. */
const limitByPlan = (step: GroupStep, fields: Step["fields"], callers: CallerPlans, ports: Ports): Filter => {
  const plans = new Set(step.limits.flatMap((limit) => (isOfPlan(limit) ? Object.keys(limit.plans) : [])));
  const planOf = linkCallerPlan(callers);
  return (next) => {
    const handlers = new Map(
      [...plans].map((plan) => [plan, limitRequests(linkGroup(ofPlan(step, plan), fields), ports)(next)]),
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

interface Group {
  readonly limits: readonly Limit[];
  readonly keysOf: (exchange: Exchange) => string[];
  readonly dryRun: boolean;
  /** Tells the client where it stands. */
  readonly tell: (exchange: Exchange, states: readonly LimitState[]) => void;
  readonly nameAt: (index: number) => string;
}

const linkGroup = ({ limits, dryRun }: FixedGroupStep, op: "set" | "add"): Group => {
  const keys = limits.map(({ bucket, key }) => bucketKey(bucket, key));
  const policies: HeaderEdit = {
    op,
    name: "ratelimit-policy",
    value: limits.map(({ policy }) => policy).join(", "),
  };
  const stateText = ({ remaining, resetSeconds }: LimitState, index: number): string =>
    `"${limits[index]!.name}";r=${remaining * limits[index]!.cost};t=${resetSeconds}`;
  return {
    limits: limits.map(({ limit }) => limit),
    keysOf: (exchange) => keys.map((keyOf) => keyOf(exchange)),
    dryRun,
    tell: (exchange, states) => {
      exchange.answerEdits.push(policies, { op, name: "ratelimit", value: states.map(stateText).join(", ") });
    },
    nameAt: (index) => limits[index]!.name,
  };
};

/** Charges every request before it goes on. */
const limitRequests =
  (group: Group, ports: Ports): Filter =>
  (next) =>
  (exchange) =>
    after(ports.isolateCounter.take(group.keysOf(exchange), group.limits, 1), (states) => {
      if (!group.dryRun) group.tell(exchange, states);
      if (states.every(isAllowed)) return next(exchange);
      return exceeded(exchange, group, states, ports) ?? next(exchange);
    });

/**
 * Asks before a request goes on, and charges when it is answered with 401. Requests that are under way at the same time have
 * all been let through before the first of them is charged.
 */
const limitFailures =
  (group: Group, ports: Ports): Filter =>
  (next) =>
  (exchange) => {
    const keys = group.keysOf(exchange);
    const charge = (response: Response): Response => {
      if (response.status !== 401) return response;
      const charged = ports.isolateCounter.take(keys, group.limits, 1);
      if (charged instanceof Promise) exchange.defer.waitUntil(charged);
      return response;
    };
    return after(ports.isolateCounter.take(keys, group.limits, 0), (states) => {
      if (!states.every(isAllowed)) {
        if (!group.dryRun) group.tell(exchange, states);
        const refusal = exceeded(exchange, group, states, ports);
        if (refusal !== undefined) return refusal;
      }
      return after(next(exchange), charge);
    });
  };

const isAllowed = ({ allowed }: LimitState): boolean => allowed;

/** Counts what is over its limit; answers the refusal, or undefined in a dry run. */
const exceeded = (
  exchange: Exchange,
  group: Group,
  states: readonly LimitState[],
  ports: Ports,
): Response | undefined => {
  const { api, id: route } = exchange.route;
  const names: string[] = [];
  let retryAfter = 1;
  for (const [index, state] of states.entries()) {
    if (state.allowed) continue;
    names.push(group.nameAt(index));
    retryAfter = Math.max(retryAfter, state.resetSeconds);
    ports.metrics?.count("postern_rate_limited_total", [
      api,
      route,
      group.nameAt(index),
      group.dryRun ? "dry-run" : "enforced",
    ]);
  }
  if (group.dryRun) {
    const time = new Date(ports.clock.now()).toISOString();
    ports.log.write({
      time,
      event: "rate-limit-dry-run",
      requestId: exchange.requestId,
      route,
      limits: names,
    });
    return undefined;
  }
  return problem(exchange, {
    status: 429,
    code: "rate-limited",
    title: "Too many requests",
    detail: `Used up: ${names.join(", ")}. Try again in ${retryAfter} s.`,
    headers: { "retry-after": String(retryAfter) },
    // As the draft's problem type quota-exceeded names it.
    extensions: { "violated-policies": names },
  });
};
