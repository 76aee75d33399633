import type { BalancedTarget, BalancerSite } from "../core/balancer.ts";

/** What is known of each target, in their order: of those that were in the pool before, what was known of them then. */
export const knownOf = <T extends object>(
  targets: readonly BalancedTarget[],
  { known }: BalancerSite,
  make: () => T,
): readonly T[] =>
  targets.map((target) => {
    const before = known?.get(target);
    if (before !== undefined) return before as T;
    const made = make();
    known?.set(target, made);
    return made;
  });
