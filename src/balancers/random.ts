import type { BalancerFactory } from "../core/balancer.ts";
import { weightedDraw, withoutChoice } from "./draw.ts";

/** Any target with the same chance, whatever its weight; one with weight 0 has none, and one that starts slowly a part. */
export const balancer: BalancerFactory = (targets, _plan, { random }) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const draw = weightedDraw(
    targets.map((target) => (target.weight > 0 ? 1 : 0)),
    random,
  );
  return { pick: (_exchange, usable, part) => draw(usable, part) };
};
