import { z } from "zod";
import { checkKey } from "../../core/limit-faults.ts";
import { type CompileContext, definePolicy, type Instance } from "../../core/policy.ts";
import { explain, failingStoreIsUsed, namedOnce, oneOf } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { GroupStep, LimitStep, MeasureStep, Step } from "./filter.ts";
import { type LimitConfig, limit, type Rate } from "./limit-shape.ts";
import { checkedCallerPlans, planRates } from "./plans.ts";

const schema = z
  .strictObject({
    limits: z
      .array(limit)
      .min(1, explain("No limit is listed.", "List at least one, or remove the policy."))
      .superRefine(namedOnce("limit"))
      .describe(
        "The limits; a request has to be within all of them and of those of the levels above, and one that is refused is charged to none. Limits of different stores are charged one store after the other, the isolate's first: what Redis then refuses was charged there.",
      ),
    onStoreFailure: oneOf("isolate", "allow", "refuse")
      .optional()
      .describe(
        "What becomes of limits with `store: redis` while Redis does not answer (within half a second). isolate, the default: each running copy of the gateway counts in its own memory; allow: they do not hold; refuse: requests are answered with 503 and Retry-After.",
      ),
    dryRun: z.boolean().default(false).describe("Whether to count and log only, without refusing anybody."),
  })
  .superRefine(failingStoreIsUsed("limit"));

type Config = z.output<typeof schema>;
/** A limit with the place where it stands. */
export interface Placed {
  readonly config: LimitConfig;
  readonly instance: Instance<Config>;
  readonly index: number;
}

export const rateLimit = definePolicy({
  name: "rateLimit",
  summary:
    "Limits how often a caller may ask, by address, host, header or identity; what is over is answered with 429.",
  attachment: "guard",
  schema,
  compile: (instances, context, stage): Step | undefined => {
    const all = instances.flatMap((instance) =>
      instance.config.limits.map((config, index): Placed => ({ config, instance, index })),
    );
    const early = all.filter(({ config }) => config.key !== "identity");
    if (stage === "before-identity") reportDuplicates(all, context);
    const here = (
      stage === "before-identity" ? early : all.filter(({ config }) => config.key === "identity")
    ).filter((one) => applies(one, context));
    if (here.length === 0) return undefined;
    const spokenBefore = stage !== "before-identity" && early.some(isTold);
    const fields = spokenBefore ? "add" : "set";
    for (const { config, instance, index } of here)
      if (config.store === "redis") context.redis("storeCounter", instance, ["limits", index, "store"]);
    if (!here.some(({ config }) => config.rate === "plan"))
      return { groups: groupsOf(here, new Map()), fields };
    const callers = checkedCallerPlans(here, context);
    return { groups: groupsOf(here, planRates(context)), fields, callers };
  },
  describe,
  filter: () => import("./filter.ts"),
});

/** Whether answers speak of the limit to every caller. */
const isTold = ({ config, instance }: Placed): boolean =>
  config.count === "requests" && !instance.config.dryRun;

const inStores = (count: GroupStep["count"], dryRun: boolean) =>
  (["isolate", "redis"] as const).map((store) => ({ count, dryRun, store }));

/**
 * Who is locked out for guessing uses up no other limit, so these are asked first; a dry run stands alone. What is counted here
 * costs less to ask than Redis.
 */
const GROUPS = [
  ...inStores("auth-failures", false),
  ...inStores("auth-failures", true),
  ...inStores("requests", true),
  ...inStores("requests", false),
];

const groupsOf = (limits: readonly Placed[], plans: ReadonlyMap<string, Rate>): GroupStep[] =>
  GROUPS.flatMap(({ count, dryRun, store }) => {
    const members = limits.filter(
      ({ config, instance }) =>
        config.count === count && config.store === store && instance.config.dryRun === dryRun,
    );
    if (members.length === 0) return [];
    const steps = members.map((one) => limitStep(one, plans));
    return [{ count, dryRun, ...(store === "redis" && { store }), limits: steps }];
  });

const limitStep = ({ config, instance }: Placed, plans: ReadonlyMap<string, Rate>): LimitStep => {
  const { name, cost, key, rate, store } = config;
  const { onStoreFailure = "isolate" } = instance.config;
  const bucket = `${instance.node} ${name}`;
  const failure = store === "redis" ? { onStoreFailure } : {};
  if (rate !== "plan") {
    const { limit, policy } = measure(config, rate);
    return { name, bucket, key, limit, cost, policy, ...failure };
  }
  const measures = [...plans].map(([plan, itsRate]) => [plan, measure(config, itsRate)] as const);
  return { name, bucket, key, cost, plans: Object.fromEntries(measures), ...failure };
};

const measure = (
  { name, algorithm, burst, cost }: LimitConfig,
  { quantity, windowMs }: Rate,
): MeasureStep => ({
  // A store charges one unit a request: so limits of different cost are decided together, in whole numbers.
  limit:
    algorithm === "tokenBucket"
      ? { algorithm, quantity, windowMs: windowMs * cost, burst: Math.floor((burst ?? quantity) / cost) }
      : { algorithm, quantity: Math.floor(quantity / cost), windowMs },
  policy: `"${name}";q=${quantity};w=${Math.ceil(windowMs / 1000)}`,
});

/** Whether the limit has a key on this route; reports where it was meant to and has none. */
const applies = ({ config, instance, index }: Placed, context: CompileContext): boolean => {
  const key = checkKey(config.key, instance.level, context);
  if (typeof key === "object") context.report(instance, ["limits", index, "key"], key);
  return key === "there";
};

const reportDuplicates = (limits: readonly Placed[], context: CompileContext): void => {
  const first = new Map<string, Instance<Config>>();
  for (const { config, instance, index } of limits) {
    const other = first.get(config.name) ?? instance;
    first.set(config.name, other);
    if (other === instance) continue;
    context.report(instance, ["limits", index, "name"], {
      code: "duplicate-limit",
      message: `A level above has a limit "${config.name}" too, and both hold.`,
      remedy: "Give this limit another name, so that answers and logs tell the two apart.",
    });
  }
};
