import type { KeyStep } from "../../core/bucket-key.ts";
import { type CallerPlans, linkCallerPlan, withoutPlan } from "../../core/caller-plan.ts";
import type { StoreFailure } from "../../core/limits-unavailable.ts";
import type { Filter, FilterFactory, Handler } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import type { Period } from "../../lib/calendar.ts";
import { holdInRedis } from "./in-redis.ts";
import { Meter, tell, usedUp } from "./meter.ts";
import { QuotaTable } from "./table.ts";

/** So many units in a calendar period. */
export type MeasureStep = { readonly quantity: number; readonly period: Period };

type CommonStep = {
  readonly name: string;
  /** The node where the quota is written, and its name: whose counts they are. */
  readonly bucket: string;
  readonly key: KeyStep;
  /** Units that a request takes. */
  readonly cost: number;
  /** Present where Redis counts. */
  readonly onStoreFailure?: StoreFailure;
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

/** Holds callers to quotas over calendar periods; one that is used up is answered with 429. */
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

/** What is counted here comes first: what it refuses costs Redis nothing. */
const holdTo = (quotas: readonly FixedQuotaStep[], table: QuotaTable, ports: Ports): Filter => {
  const near = quotas.filter(({ onStoreFailure }) => onStoreFailure === undefined);
  const far = quotas.filter(({ onStoreFailure }) => onStoreFailure !== undefined);
  if (far.length === 0) return holdHere(near, table, ports);
  const there = holdInRedis(far, (some) => holdHere(some, table, ports), ports);
  if (near.length === 0) return there;
  const here = holdHere(near, table, ports);
  return (next) => here(there(next));
};

/** Holds callers to quotas that are counted in the isolate's memory. */
const holdHere = (quotas: readonly FixedQuotaStep[], table: QuotaTable, ports: Ports): Filter => {
  const meters = quotas.map((quota) => new Meter(quota));
  return (next) => (exchange) => {
    const nowMs = ports.clock.now();
    const charges = meters.map((meter) => meter.chargeOf(exchange, nowMs));
    const over = table.take(charges, nowMs)
      ? []
      : meters.filter(({ quota }, index) => table.left(charges[index]!) < quota.cost);
    tell(
      exchange,
      meters,
      charges.map((charge) => table.left(charge)),
      nowMs,
    );
    return over.length === 0 ? next(exchange) : usedUp(exchange, over, nowMs, ports);
  };
};
