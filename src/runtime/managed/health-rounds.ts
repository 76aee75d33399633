import type { HealthRounds } from "../../core/health.ts";
import type { Plan } from "../../core/plan.ts";
import type { Ports } from "../../core/ports.ts";
import type { Parts } from "../parts.ts";
import { checkTargets } from "./check-targets.ts";
import { statesOf } from "./health-states.ts";
import { targetsOf } from "./upstream.ts";

/**
 * Links the checks of an upstream as the plan has them, for a place that makes them for all isolates. Undefined where the
 * plan has no such upstream, or checks none of its targets.
 */
export const linkHealthRounds =
  ({ upstreams }: Pick<Plan, "upstreams">, parts: Parts) =>
  (upstream: string, ports: Ports): HealthRounds | undefined => {
    const plan = upstreams[upstream];
    if (plan?.healthCheck === undefined) return undefined;
    const { healthCheck } = plan;
    const source = targetsOf(upstream, plan, { ports, parts });
    const site = { upstream, plan: healthCheck, log: ports.log };
    return {
      intervalMs: healthCheck.intervalMs,
      run: async (known, defer) => {
        await source.ready?.(defer);
        const targets = source.current(defer);
        if (targets.length === 0) return known;
        const states = statesOf(targets, known);
        await checkTargets(targets, states, site);
        return states;
      },
    };
  };
