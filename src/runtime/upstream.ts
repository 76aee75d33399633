import type { Balancer, BalancerFactory } from "../core/balancer.ts";
import type { UpstreamPlan } from "../core/plan.ts";
import type { Fetcher, Ports } from "../core/ports.ts";

/** A target that can be called. */
export interface LinkedTarget {
  readonly name: string;
  readonly origin: string;
  readonly scheme: string;
  readonly basePath: string;
  /** Undefined where the binding that the plan names does not exist. */
  readonly fetcher: Fetcher | undefined;
}

/** A pool of targets with its balancer. */
export interface LinkedUpstream {
  readonly name: string;
  readonly targets: readonly LinkedTarget[];
  readonly balancer: Balancer;
  readonly timeoutMs: number;
}

/** Links an upstream: opens its targets and starts its balancer. */
export const linkUpstream = (
  name: string,
  plan: UpstreamPlan,
  ports: Ports,
  balancers: Readonly<Record<string, BalancerFactory>>,
): LinkedUpstream => {
  const targets = plan.targets.map((target) => ({
    name: target.name,
    origin: target.origin,
    scheme: target.origin.slice(0, target.origin.indexOf(":")),
    basePath: target.basePath,
    fetcher: ports.fetch.open({ ...target, name: `${name}.${target.name}` }),
  }));
  const factory = balancers[plan.balancer.name];
  if (factory === undefined) throw new Error(`the balancer ${plan.balancer.name} is not in the bundle`);
  return { name, targets, balancer: factory(plan.targets, plan.balancer, ports), timeoutMs: plan.timeoutMs };
};
