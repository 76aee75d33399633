import type { BalancerFactory } from "../core/balancer.ts";
import { withoutChoice } from "./draw.ts";

/**
 * Each target in turn, whatever its weight; one with weight 0 has no turn. An isolate begins at a random target: there are
 * many and they live short lives, so a fixed beginning would be a burst on the first target. A target that starts slowly
 * passes by chance, and has its part of its turns; where all of them pass, the first that did is picked.
 */
export const balancer: BalancerFactory = (targets, _plan, { random }) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const turns = targets.flatMap((target, index) => (target.weight > 0 ? [index] : []));
  const after = (at: number): number => (at + 1 === turns.length ? 0 : at + 1);
  // Drawn with the first request, because a Worker may not ask for randomness while it starts.
  let next = -1;
  return {
    pick: (_exchange, usable, part) => {
      if (next < 0) next = Math.floor(random.number() * turns.length);
      let passed = -1;
      for (let tried = 0, at = next; tried < turns.length; tried++, at = after(at)) {
        const index = turns[at]!;
        if (usable !== undefined && !usable(index)) continue;
        if (part === undefined || random.number() < part(index)) {
          next = after(at);
          return index;
        }
        if (passed < 0) passed = at;
      }
      if (passed < 0) return -1;
      next = after(passed);
      return turns[passed]!;
    },
  };
};
