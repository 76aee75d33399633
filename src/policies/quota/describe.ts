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
import type { QuotaConfig } from "./quota-shape.ts";

interface Config {
  readonly limits: readonly QuotaConfig[];
  readonly onStoreFailure?: StoreFailure | undefined;
}

/** The quotas that hold on the route, and how answers speak of them. */
export const describe = (instances: readonly Instance<Config>[], context: CompileContext): Contribution => {
  const here = instances.flatMap(({ config, level }) =>
    config.limits
      .filter(({ key }) => checkKey(key, level, context) === "there")
      .map((quota) => ({
        quota,
        failure: quota.store === "redis" ? (config.onStoreFailure ?? "isolate") : undefined,
      })),
  );
  if (here.length === 0) return {};
  const isSure = here.some(({ quota: { quota }, failure }) => quota !== "plan" && failure !== "allow");
  return {
    answers: [
      {
        status: 429,
        description: "A quota is used up.",
        codes: ["quota-exceeded"],
        fields: { ...RETRY_AFTER, ...rateLimitFields(true) },
      },
      ...(here.some(({ quota: { quota } }) => quota === "plan") ? [WITHOUT_PLAN] : []),
      ...(here.some(({ failure }) => failure === "refuse") ? [LIMITS_UNAVAILABLE] : []),
    ],
    fields: rateLimitFields(isSure),
    limits: here.flatMap(({ quota }) => limitsOf(quota, context)),
  };
};

const limitsOf = ({ name, quota, cost }: QuotaConfig, context: CompileContext): ContributedLimit[] => {
  const limit = (its: { readonly quantity: number; readonly period: string }, called: string) => ({
    kind: "quota" as const,
    name: called,
    quantity: Math.floor(its.quantity / cost),
    period: its.period,
  });
  if (quota !== "plan") return [limit(quota, name)];
  return [...context.plans].flatMap(([plan, its]) =>
    its.quota === undefined ? [] : [limit(its.quota, `${name} of the plan ${plan}`)],
  );
};
