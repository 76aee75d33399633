import type { ContributedLimit, Contribution } from "../../core/contribution.ts";
import {
  LIMITS_UNAVAILABLE,
  RETRY_AFTER,
  rateLimitFields,
  WITHOUT_PLAN,
} from "../../core/described-fields.ts";
import { checkKey } from "../../core/limit-faults.ts";
import type { StoreFailure } from "../../core/limits-unavailable.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";
import type { LimitConfig } from "./limit-shape.ts";

interface Config {
  readonly limits: readonly LimitConfig[];
  readonly onStoreFailure?: StoreFailure | undefined;
  readonly dryRun: boolean;
}

/** The limits that hold on the route at this stage, and how answers speak of them. */
export const describe = (
  instances: readonly Instance<Config>[],
  context: CompileContext,
  stage: string,
): Contribution => {
  const here = instances.flatMap(({ config, level }) =>
    config.dryRun
      ? []
      : config.limits
          .filter(({ key }) => (key === "identity") === (stage !== "before-identity"))
          .filter(({ key }) => checkKey(key, level, context) === "there")
          .map((limit) => ({ limit, config })),
  );
  if (here.length === 0) return {};
  const told = here.filter(({ limit }) => limit.count === "requests");
  const isSure = told.some(({ limit }) => limit.store === "isolate" && limit.rate !== "plan");
  const mayRefuse = here.some(
    ({ limit, config }) => limit.store === "redis" && config.onStoreFailure === "refuse",
  );
  return {
    answers: [
      {
        status: 429,
        description: "A limit is used up.",
        codes: ["rate-limited"],
        fields: { ...RETRY_AFTER, ...rateLimitFields(true) },
      },
      ...(here.some(({ limit }) => limit.rate === "plan") ? [WITHOUT_PLAN] : []),
      ...(mayRefuse ? [LIMITS_UNAVAILABLE] : []),
    ],
    fields: told.length === 0 ? {} : rateLimitFields(isSure),
    limits: here.map(({ limit }) => limitOf(limit, context)),
  };
};

const limitOf = (
  { name, rate, key, cost, count }: LimitConfig,
  context: CompileContext,
): ContributedLimit => {
  const by = typeof key === "string" ? key : `header ${key.header}`;
  if (rate === "plan") {
    const plans = [...context.plans].map(([plan, { rate: its }]) => [
      plan,
      { quantity: Math.floor(its.quantity / cost), windowMs: its.windowMs },
    ]);
    return { kind: "other", name, value: { key: by, plans: Object.fromEntries(plans) } };
  }
  const quantity = Math.floor(rate.quantity / cost);
  const { windowMs } = rate;
  return count === "requests"
    ? { kind: "rate", name, quantity, windowMs, key: by }
    : { kind: "other", name, value: { count, key: by, quantity, windowMs } };
};
