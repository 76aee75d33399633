import { type CharSet, rangesOf } from "./char-sets.ts";
import { minimize } from "./minimize.ts";
import type { Pattern } from "./pattern.ts";
import { type RegexPlan, widthOf } from "./run.ts";

/** How large an automaton may become. */
export interface Limits {
  /** Places in the pattern once its counted repetitions are written out; up to three for a character. */
  readonly positions: number;
  readonly states: number;
  /** States times classes of characters. */
  readonly cells: number;
}

/** States of an automaton that is not deterministic: steps without a character, and at most one with. */
interface Nfa {
  readonly free: number[][];
  readonly sets: (CharSet | undefined)[];
  readonly targets: number[];
}

/** The smallest automaton of a pattern of ours, which is known to be small. */
export const automatonOf = (pattern: Pattern): RegexPlan => determinize(pattern, UNLIMITED)!;

const UNLIMITED: Limits = {
  positions: Number.POSITIVE_INFINITY,
  states: Number.POSITIVE_INFINITY,
  cells: Number.POSITIVE_INFINITY,
};

/** The smallest automaton of a pattern; undefined where it would be larger than the limits. */
export const determinize = (pattern: Pattern, limits: Limits): RegexPlan | undefined => {
  const nfa: Nfa = { free: [], sets: [], targets: [] };
  const builder = new Builder(nfa, limits.positions);
  const [first, last] = [builder.state(), builder.state()];
  if (!builder.build(pattern, first, last)) return undefined;
  const alphabet = alphabetOf(nfa.sets);
  const table = subsets(nfa, first, last, alphabet, limits);
  if (table === undefined) return undefined;
  const plan = minimize({ ...alphabet, ...table });
  const { length } = plan.next;
  return length > limits.cells || length / widthOf(plan) > limits.states ? undefined : plan;
};

/** Thompson's construction. Each state counts, so that a repetition of nothing ends as well. */
class Builder {
  readonly #nfa: Nfa;
  readonly #limit: number;

  constructor(nfa: Nfa, limit: number) {
    this.#nfa = nfa;
    this.#limit = limit;
  }

  state(): number {
    this.#nfa.sets.push(undefined);
    this.#nfa.targets.push(0);
    return this.#nfa.free.push([]) - 1;
  }

  /** Leads from a state to another by a pattern; false where that takes too many states. */
  build(pattern: Pattern, from: number, to: number): boolean {
    if (this.#nfa.free.length > this.#limit) return false;
    const { free } = this.#nfa;
    switch (pattern.kind) {
      case "set": {
        const step = this.#after(from);
        this.#nfa.sets[step] = pattern.set;
        this.#nfa.targets[step] = to;
        return true;
      }
      case "sequence":
        return this.#sequence(pattern.parts, from, to);
      case "choice":
        return pattern.parts.every((part) => {
          const [enter, leave] = [this.#after(from), this.state()];
          free[leave]!.push(to);
          return this.build(part, enter, leave);
        });
      case "repeat":
        return this.#repeat(pattern, from, to);
    }
  }

  #after(from: number): number {
    const made = this.state();
    this.#nfa.free[from]!.push(made);
    return made;
  }

  #sequence(parts: readonly Pattern[], from: number, to: number): boolean {
    let at = from;
    for (const part of parts) {
      const next = this.state();
      if (!this.build(part, at, next)) return false;
      at = next;
    }
    this.#nfa.free[at]!.push(to);
    return true;
  }

  #repeat({ part, min, max }: Pattern & { readonly kind: "repeat" }, from: number, to: number): boolean {
    const { free } = this.#nfa;
    const counted = max === Number.POSITIVE_INFINITY ? min : max;
    let at = from;
    for (let index = 0; index < counted; index++) {
      if (index >= min) free[at]!.push(to);
      const next = this.state();
      if (!this.build(part, at, next)) return false;
      at = next;
    }
    if (max === Number.POSITIVE_INFINITY) {
      const [enter, leave] = [this.#after(at), this.state()];
      free[enter]!.push(to);
      free[leave]!.push(enter);
      return this.build(part, enter, leave);
    }
    free[at]!.push(to);
    return true;
  }
}

/** Characters that no set tells apart are one class. */
interface Alphabet {
  readonly starts: readonly number[];
  readonly classes: readonly number[];
  readonly width: number;
  readonly classesOf: ReadonlyMap<CharSet, readonly number[]>;
}

const alphabetOf = (all: readonly (CharSet | undefined)[]): Alphabet => {
  const sets = new Map(all.flatMap((set) => (set === undefined ? [] : [[set.join(), set] as const])));
  const bounds = [...sets.values()].flatMap((set) =>
    rangesOf(set).flatMap(([first, last]) => [first, last + 1]),
  );
  const starts = [...new Set([0, ...bounds.filter((bound) => bound <= 0xffff)])].sort(
    (one, other) => one - other,
  );
  const members: string[][] = starts.map(() => []);
  for (const [key, set] of sets)
    for (const [first, last] of rangesOf(set))
      for (let index = lowerBound(starts, first); index < starts.length && starts[index]! <= last; index++)
        members[index]!.push(key);
  const numbers = new Map<string, number>();
  const classes = members.map((keys) => {
    const key = keys.join(";");
    const known = numbers.get(key) ?? numbers.size;
    numbers.set(key, known);
    return known;
  });
  const byKey = new Map<string, Set<number>>();
  for (const [index, keys] of members.entries())
    for (const key of keys) byKey.set(key, (byKey.get(key) ?? new Set()).add(classes[index]!));
  return {
    starts: starts.slice(1),
    classes,
    width: numbers.size,
    classesOf: new Map(
      all.flatMap((set) => (set === undefined ? [] : [[set, [...(byKey.get(set.join()) ?? [])]]])),
    ),
  };
};

const lowerBound = (sorted: readonly number[], wanted: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** The subset construction; before it is made small an automaton may be twice as large. */
const subsets = (
  nfa: Nfa,
  first: number,
  last: number,
  { width, classesOf }: Alphabet,
  limits: Limits,
): { readonly next: number[]; readonly accepting: boolean[] } | undefined => {
  const numbers = new Map<string, number>([["", 0]]);
  const states: (readonly number[])[] = [[]];
  const numberOf = (seeds: Iterable<number>): number => {
    const closed = closure(nfa, seeds);
    const key = closed.join();
    const known = numbers.get(key) ?? states.push(closed) - 1;
    numbers.set(key, known);
    return known;
  };
  numberOf([first]);
  const next: number[] = new Array(width).fill(0);
  for (let state = 1; state < states.length; state++) {
    if (states.length > 2 * limits.states) return undefined;
    const reached: Set<number>[] = Array.from({ length: width }, () => new Set());
    for (const part of states[state]!) {
      const set = nfa.sets[part];
      if (set !== undefined) for (const index of classesOf.get(set)!) reached[index]!.add(nfa.targets[part]!);
    }
    for (const seeds of reached) next.push(seeds.size === 0 ? 0 : numberOf(seeds));
  }
  return { next, accepting: states.map((parts) => parts.includes(last)) };
};

/** What is reached without a character, in order; of states that only lead on, nothing remains. */
const closure = ({ free, sets }: Nfa, seeds: Iterable<number>): readonly number[] => {
  const open = [...seeds];
  const seen = new Set(open);
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const other of free[state]!) {
      if (seen.has(other)) continue;
      seen.add(other);
      open.push(other);
    }
  }
  return [...seen]
    .filter((state) => sets[state] !== undefined || free[state]!.length === 0)
    .sort((one, other) => one - other);
};
