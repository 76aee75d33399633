import type { Json } from "../core/json.ts";
import type { StepPlan } from "../core/plan.ts";
import type { CompileContext, PolicyType } from "../core/policy.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { OrderedPolicy } from "../policies/index.ts";
import type { Attached } from "./attachments.ts";
import { contextFor, type RouteContext, type Workshop } from "./context.ts";
import type { InstanceIr } from "./ir.ts";

/** Every distinct step once, whichever routes it serves. */
export class StepTable {
  readonly steps: StepPlan[] = [];
  readonly #indices = new Map<string, number>();

  /** Index of a step; equal steps have the same. */
  indexOf(policy: string, step: Json): number {
    const key = policy + canonicalJson(step);
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    this.#indices.set(key, this.steps.length);
    return this.steps.push({ policy, step }) - 1;
  }
}

/** Compiles a route's policies to its chain: indices of steps, outermost first. */
export const compileChain = (
  attached: Attached,
  route: RouteContext,
  order: readonly OrderedPolicy[],
  workshop: Workshop,
  table: StepTable,
): readonly number[] => {
  const instancesOf = (type: PolicyType): readonly InstanceIr[] => attached.get(type.name) ?? [];
  const identifying = order.filter(
    ({ type }) => type.attachment === "identity" && instancesOf(type).length > 0,
  );
  const policies = identifying.map(({ type }) => type.name);
  const anonymous = allowsAnonymous(attached.get("identity")?.[0]?.config);
  const early: CompileContext["identity"] = { policies, anonymous, steps: [] };
  const earlyContext = contextFor(workshop, route, early);
  const steps = identifying.flatMap(({ type, stage }) => {
    const step = type.compile(instancesOf(type), earlyContext, stage);
    return step === undefined ? [] : [{ policy: type.name, step }];
  });
  const context = contextFor(workshop, route, { ...early, steps });
  return order.flatMap(({ type, stage }) => {
    const instances = instancesOf(type);
    const wanted =
      type.name === "identity" ? policies.length > 0 || instances.length > 0 : instances.length > 0;
    if (type.attachment === "identity" || !wanted) return [];
    const step = type.compile(instances, context, stage);
    return step === undefined ? [] : [table.indexOf(type.name, step)];
  });
};

const allowsAnonymous = (config: unknown): boolean => {
  const any = (config as { any?: unknown } | undefined)?.any;
  return Array.isArray(any) && any.includes("anonymous");
};
