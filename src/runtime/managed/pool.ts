import type { BalancedTarget, TryOutcome } from "../../core/balancer.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { Defer, Ports } from "../../core/ports.ts";
import type { UpstreamPlan } from "../../core/upstream-plan.ts";
import type { HealthSource, TargetSource } from "../parts.ts";
import { balancerOf, type LinkedTarget, type UpstreamSite } from "../upstream.ts";
import {
  CALLABLE,
  groupByPriority,
  homeOf,
  isWellEnough,
  type Member,
  type PriorityGroup,
  type TargetState,
  UNTRIED,
  WELL,
} from "./priority-group.ts";

/** A target that was picked for one try. */
export interface Picked {
  readonly target: LinkedTarget;
  /** To be called once, after so many milliseconds until the header or the failure. */
  end(elapsedMs: number, outcome: TryOutcome): void;
}

/** Picks targets that are well. */
export interface Pool {
  /** Settles when targets are known; undefined where they are. */
  ready(defer: Defer): Promise<void> | undefined;
  /**
   * A target for the next try: one that was not tried yet, while there is one. Undefined where none can be called. The try is
   * over after `withinMs` at the latest, the upstream's own timeout if absent.
   */
  pick(exchange: Exchange, tried: readonly LinkedTarget[], withinMs?: number): Picked | undefined;
}

/** Links a pool. */
export const linkPool = (
  name: string,
  plan: UpstreamPlan,
  source: TargetSource,
  health: readonly HealthSource[],
  site: UpstreamSite,
): Pool => new WatchedPool(name, plan, source, health, site);

const DEFAULT_PANIC_THRESHOLD = 0.5;

const newState = (): TargetState => ({
  isWell: undefined,
  illSinceMs: Number.NEGATIVE_INFINITY,
  warmSinceMs: Number.NEGATIVE_INFINITY,
});

/** A pick on its way. */
interface Call {
  readonly exchange: Exchange;
  readonly withinMs: number;
  readonly nowMs: number;
  readonly home: number;
  /** Whether some targets may not take their whole weight. */
  readonly warming: boolean;
}

/**
 * A target is well when it can be called and every source of health says that it is. As of the last request: nothing runs
 * between requests, so the slow start of a target that is well again begins with the request that finds it so.
 *
 * The first try goes to the *home*: the first priority group of whose targets at least `panicThreshold` are well, and there to
 * one that is. Where no group comes to that, health is ignored in the one of which the largest part is well (*panic*): the few
 * would not stand what all took together, and so many faults at once speak against what is known of health. Slow starts are
 * ignored with it. A threshold of 0 never panics: with no target well there is none to call.
 *
 * A further try goes, in this order, to a target that is
 * 1. well and untried: in the home, then in the groups after it, then in those before it;
 * 2. in panic: untried, in the same order of groups. Without panic an ill target is not called even if it is untried: one that
 *    failed once is a better choice than one that is known to fail;
 * 3. tried before, but not last, and at the very end tried last: a well one, or in panic any; again in that order of groups.
 * In panic a further try so prefers the few that are well where a first does not: the retry budget bounds what comes to them.
 */
class WatchedPool implements Pool {
  readonly #name: string;
  readonly #plan: UpstreamPlan;
  readonly #source: TargetSource;
  readonly #health: readonly HealthSource[];
  readonly #site: UpstreamSite;
  readonly #ports: Ports;
  readonly #threshold: number;
  readonly #states = new WeakMap<LinkedTarget, TargetState>();
  /** What balancers know, kept for those that come after them. */
  readonly #known = new WeakMap<BalancedTarget, object>();
  #targets: readonly LinkedTarget[] = [];
  #groups: readonly PriorityGroup[] = [];
  /** From here on every target takes its whole weight. */
  #warmAtMs = 0;

  constructor(
    name: string,
    plan: UpstreamPlan,
    source: TargetSource,
    health: readonly HealthSource[],
    site: UpstreamSite,
  ) {
    this.#name = name;
    this.#plan = plan;
    this.#source = source;
    this.#health = health;
    this.#site = site;
    this.#ports = site.ports;
    this.#threshold = plan.panicThreshold ?? DEFAULT_PANIC_THRESHOLD;
  }

  ready(defer: Defer): Promise<void> | undefined {
    return this.#source.ready?.(defer);
  }

  pick(
    exchange: Exchange,
    tried: readonly LinkedTarget[],
    withinMs = this.#plan.timeoutMs,
  ): Picked | undefined {
    const nowMs = this.#ports.clock.now();
    const targets = this.#source.current(exchange.defer);
    if (targets !== this.#targets) this.#replace(targets, nowMs);
    for (const source of this.#health) source.look?.(targets, exchange.defer);
    this.#mark(tried);
    const home = homeOf(this.#groups, this.#threshold);
    if (home < 0) return undefined;
    if (isWellEnough(this.#groups[home]!, this.#threshold)) {
      const call = { exchange, withinMs, nowMs, home, warming: nowMs < this.#warmAtMs };
      return this.#fromAny(call, WELL | UNTRIED) ?? this.#again(call, WELL, tried);
    }
    const call = { exchange, withinMs, nowMs, home, warming: false };
    return (
      (tried.length === 0 ? undefined : this.#fromAny(call, WELL | UNTRIED)) ??
      this.#fromAny(call, UNTRIED) ??
      this.#again(call, CALLABLE, tried)
    );
  }

  #mark(tried: readonly LinkedTarget[]): void {
    for (const group of this.#groups) group.mark(this.#isWell, tried);
  }

  /** Where all were tried: rather not the one that was last. */
  #again(call: Call, wanted: number, tried: readonly LinkedTarget[]): Picked | undefined {
    this.#mark(tried.slice(-1));
    return this.#fromAny(call, wanted | UNTRIED) ?? this.#fromAny(call, wanted);
  }

  /** From the home, then from the groups after it, then from those before it. */
  #fromAny(call: Call, wanted: number): Picked | undefined {
    const { length } = this.#groups;
    for (let step = 0; step < length; step++) {
      const picked = this.#from((call.home + step) % length, call, wanted);
      if (picked !== undefined) return picked;
    }
    return undefined;
  }

  #from(at: number, { exchange, withinMs, nowMs, warming }: Call, wanted: number): Picked | undefined {
    const group = this.#groups[at]!;
    const index = group.pick(exchange, wanted, warming, nowMs);
    if (index < 0) return undefined;
    const { balancer } = group;
    const member = group.member(index);
    const lease = balancer.begin?.(index, withinMs);
    return {
      target: member.target,
      end: (elapsedMs, told) => {
        // Where the gateway refused meanwhile, as a body that proved too long, the target is not to blame.
        const outcome = exchange.problemCode === undefined ? told : "abandoned";
        if (lease !== undefined) {
          // A try that is given up together with its request may be told the request's time, which began before it.
          const ownMs = Math.min(elapsedMs, this.#ports.clock.now() - nowMs);
          balancer.end?.(index, lease, ownMs, outcome);
        }
        const news = nowMs < member.state.illSinceMs ? "abandoned" : outcome;
        for (const source of this.#health) source.ended?.(member.target, news, this.#targets);
        this.#isWell(member);
      },
    };
  }

  /** Takes another list of targets; what is known of those that stay is kept. One that joins others starts slowly. */
  #replace(targets: readonly LinkedTarget[], nowMs: number): void {
    const { slowStartMs = 0, balancer } = this.#plan;
    const before = new Set(this.#targets);
    const members = targets.map((target): Member => {
      const state = this.#states.get(target) ?? newState();
      this.#states.set(target, state);
      if (before.size > 0 && !before.has(target)) this.#warmUp(state, nowMs);
      return { target, state };
    });
    const { random, clock } = this.#ports;
    const link = balancerOf(this.#plan, this.#site);
    this.#targets = targets;
    this.#groups = groupByPriority(
      members,
      (own) => link(own, balancer, { random, clock, known: this.#known }),
      slowStartMs,
    );
  }

  #warmUp(state: TargetState, nowMs: number): void {
    const { slowStartMs } = this.#plan;
    if (slowStartMs === undefined) return;
    state.warmSinceMs = nowMs;
    this.#warmAtMs = Math.max(this.#warmAtMs, nowMs + slowStartMs);
  }

  /** Whether a target may take requests; what changed since it was last asked is noted. */
  readonly #isWell = (member: Member): boolean => {
    const isWell = member.target.fetcher !== undefined && this.#isWellByAll(member.target);
    if (isWell !== member.state.isWell) this.#turn(member, isWell);
    return isWell;
  };

  #isWellByAll(target: LinkedTarget): boolean {
    for (const source of this.#health) if (!source.isHealthy(target)) return false;
    return true;
  }

  #turn({ target, state }: Member, isWell: boolean): void {
    const nowMs = this.#ports.clock.now();
    if (!isWell) state.illSinceMs = nowMs;
    else if (state.isWell === false) this.#warmUp(state, nowMs);
    state.isWell = isWell;
    this.#ports.metrics?.gauge("postern_target_healthy", [this.#name, target.name], isWell ? 1 : 0);
  }
}
