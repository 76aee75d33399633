import type { BalancerFactory } from "../core/balancer.ts";
import { withoutChoice } from "./draw.ts";

/**
 * Each target in turn, whatever its weight; one with weight 0 has no turn. An isolate begins at a random target: there are
 * many and they live short lives, so a fixed beginning would be a burst on the first target.
 */
export const balancer: BalancerFactory = (targets, _plan, { random }) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const turns = targets.flatMap((target, index) => (target.weight > 0 ? [index] : []));
  // Drawn with the first request, because a Worker may not ask for randomness while it starts.
  let next = -1;
  return {
    pick: (_exchange, usable) => {
      if (next < 0) next = Math.floor(random.number() * turns.length);
      for (let tried = 0; tried < turns.length; tried++) {
        const index = turns[next]!;
        next = next + 1 === turns.length ? 0 : next + 1;
        if (usable === undefined || usable(index)) return index;
      }
      return -1;
    },
  };
};
