import type { CallerPlans } from "../../core/caller-plan.ts";
import { callerPlansOf } from "../../core/limit-faults.ts";
import type { CompileContext, Fault, Instance } from "../../core/policy.ts";
import { costsTooMuch, isTooLarge, type LimitConfig, type Rate } from "./limit-shape.ts";

interface PlanLimit {
  readonly config: LimitConfig;
  readonly instance: Instance<unknown>;
  readonly index: number;
}

/** Whose plan is which on a route. Each of its callers has to have one: who has none would be refused every time. */
export const checkedCallerPlans = (limits: readonly PlanLimit[], context: CompileContext): CallerPlans => {
  const { callers, faults } = callerPlansOf(context, "rate");
  for (const one of limits) {
    if (one.config.rate !== "plan") continue;
    for (const fault of faults) tell(one, context, fault);
    checkRates(one, context);
  }
  return callers;
};

/** The rates of all plans by name. */
export const planRates = ({ plans }: CompileContext): ReadonlyMap<string, Rate> =>
  new Map([...plans].map(([name, { rate }]) => [name, rate]));

const tell = ({ instance, index }: PlanLimit, context: CompileContext, fault: Fault): void =>
  context.report(instance, ["limits", index, "rate"], { ...fault, aboutCallers: true });

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
