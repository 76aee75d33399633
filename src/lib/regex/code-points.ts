import { type CharSet, unionOf } from "./char-sets.ts";
import { choice, oneOf, type Pattern, sequence } from "./pattern.ts";

/** Ranges of code points, in order and apart from each other. */
export type PointSet = readonly (readonly [first: number, last: number])[];

const LAST_POINT = 0x10ffff;
const [FIRST_SURROGATE, LAST_SURROGATE, FIRST_PAIR] = [0xd800, 0xdfff, 0x10000];

/** The set of some ranges, in whatever order they are. */
export const pointsOf = (ranges: PointSet): PointSet => {
  const flat = unionOf(ranges);
  return Array.from(
    { length: flat.length / 2 },
    (_, index) => [flat[index * 2]!, flat[index * 2 + 1]!] as const,
  );
};

/** Every code point that is not in a set. */
export const otherPoints = (set: PointSet): PointSet => {
  const others: [number, number][] = [];
  let from = 0;
  for (const [first, last] of set) {
    if (first > from) others.push([from, first - 1]);
    from = last + 1;
  }
  return from > LAST_POINT ? others : [...others, [from, LAST_POINT]];
};

/** One code point of a set, as the code units of texts: those beyond the basic plane are two. Halves alone are none. */
export const onePoint = (set: PointSet): Pattern => {
  const basic: [number, number][] = [];
  /** First halves by the second halves that follow them. */
  const pairs = new Map<string, { readonly low: CharSet; readonly high: [number, number][] }>();
  const lows = new Map<number, [number, number][]>();
  for (const [first, last] of set) {
    if (first < FIRST_SURROGATE) basic.push([first, Math.min(last, FIRST_SURROGATE - 1)]);
    if (last > LAST_SURROGATE && first < FIRST_PAIR)
      basic.push([Math.max(first, LAST_SURROGATE + 1), Math.min(last, FIRST_PAIR - 1)]);
    if (last < FIRST_PAIR) continue;
    const [from, to] = [Math.max(first, FIRST_PAIR) - FIRST_PAIR, last - FIRST_PAIR];
    for (let high = from >> 10; high <= to >> 10; high++) {
      const low = [high === from >> 10 ? from & 0x3ff : 0, high === to >> 10 ? to & 0x3ff : 0x3ff] as [
        number,
        number,
      ];
      lows.set(high, [...(lows.get(high) ?? []), [0xdc00 + low[0], 0xdc00 + low[1]]]);
    }
  }
  for (const [high, ranges] of lows) {
    const low = unionOf(ranges);
    const known = pairs.get(low.join());
    if (known === undefined) pairs.set(low.join(), { low, high: [[0xd800 + high, 0xd800 + high]] });
    else known.high.push([0xd800 + high, 0xd800 + high]);
  }
  const beyond = [...pairs.values()].map(({ low, high }) => sequence(oneOf(unionOf(high)), oneOf(low)));
  return beyond.length === 0 ? oneOf(unionOf(basic)) : choice(oneOf(unionOf(basic)), ...beyond);
};

const properties = new Map<string, PointSet>();

/** The code points of a property of Unicode, as `\p{…}` names it; what has it is asked of JavaScript's engine, once. */
export const pointsWith = (property: string): PointSet => {
  const known = properties.get(property);
  if (known !== undefined) return known;
  const has = new RegExp(`^\\p{${property}}$`, "u");
  const ranges: [number, number][] = [];
  for (let point = 0; point <= LAST_POINT; point++) {
    if (!has.test(String.fromCodePoint(point))) continue;
    const last = ranges[ranges.length - 1];
    if (last !== undefined && last[1] === point - 1) last[1] = point;
    else ranges.push([point, point]);
  }
  properties.set(property, ranges);
  return ranges;
};
