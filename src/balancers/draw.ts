import type { BalancedTarget, Balancer } from "../core/balancer.ts";
import type { Random } from "../core/ports.ts";

/** Which targets may be picked; as in `Balancer.pick`. */
export type Usable = Parameters<Balancer["pick"]>[1];

/** Which part of their weights targets take; as in `Balancer.pick`. */
export type Part = Parameters<Balancer["pick"]>[2];

/**
 * The balancer of a pool in which at most one target takes requests: it picks that one or none, and keeps no books.
 * Undefined where there is something to choose.
 */
export const withoutChoice = (targets: readonly BalancedTarget[]): Balancer | undefined => {
  const sole = targets.findIndex((target) => target.weight > 0);
  if (sole < 0) return { pick: () => -1 };
  if (targets.some((target, index) => index !== sole && target.weight > 0)) return undefined;
  return { pick: (_exchange, usable) => (usable === undefined || usable(sole) ? sole : -1) };
};

/** Draws an index by weight among those that are usable and not `except`; -1 when none is left. */
export type Draw = (usable: Usable, part: Part, except?: number) => number;

/**
 * Makes draws by weight: each index comes up as often as its share of the weights that may be drawn. One random number
 * and a binary search while targets are well; one pass over all when the drawn one may not be used, or weights are not whole.
 */
export const weightedDraw = (weights: readonly number[], random: Random): Draw => {
  const indices = weights.flatMap((weight, index) => (weight > 0 ? [index] : []));
  const ends: number[] = [];
  let total = 0;
  for (const index of indices) {
    total += weights[index]!;
    ends.push(total);
  }
  const starts = weights.map((_, index) => ends[indices.indexOf(index) - 1] ?? 0);

  return (usable, part, except = -1) => {
    if (part === undefined) {
      // The excepted index is cut out of the line on which the weights lie end to end.
      let point = random.number() * (except < 0 ? total : total - weights[except]!);
      if (except >= 0 && point >= starts[except]!) point += weights[except]!;
      const index = indices[firstAbove(ends, point)]!;
      if (index !== except && (usable === undefined || usable(index))) return index;
    }
    return drawInOnePass(weights, indices, random, usable, part, except);
  };
};

/**
 * Two different targets drawn by weight; of them the one with the lower score, and the first when they are even. The first is
 * drawn by the weights of the moment; a second that starts slowly is looked at for its part only, so that a low score, which
 * one that is new or was out for long easily has, does not bring it all requests at once.
 */
export const lowerOfTwo = (
  draw: Draw,
  usable: Usable,
  part: Part,
  random: Random,
  score: (index: number) => number,
): number => {
  const first = draw(usable, part);
  if (first < 0) return -1;
  const second = draw(usable, undefined, first);
  if (second < 0 || (part !== undefined && random.number() >= part(second))) return first;
  return score(first) <= score(second) ? first : second;
};

/** Position of the first of the rising numbers that is above the point; the last one when none is. */
const firstAbove = (ends: readonly number[], point: number): number => {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle]! > point) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** Weighted reservoir sampling: exact, asks `usable` once for each index, and allocates nothing. */
const drawInOnePass = (
  weights: readonly number[],
  indices: readonly number[],
  random: Random,
  usable: Usable,
  part: Part,
  except: number,
): number => {
  let drawn = -1;
  let total = 0;
  for (const index of indices) {
    if (index === except || (usable !== undefined && !usable(index))) continue;
    const weight = part === undefined ? weights[index]! : weights[index]! * part(index);
    total += weight;
    if (random.number() * total < weight) drawn = index;
  }
  return drawn;
};
