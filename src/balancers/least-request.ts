import type { BalancerFactory } from "../core/balancer.ts";
import { lowerOfTwo, weightedDraw, withoutChoice } from "./draw.ts";

/**
 * Of two targets drawn by weight, the one with less work under way for its weight (`active / weight`); the first drawn when
 * they are even, so that an idle pool shares by weight too. Two choices avoid the herd that "the least of all" makes of
 * many isolates, each of which sees its own requests only.
 */
export const balancer: BalancerFactory = (targets, _plan, { random }) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const weights = targets.map((target) => target.weight);
  const draw = weightedDraw(weights, random);
  const active = new Int32Array(targets.length);
  const load = (index: number): number => active[index]! / weights[index]!;
  return {
    pick: (_exchange, usable) => lowerOfTwo(draw, usable, load),
    begin: (index) => {
      active[index]!++;
    },
    end: (index) => {
      active[index]!--;
    },
  };
};
