import type { CompileContext, Fault, Instance } from "../../core/policy.ts";
import type { CallerPlans } from "./caller-plan.ts";
import { costsTooMuch, isTooLarge, type LimitConfig, type Rate } from "./limit-shape.ts";

/** The plan of callers without identity. */
const ANONYMOUS = "anonymous";

/** Policies whose callers are no consumers and come from none of the issuers, and so have no plan. */
const WITHOUT_PLANS = ["introspection", "forwardAuth"];

interface PlanLimit {
  readonly config: LimitConfig;
  readonly instance: Instance<unknown>;
  readonly index: number;
}

/** Whose plan is which on a route. Each of its callers has to have one: who has none would be refused every time. */
export const callerPlansOf = (limits: readonly PlanLimit[], context: CompileContext): CallerPlans => {
  const { callers, identity } = context;
  const issuers: Record<string, string> = {};
  const missing: string[] = [];
  for (const name of [...callers.issuers].sort()) {
    const plan = context.issuer(name)?.callerPlan;
    if (plan === undefined) missing.push(`issuers.${name}`);
    else issuers[name] = plan;
  }
  for (const name of [...callers.consumers].sort())
    if (context.consumers.get(name)?.plan === undefined) missing.push(`consumers.${name}`);
  const hasAnonymous = context.plans.has(ANONYMOUS);
  for (const one of limits) {
    if (one.config.rate !== "plan") continue;
    if (missing.length > 0) tell(one, context, withoutPlan(missing));
    for (const policy of identity.policies)
      if (WITHOUT_PLANS.includes(policy)) tell(one, context, hasNone(policy));
    if (identity.anonymous && !hasAnonymous) tell(one, context, WITHOUT_ANONYMOUS);
    checkRates(one, context);
  }
  return { issuers, anonymous: identity.anonymous && hasAnonymous };
};

/** The rates of all plans by name. */
export const planRates = ({ plans }: CompileContext): ReadonlyMap<string, Rate> =>
  new Map([...plans].map(([name, { rate }]) => [name, rate]));

const tell = ({ instance, index }: PlanLimit, context: CompileContext, fault: Fault): void =>
  context.report(instance, ["limits", index, "rate"], { ...fault, aboutCallers: true });

const withoutPlan = (missing: readonly string[]): Fault => {
  const some = missing.slice(0, 3).join(", ");
  const rest = missing.length - 3;
  return {
    code: "caller-without-plan",
    message: `${rest > 0 ? `${some} and ${rest} more` : some} may call here and ${missing.length > 1 ? "have" : "has"} no plan.`,
    remedy: `Write \`plan\` for ${missing.length > 1 ? "each of them" : "it"}, with the name of one under \`plans:\`.`,
  };
};

const hasNone = (policy: string): Fault => ({
  code: "caller-without-plan",
  message: `Callers whom \`${policy}\` identifies have no plan.`,
  remedy: "Write a rate here in place of `plan`, or identify them by jwt, apiKey or basicAuth.",
});

const WITHOUT_ANONYMOUS: Fault = {
  code: "caller-without-plan",
  message: "Callers without identity may call here, and have no plan.",
  remedy: "Write their rate under `plans:`: anonymous: { rate: 60/1h }.",
};

/** A plan's rate has to be good for what a request costs here. */
const checkRates = (one: PlanLimit, context: CompileContext): void => {
  for (const [name, { rate }] of context.plans) {
    if (costsTooMuch(one.config, rate))
      tell(one, context, {
        code: "cost-over-rate",
        message: `One request costs more than the plan "${name}" ever has.`,
        remedy: "Lower `cost`, or raise the plan's rate.",
      });
    if (isTooLarge(one.config, rate))
      tell(one, context, {
        code: "rate-too-large",
        message: `The rate of the plan "${name}" is too large to be counted.`,
        remedy: "Lower its quantity, or shorten its time.",
      });
  }
};
