import type { Json } from "../core/json.ts";
import type { StepPlan } from "../core/plan.ts";
import type { CompileContext, PolicyType } from "../core/policy.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { OrderedPolicy } from "../policies/index.ts";
import type { Attached } from "./attachments.ts";
import { contextFor, type RouteContext, type Workshop } from "./context.ts";
import type { InstanceIr } from "./ir.ts";
import { otherParameters } from "./other-parameters.ts";

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

/** What a chain was compiled from. */
export interface SeenChain {
  readonly context: CompileContext;
  /** Those of the route's policies that have a step, outermost first; the identity step holds those that prove identity. */
  readonly installed: readonly OrderedPolicy[];
}

/**
 * Compiles a route's policies to its chain: indices of steps, outermost first. `inUse` names the policies that some route
 * of the gateway has.
 */
export const compileChain = (
  attached: Attached,
  bare: RouteContext,
  order: readonly OrderedPolicy[],
  workshop: Workshop,
  table: StepTable,
  inUse: ReadonlySet<string>,
  seen?: (chain: SeenChain) => void,
): readonly number[] => {
  const policies = new Set([...attached.instances.keys(), ...attached.broken]);
  const route: RouteContext = { ...bare, told: { ...bare.told, policies } };
  const instancesOf = (type: PolicyType): readonly InstanceIr[] => attached.instances.get(type.name) ?? [];
  for (const instances of attached.instances.values())
    for (const instance of instances) workshop.faults.use(instance, route);
  const identity = identityOf(attached, route, order, workshop);
  const bareContext = contextFor(workshop, route, identity, false);
  const context: CompileContext = {
    ...bareContext,
    otherParameters: () => otherParameters(attached, bareContext, order),
  };
  const installed: OrderedPolicy[] = [];
  const chain = order.flatMap(({ type, stage }) => {
    const instances = instancesOf(type);
    if (type.attachment === "identity") return [];
    const wanted = instances.length > 0 || (type.name === "identity" && identity.policies.length > 0);
    const step = wanted
      ? type.compile(instances, context, stage)
      : inUse.has(type.name)
        ? type.elsewhere?.(context)
        : undefined;
    if (step === undefined) return [];
    if (wanted) installed.push({ type, stage });
    return [table.indexOf(type.name, step)];
  });
  seen?.({ context, installed });
  return chain;
};

/** Compiles the policies that prove identity; the identity step holds theirs. */
const identityOf = (
  { instances, broken }: Attached,
  route: RouteContext,
  order: readonly OrderedPolicy[],
  workshop: Workshop,
): CompileContext["identity"] => {
  const identifying = order.filter(
    ({ type }) => type.attachment === "identity" && (instances.has(type.name) || broken.has(type.name)),
  );
  const early: CompileContext["identity"] = {
    policies: identifying.map(({ type }) => type.name),
    anonymous: allowsAnonymous(instances.get("identity")?.[0]?.config),
    steps: [],
  };
  const context = contextFor(workshop, route, early, true);
  const steps = identifying.flatMap(({ type, stage }) => {
    const list = instances.get(type.name);
    const step = list && type.compile(list, context, stage);
    return step === undefined ? [] : [{ policy: type.name, step }];
  });
  return { ...early, steps };
};

const allowsAnonymous = (config: unknown): boolean => {
  const any = (config as { any?: unknown } | undefined)?.any;
  return Array.isArray(any) && any.includes("anonymous");
};
