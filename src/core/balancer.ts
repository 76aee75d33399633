import type { Exchange } from "./exchange.ts";
import type { BalancerPlan } from "./plan.ts";
import type { Clock, Random } from "./ports.ts";

/** A target as balancers see it. */
export interface BalancedTarget {
  readonly name: string;
  /** Larger takes more; 0 takes nothing. */
  readonly weight: number;
}

/** Picks one of an upstream's targets. Its state lives in the isolate. */
export interface Balancer {
  /**
   * Index of the target for this exchange, or -1 when none may be picked. `usable` tells which targets may be (all when
   * absent): targets already tried and unhealthy ones are left out.
   */
  pick(exchange: Exchange, usable?: (index: number) => boolean): number;
  /** A try began; only algorithms that look at work under way have it. */
  begin?(index: number): void;
  /** A try ended after so many milliseconds until its header, or failed. */
  end?(index: number, elapsedMs: number, failed: boolean): void;
}

/** Links a balancer's plan for a pool. */
export type BalancerFactory<Plan extends BalancerPlan = BalancerPlan> = (
  targets: readonly BalancedTarget[],
  plan: Plan,
  ports: { readonly random: Random; readonly clock: Clock },
) => Balancer;
