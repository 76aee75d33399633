import type { BalancerFactory } from "../core/balancer.ts";
import { withoutChoice } from "./draw.ts";

/**
 * Targets in turn in proportion to their weights, the turns of a heavy one spread out: nginx's algorithm. With each request
 * every usable target gains its weight, the one that then has most is picked (the first of equals), and it gives back what
 * all of them gained. A target that may not be used neither gains nor loses; one that starts slowly gains a part.
 */
export const balancer: BalancerFactory = (targets) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const weights = Float64Array.from(targets, (target) => target.weight);
  const gained = new Float64Array(targets.length);
  return {
    pick: (_exchange, usable, part) => {
      let best = -1;
      let most = Number.NEGATIVE_INFINITY;
      let total = 0;
      for (let index = 0; index < weights.length; index++) {
        let weight = weights[index]!;
        if (!(weight > 0) || (usable !== undefined && !usable(index))) continue;
        if (part !== undefined) weight *= part(index);
        total += weight;
        const now = gained[index]! + weight;
        gained[index] = now;
        if (now > most) {
          best = index;
          most = now;
        }
      }
      if (best >= 0) gained[best] = most - total;
      return best;
    },
  };
};
