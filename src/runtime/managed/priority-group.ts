import type { Balancer } from "../../core/balancer.ts";
import type { Exchange } from "../../core/exchange.ts";
import type { LinkedTarget } from "../upstream.ts";
import { isShare } from "./share.ts";
import { warmPart } from "./slow-start.ts";

/** A target in a pool, and what the pool knows of it. */
export interface Member {
  readonly target: LinkedTarget;
  readonly state: TargetState;
}

/** Lives as long as its target, whatever lists that is in. */
export interface TargetState {
  /** Undefined until it was looked at first. */
  isWell: boolean | undefined;
  /** When it was last found ill: tries that began before tell nothing new. */
  illSinceMs: number;
  /** When it came, or was found well again: its slow start counts from here. */
  warmSinceMs: number;
}

/** What a pick may ask of a member, as bits: it can be called; it can be called and is well; and was not tried yet. */
export const CALLABLE = 1;
export const WELL = 2;
export const UNTRIED = 4;

/** The targets of one priority, with a balancer of their own. */
export class PriorityGroup {
  wellCount = 0;
  readonly #members: readonly Member[];
  readonly #balancer: Balancer;
  readonly #slowStartMs: number;
  /** What holds of each member for the pick under way; of all of them; and of any. */
  readonly #marks: Uint8Array;
  #common = 0;
  #some = 0;
  #wanted = 0;
  #nowMs = 0;
  readonly #usable = (index: number): boolean => (this.#marks[index]! & this.#wanted) === this.#wanted;
  readonly #part = (index: number): number =>
    warmPart(this.#nowMs - this.#members[index]!.state.warmSinceMs, this.#slowStartMs);

  constructor(members: readonly Member[], balancer: Balancer, slowStartMs: number) {
    this.#members = members;
    this.#balancer = balancer;
    this.#slowStartMs = slowStartMs;
    this.#marks = new Uint8Array(members.length);
  }

  get size(): number {
    return this.#members.length;
  }

  /** Notes what holds of each member, for the picks of this request's next try. */
  mark(isWell: (member: Member) => boolean, tried: readonly LinkedTarget[]): void {
    let common = CALLABLE | WELL | UNTRIED;
    let some = 0;
    let wellCount = 0;
    for (let index = 0; index < this.#marks.length; index++) {
      const member = this.#members[index]!;
      let mark = 0;
      if (isWell(member)) {
        mark = CALLABLE | WELL;
        wellCount++;
      } else if (member.target.fetcher !== undefined) mark = CALLABLE;
      if (mark !== 0 && !tried.includes(member.target)) mark |= UNTRIED;
      this.#marks[index] = mark;
      common &= mark;
      some |= mark;
    }
    this.#common = common;
    this.#some = some;
    this.wellCount = wellCount;
  }

  /** Index of a member of which all that is wanted holds, or -1. `warming` says that some may not take their whole weight yet. */
  pick(exchange: Exchange, wanted: number, warming: boolean, nowMs: number): number {
    if ((this.#some & wanted) !== wanted) return -1;
    this.#wanted = wanted;
    this.#nowMs = nowMs;
    return this.#balancer.pick(
      exchange,
      (this.#common & wanted) === wanted ? undefined : this.#usable,
      warming ? this.#part : undefined,
    );
  }

  member(index: number): Member {
    return this.#members[index]!;
  }

  get balancer(): Balancer {
    return this.#balancer;
  }
}

/** Groups members by priority, the lowest number first. A target without weight takes nothing, and so counts for nothing. */
export const groupByPriority = (
  members: readonly Member[],
  link: (targets: readonly LinkedTarget[]) => Balancer,
  slowStartMs: number,
): readonly PriorityGroup[] => {
  const taking = members.filter(({ target }) => target.weight > 0);
  const priorities = [...new Set(taking.map(({ target }) => target.priority))].sort((one, two) => one - two);
  return priorities.map((priority) => {
    const own = taking.filter(({ target }) => target.priority === priority);
    return new PriorityGroup(own, link(own.map(({ target }) => target)), slowStartMs);
  });
};

/** Whether so many of a group's targets are well that it takes requests, and only those do. */
export const isWellEnough = ({ wellCount, size }: PriorityGroup, threshold: number): boolean =>
  isShare(wellCount, threshold, size);

/**
 * Index of the group that takes requests: the first that is well enough; where none is, the one of which the largest part is
 * well, the first of equals. -1 where there is none at all.
 */
export const homeOf = (groups: readonly PriorityGroup[], threshold: number): number => {
  let best = -1;
  let most = -1;
  for (let index = 0; index < groups.length; index++) {
    const group = groups[index]!;
    if (isWellEnough(group, threshold)) return index;
    const part = group.wellCount / group.size;
    if (part > most) {
      best = index;
      most = part;
    }
  }
  return best;
};
