import type { BalancerFactory } from "../core/balancer.ts";
import { Leases } from "../lib/leases.ts";
import { lowerOfTwo, weightedDraw, withoutChoice } from "./draw.ts";
import { knownOf } from "./known.ts";

/**
 * Of two targets drawn by weight, the one with less work under way for its weight (`active / weight`); the first drawn when
 * they are even, so that an idle pool shares by weight too. Two choices avoid the herd that "the least of all" makes of
 * many isolates, each of which sees its own requests only.
 */
export const balancer: BalancerFactory = (targets, _plan, site) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const { random, clock } = site;
  const weights = targets.map((target) => target.weight);
  const draw = weightedDraw(weights, random);
  const active = knownOf(targets, site, () => new Leases());
  let nowMs = 0;
  const load = (index: number): number => active[index]!.count(nowMs) / weights[index]!;
  return {
    pick: (_exchange, usable, part) => {
      nowMs = clock.now();
      return lowerOfTwo(draw, usable, part, random, load);
    },
    begin: (index, withinMs) => active[index]!.begin(clock.now(), withinMs),
    end: (index, lease) => active[index]!.end(lease),
  };
};
