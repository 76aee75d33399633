import { z } from "zod";
import { callerPlansOf, checkKey } from "../../core/limit-faults.ts";
import { type CompileContext, definePolicy, type Fault, type Instance } from "../../core/policy.ts";
import { explain, failingStoreIsUsed, namedOnce, oneOf } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { QuotaStep, Step } from "./filter.ts";
import { type QuotaConfig, quotaLimit } from "./quota-shape.ts";

const schema = z
  .strictObject({
    limits: z
      .array(quotaLimit)
      .min(1, explain("No quota is listed.", "List at least one, or remove the policy."))
      .superRefine(namedOnce("quota"))
      .describe(
        "The quotas; a request has to be within all of them and of those of the levels above, and one that is refused is charged to none. Quotas of different stores are charged one store after the other, the isolate's first: what Redis then refuses was charged there.",
      ),
    onStoreFailure: oneOf("isolate", "allow", "refuse")
      .optional()
      .describe(
        "What becomes of quotas with `store: redis` while Redis does not answer (within half a second). isolate, the default: each running copy of the gateway counts in its own memory, from nothing; allow: they do not hold; refuse: requests are answered with 503 and Retry-After.",
      ),
  })
  .superRefine(failingStoreIsUsed("quota"));

type Config = z.output<typeof schema>;
/** A quota with the place where it stands. */
interface Placed {
  readonly config: QuotaConfig;
  readonly instance: Instance<Config>;
  readonly index: number;
}

export const quota = definePolicy({
  name: "quota",
  summary:
    "Bounds how much a caller may ask in an hour, day, week, month or year of the calendar; what is over is answered with 429 until it ends.",
  attachment: "guard",
  schema,
  compile: (instances, context): Step | undefined => {
    const all = instances.flatMap((instance) =>
      instance.config.limits.map((config, index): Placed => ({ config, instance, index })),
    );
    reportDuplicates(all, context);
    const here = all.filter((one) => applies(one, context));
    if (here.length === 0) return undefined;
    for (const { config, instance, index } of here)
      if (config.store === "redis") context.redis("storeCounter", instance, ["limits", index, "store"]);
    const quotas = here.map((one) => quotaStep(one, context));
    if (!here.some(isOfPlan)) return { quotas };
    const { callers, faults } = callerPlansOf(context, "quota");
    for (const one of here.filter(isOfPlan)) checkPlans(one, faults, context);
    return { quotas, callers };
  },
  describe,
  filter: () => import("./filter.ts"),
});

const isOfPlan = ({ config }: Placed): boolean => config.quota === "plan";

const quotaStep = (
  { config: { name, quota: measure, key, cost, store }, instance }: Placed,
  context: CompileContext,
): QuotaStep => {
  const { onStoreFailure = "isolate" } = instance.config;
  const failure = store === "redis" ? { onStoreFailure } : {};
  const common = { name, bucket: `${instance.node} ${name}`, key, cost, ...failure };
  if (measure !== "plan") return { ...common, ...measure };
  const plans = [...context.plans].map(([plan, its]) => [plan, its.quota ?? null] as const);
  return { ...common, plans: Object.fromEntries(plans) };
};

/** Whether the quota has a key on this route; reports where it was meant to and has none. */
const applies = ({ config, instance, index }: Placed, context: CompileContext): boolean => {
  const key = checkKey(config.key, instance.level, context);
  if (typeof key === "object") context.report(instance, ["limits", index, "key"], key);
  return key === "there";
};

/** Each caller has to have a plan, some plan a quota, and each quota enough for what a request costs here. */
const checkPlans = (
  { config, instance, index }: Placed,
  faults: readonly Fault[],
  context: CompileContext,
): void => {
  const tell = (fault: Fault): void =>
    context.report(instance, ["limits", index, "quota"], { ...fault, aboutCallers: true });
  for (const fault of faults) tell(fault);
  const quotas = [...context.plans].filter(([, plan]) => plan.quota !== undefined);
  if (quotas.length === 0 && faults.length === 0) tell(NO_QUOTAS);
  for (const [name, plan] of quotas)
    if (config.cost > plan.quota!.quantity)
      tell({
        code: "cost-over-quota",
        message: `One request costs more than the plan "${name}" has in a period.`,
        remedy: "Lower `cost`, or raise the plan's quota.",
      });
};

const NO_QUOTAS: Fault = {
  code: "plans-without-quota",
  message: "No plan has a quota, so this bounds nobody.",
  remedy: "Write one under `plans:`, as in gold: { rate: 50000/1h, quota: 1000000/month }.",
};

const reportDuplicates = (quotas: readonly Placed[], context: CompileContext): void => {
  const first = new Map<string, Instance<Config>>();
  for (const { config, instance, index } of quotas) {
    const other = first.get(config.name) ?? instance;
    first.set(config.name, other);
    if (other === instance) continue;
    context.report(instance, ["limits", index, "name"], {
      code: "duplicate-limit",
      message: `A level above has a quota "${config.name}" too, and both hold.`,
      remedy: "Give this quota another name, so that answers tell the two apart.",
    });
  }
};
