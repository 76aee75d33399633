import type { BalancerFactory } from "../core/balancer.ts";
import { weightedDraw, withoutChoice } from "./draw.ts";

/** Any target with a chance in proportion to its weight. */
export const balancer: BalancerFactory = (targets, _plan, { random }) => {
  const sole = withoutChoice(targets);
  if (sole !== undefined) return sole;
  const draw = weightedDraw(
    targets.map((target) => target.weight),
    random,
  );
  return { pick: (_exchange, usable, part) => draw(usable, part) };
};
