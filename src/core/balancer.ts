import type { Exchange } from "./exchange.ts";
import type { Clock, Random } from "./ports.ts";
import type { BalancerPlan } from "./upstream-plan.ts";

/** A target as balancers see it. */
export interface BalancedTarget {
  readonly name: string;
  /** Larger takes more; 0 takes nothing. */
  readonly weight: number;
}

/** How a try ended: the target answered below 500, it failed, or nobody waited for it any more. */
export type TryOutcome = "answered" | "failed" | "abandoned";

/** Picks one of an upstream's targets. Its state lives in the isolate. */
export interface Balancer {
  /**
   * Index of the target for this exchange, or -1 when none may be picked.
   * @param usable tells which targets may be (all when absent): targets already tried and unhealthy ones are left out.
   * @param part tells which part of its weight a target takes at present (all of it when absent), above 0 and up to 1: one that
   * came or is well again starts slowly.
   */
  pick(exchange: Exchange, usable?: (index: number) => boolean, part?: (index: number) => number): number;
  /**
   * A try began; only algorithms that look at work under way have it. It is over after `withinMs` at the latest: one that never
   * ends, because its request was dropped, is forgotten then. Answers the lease that `end` takes.
   */
  begin?(index: number, withinMs: number): number;
  /** A try ended after so many milliseconds until its header, or until it failed or was abandoned. */
  end?(index: number, lease: number, elapsedMs: number, outcome: TryOutcome): void;
}

/** What a balancer is linked with. */
export interface BalancerSite {
  readonly random: Random;
  readonly clock: Clock;
  /** What is known of targets, for a pool whose targets come and go: a balancer finds there what the one before it knew. */
  readonly known?: WeakMap<BalancedTarget, object>;
}

/** Links a balancer's plan for a pool. */
export type BalancerFactory<Plan extends BalancerPlan = BalancerPlan> = (
  targets: readonly BalancedTarget[],
  plan: Plan,
  site: BalancerSite,
) => Balancer;
