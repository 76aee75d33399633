/** Code units as ranges `first, last, first, last, …`, in order and apart from each other. */
export type CharSet = readonly number[];

export const LAST_UNIT = 0xffff;

/** The set of some ranges, in whatever order they are. */
export const unionOf = (ranges: readonly (readonly [first: number, last: number])[]): CharSet => {
  const result: number[] = [];
  for (const [first, last] of [...ranges].sort(([one], [other]) => one - other)) {
    const end = result.length - 1;
    if (end > 0 && first <= result[end]! + 1) result[end] = Math.max(result[end]!, last);
    else result.push(first, last);
  }
  return result;
};

/** The ranges of a set as pairs. */
export const rangesOf = (set: CharSet): [first: number, last: number][] =>
  Array.from({ length: set.length / 2 }, (_, index) => [set[index * 2]!, set[index * 2 + 1]!]);

/** Every code unit that is not in a set. */
export const complement = (set: CharSet): CharSet => {
  const result: number[] = [];
  let from = 0;
  for (const [first, last] of rangesOf(set)) {
    if (first > from) result.push(from, first - 1);
    from = last + 1;
  }
  return from > LAST_UNIT ? result : [...result, from, LAST_UNIT];
};

export const DIGITS: CharSet = [0x30, 0x39];
export const WORD: CharSet = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a];
/** What `.` leaves out (ECMA-262 section 22.2.2.7). */
export const LINE_ENDS: CharSet = [0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029];
/** WhiteSpace and LineTerminator of ECMA-262 sections 12.2 and 12.3. */
export const SPACE: CharSet = [
  ...[0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a, 0x2028, 0x2029],
  ...[0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff],
];

/** Canonicalize without the u flag (ECMA-262 section 22.2.2.7.3). */
const canonical = (unit: number): number => {
  const upper = String.fromCharCode(unit).toUpperCase();
  const other = upper.charCodeAt(0);
  return upper.length !== 1 || (unit >= 128 && other < 128) ? unit : other;
};

/** Code units by what they are compared as; made when a case is first ignored. */
let folds: Map<number, number[]> | undefined;

const foldsOf = (): Map<number, number[]> => {
  if (folds !== undefined) return folds;
  folds = new Map();
  for (let unit = 0; unit <= LAST_UNIT; unit++) {
    const known = folds.get(canonical(unit));
    if (known === undefined) folds.set(canonical(unit), [unit]);
    else known.push(unit);
  }
  return folds;
};

/** A set with every code unit that differs from one of it in case only. */
export const ignoringCase = (set: CharSet): CharSet => {
  const alike = foldsOf();
  const ranges = rangesOf(set);
  const added: [number, number][] = [];
  for (const [first, last] of ranges)
    for (let unit = first; unit <= last; unit++)
      for (const other of alike.get(canonical(unit))!) if (other !== unit) added.push([other, other]);
  return unionOf([...ranges, ...added]);
};
