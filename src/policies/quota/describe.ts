import type { ContributedLimit, Contribution } from "../../core/contribution.ts";
import { RETRY_AFTER, rateLimitFields } from "../../core/described-fields.ts";
import { checkKey } from "../../core/limit-faults.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";
import type { QuotaConfig } from "./quota-shape.ts";

/** The quotas that hold on the route, and how answers speak of them. */
export const describe = (
  instances: readonly Instance<{ readonly limits: readonly QuotaConfig[] }>[],
  context: CompileContext,
): Contribution => {
  const here = instances.flatMap(({ config, level }) =>
    config.limits.filter(({ key }) => checkKey(key, level, context) === "there"),
  );
  if (here.length === 0) return {};
  const ofPlan = here.some(({ quota }) => quota === "plan");
  return {
    answers: [
      {
        status: 429,
        description: "A quota is used up.",
        codes: ["quota-exceeded"],
        fields: { ...RETRY_AFTER, ...rateLimitFields(true) },
      },
      ...(ofPlan
        ? [{ status: 403, description: "This caller has no plan.", codes: ["caller-without-plan"] }]
        : []),
    ],
    fields: rateLimitFields(!here.every(({ quota }) => quota === "plan")),
    limits: here.flatMap((quota) => limitsOf(quota, context)),
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
