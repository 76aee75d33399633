import type { Documents } from "../config/load.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { GatewayPlan, StepPlan } from "../core/plan.ts";
import type { CompileContext } from "../core/policy.ts";
import { defined } from "./defined.ts";
import type { Report } from "./ir.ts";
import type { RedisUse } from "./redis.ts";

/** What the plan says of the control routes. */
export const controlPlan = ({ gateway }: Documents): GatewayPlan["control"] => {
  const control = gateway?.value.control;
  return control && defined({ token: control.token?.env, purgeToken: control.purgeToken?.env });
};

/** Where purges are known, where a policy or the control route makes any; Redis is then used if the gateway names it. */
export const purgesPlan = (
  steps: readonly StepPlan[],
  { control }: GatewayPlan,
  { redis, secrets }: { readonly redis: RedisUse; readonly secrets: Set<string> },
): Pick<GatewayPlan, "purges"> => {
  if (control?.purgeToken === undefined && !steps.some(({ policy }) => policy === "purge")) return {};
  if (redis.plan === undefined) return { purges: "isolate" };
  redis.ports.add("purgeLog");
  secrets.add(redis.plan.url).add(redis.plan.token);
  return { purges: "redis" };
};

/** A warning where what the control route purges stays in one isolate: which of them answers is nobody's choice. */
export const checkPurgeToken = (
  { gateway, tree }: Documents,
  { hasRedis, development }: CompileContext["gateway"],
  report: Report,
): void => {
  if (gateway?.value.control?.purgeToken === undefined || hasRedis || development) return;
  report(
    fault(
      placeAt(tree, ["gateway", "control", "purgeToken"], true),
      "purge-stays-here",
      "Only the isolate that answers learns of a purge, and there are many.",
      "Name Redis, through which the others learn of it: gateway: { stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } } }.",
      { severity: "warning" },
    ),
  );
};
