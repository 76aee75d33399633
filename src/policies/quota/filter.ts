import { bucketKey, type KeyStep } from "../../core/bucket-key.ts";
import { type CallerPlans, linkCallerPlan, withoutPlan } from "../../core/caller-plan.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { Filter, FilterFactory, Handler } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { type Period, type Span, spanAt } from "../../lib/calendar.ts";
import { type Charge, QuotaTable } from "./table.ts";

/** So many units in a calendar period. */
export type MeasureStep = { readonly quantity: number; readonly period: Period };

type CommonStep = {
  readonly name: string;
  /** The node where the quota is written, and its name: whose counts they are. */
  readonly bucket: string;
  readonly key: KeyStep;
  /** Units that a request takes. */
  readonly cost: number;
};

/** The same for everybody. */
export type FixedQuotaStep = CommonStep & MeasureStep;
/** What the plan of each caller says, by the plan's name; null where it has no quota. */
export type PlanQuotaStep = CommonStep & { readonly plans: { readonly [plan: string]: MeasureStep | null } };
export type QuotaStep = FixedQuotaStep | PlanQuotaStep;

export type Step = {
  readonly quotas: readonly QuotaStep[];
  /** Present where a quota is that of each caller's plan. */
  readonly callers?: CallerPlans;
};

/** About 200 to 450 bytes each. */
const MAX_KEYS = 100_000;

/** Holds callers to quotas over calendar periods, counted in this isolate; one that is used up is answered with 429. */
export const filter: FilterFactory<Step> = ({ quotas, callers }, ports, site) => {
  const table = site.once("quotas", () => new QuotaTable(MAX_KEYS));
  if (callers === undefined) return holdTo(quotas.filter(isFixed), table, ports);
  const planOf = linkCallerPlan(callers);
  const plans = new Set(quotas.flatMap((quota) => (isFixed(quota) ? [] : Object.keys(quota.plans))));
  return (next) => {
    const handlers = new Map<string, Handler>(
      [...plans].map((plan) => {
        const held = quotas.flatMap((quota) => ofPlan(quota, plan) ?? []);
        return [plan, held.length === 0 ? next : holdTo(held, table, ports)(next)];
      }),
    );
    return (exchange) => {
      const handler = handlers.get(planOf(exchange) ?? "");
      return handler === undefined ? withoutPlan(exchange) : handler(exchange);
    };
  };
};

const isFixed = (quota: QuotaStep): quota is FixedQuotaStep => !("plans" in quota);

/** A quota as it is for callers with a plan. Counts of each plan are apart: a key belongs to one period only. */
const ofPlan = (quota: QuotaStep, plan: string): FixedQuotaStep | undefined => {
  if (isFixed(quota)) return quota;
  const { plans, ...common } = quota;
  const measure = plans[plan];
  return measure ? { ...common, ...measure, bucket: `${common.bucket} ${plan}` } : undefined;
};

const holdTo = (quotas: readonly FixedQuotaStep[], table: QuotaTable, ports: Ports): Filter => {
  const meters = quotas.map((quota) => new Meter(quota));
  return (next) => (exchange) => {
    const nowMs = ports.clock.now();
    const charges = meters.map((meter) => meter.chargeOf(exchange, nowMs));
    const over = table.take(charges, nowMs)
      ? []
      : meters.filter(({ quota }, index) => table.left(charges[index]!) < quota.cost);
    tell(exchange, meters, charges, table, nowMs);
    return over.length === 0 ? next(exchange) : usedUp(exchange, over, nowMs, ports);
  };
};

/** One quota in its present period. */
class Meter {
  readonly quota: FixedQuotaStep;
  readonly #keyOf: (exchange: Exchange) => string;
  #span: Span = { startMs: 0, endMs: 0 };
  /** As RateLimit-Policy says it; the window is the length of the present period. */
  policy = "";

  constructor(quota: FixedQuotaStep) {
    this.quota = quota;
    this.#keyOf = bucketKey(quota.bucket, quota.key);
  }

  chargeOf(exchange: Exchange, nowMs: number): Charge {
    const { name, quantity, cost, period } = this.quota;
    if (nowMs >= this.#span.endMs || nowMs < this.#span.startMs) {
      const { startMs, endMs } = spanAt(period, nowMs);
      this.#span = { startMs, endMs };
      this.policy = `"${name}";q=${quantity};w=${(endMs - startMs) / 1000}`;
    }
    return { key: this.#keyOf(exchange), quantity, cost, endMs: this.#span.endMs };
  }

  /** Seconds until the period is over, rounded up. */
  secondsLeft(nowMs: number): number {
    return Math.ceil((this.#span.endMs - nowMs) / 1000);
  }
}

/** Tells the client where it stands, behind what limits have said of themselves; an upstream's own fields are replaced. */
const tell = (
  { answerEdits }: Exchange,
  meters: readonly Meter[],
  charges: readonly Charge[],
  table: QuotaTable,
  nowMs: number,
): void => {
  const op = answerEdits.some((edit) => "name" in edit && edit.name === "ratelimit") ? "add" : "set";
  const states = meters.map(
    (meter, index) => `"${meter.quota.name}";r=${table.left(charges[index]!)};t=${meter.secondsLeft(nowMs)}`,
  );
  answerEdits.push(
    { op, name: "ratelimit-policy", value: meters.map(({ policy }) => policy).join(", ") },
    { op, name: "ratelimit", value: states.join(", ") },
  );
};

const usedUp = (exchange: Exchange, over: readonly Meter[], nowMs: number, ports: Ports): Response => {
  const { api, id: route } = exchange.route;
  const names = over.map(({ quota }) => quota.name);
  for (const name of names)
    ports.metrics?.count("postern_rate_limited_total", [api, route, name, "enforced"]);
  const seconds = Math.max(...over.map((meter) => meter.secondsLeft(nowMs)));
  return problem(exchange, {
    status: 429,
    code: "quota-exceeded",
    title: "Quota used up",
    detail: `Used up: ${names.join(", ")}. There is more in ${seconds} s.`,
    headers: { "retry-after": String(seconds) },
    extensions: { "violated-policies": names },
  });
};
