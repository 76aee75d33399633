import { classAt, type RegexPlan, widthOf } from "./run.ts";

/**
 * The shortest text that all of some automata accept and none of some others does, of plain letters where there is a
 * choice; undefined where there is none, and null where finding out would take too long. So it decides whether languages
 * meet (`all` of two), and whether one includes another (no text in the narrow and not in the wide one).
 */
export const exampleOf = (
  all: readonly RegexPlan[],
  none: readonly RegexPlan[] = [],
): string | undefined | null => {
  const search = new Search(all, none);
  for (let at = 0; at < search.size; at++) {
    if (search.isFound(at)) return search.textTo(at);
    if (search.size > MAX_TUPLES) return null;
    search.goOn(at);
  }
  return undefined;
};

/** About a second. Only expressions that are made for it have as many: the product of all of their states. */
const MAX_TUPLES = 200_000;

/** Whether an automaton accepts a text; for few and short ones, for which making tables would take longer. */
export const accepts = (plan: RegexPlan, text: string): boolean => {
  const width = widthOf(plan);
  let state = 1;
  for (let at = 0; at < text.length && state !== 0; at++)
    state = plan.next[(state - 1) * width + classAt(plan, text.charCodeAt(at))]!;
  return plan.accepting.includes(state);
};

/** Walks several automata at once, breadth first. What it has reached are tuples of their states, one after the other. */
class Search {
  readonly #plans: readonly RegexPlan[];
  readonly #widths: readonly number[];
  readonly #accepting: readonly ReadonlySet<number>[];
  /** How many of the automata, from the first on, have to accept. */
  readonly #wanted: number;
  readonly #letters: readonly Letter[];
  readonly #seen = new Set<string>();
  readonly #states: number[] = [];
  readonly #from: number[] = [-1];
  readonly #units: number[] = [0];

  constructor(all: readonly RegexPlan[], none: readonly RegexPlan[]) {
    this.#plans = [...all, ...none];
    this.#widths = this.#plans.map(widthOf);
    this.#accepting = this.#plans.map(({ accepting }) => new Set(accepting));
    this.#wanted = all.length;
    this.#letters = lettersOf(this.#plans);
    this.#states.push(...this.#plans.map(() => 1));
    this.#seen.add(String.fromCharCode(...this.#states));
  }

  /** How many tuples were reached so far. */
  get size(): number {
    return this.#from.length;
  }

  isFound(at: number): boolean {
    const begin = at * this.#plans.length;
    return this.#accepting.every(
      (accepting, index) => accepting.has(this.#states[begin + index]!) === index < this.#wanted,
    );
  }

  /** Reaches what one more letter leads to; where one of those that have to accept cannot any more, nothing does. */
  goOn(at: number): void {
    const { length } = this.#plans;
    const begin = at * length;
    const next: number[] = new Array(length);
    letters: for (const { unit, classes } of this.#letters) {
      for (let index = 0; index < length; index++) {
        const state = this.#states[begin + index]!;
        const row = (state - 1) * this.#widths[index]!;
        const reached = state === 0 ? 0 : this.#plans[index]!.next[row + classes[index]!]!;
        if (reached === 0 && index < this.#wanted) continue letters;
        next[index] = reached;
      }
      const key = String.fromCharCode(...next);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      this.#states.push(...next);
      this.#from.push(at);
      this.#units.push(unit);
    }
  }

  textTo(last: number): string {
    const units: string[] = [];
    for (let at = last; this.#from[at]! >= 0; at = this.#from[at]!)
      units.push(String.fromCharCode(this.#units[at]!));
    return units.reverse().join("");
  }
}

interface Letter {
  readonly unit: number;
  readonly rank: number;
  /** Its class in each automaton. */
  readonly classes: readonly number[];
}

/** One character for every way in which all of the automata together tell characters apart. */
const lettersOf = (plans: readonly RegexPlan[]): readonly Letter[] => {
  const starts = [...new Set([0, ...plans.flatMap((plan) => plan.starts)])].sort((one, other) => one - other);
  const ranges = plans.map(() => 0);
  const letters = new Map<string, Letter>();
  for (const [index, first] of starts.entries()) {
    const last = (starts[index + 1] ?? 0x10000) - 1;
    const classes = plans.map((plan, which) => {
      while (plan.starts[ranges[which]!]! <= first) ranges[which]!++;
      return plan.classes[ranges[which]!]!;
    });
    const key = String.fromCharCode(...classes);
    const known = letters.get(key);
    const { unit, rank } = likedOf(first, last);
    if (known === undefined || rank < known.rank) letters.set(key, { unit, rank, classes });
  }
  return [...letters.values()].sort((one, other) => one.rank - other.rank);
};

/** What people like to read in an example, best first; what is not here comes after it. */
const LIKED =
  "x1abcdefghijklmnopqrstuvwyz234567890ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.~/:,=@+&;!$'()* %\"#<>?[]\\^`{|}";

/** Ranks of the characters of ASCII. */
const RANKS = Array.from({ length: 0x80 }, (_, unit) => LIKED.indexOf(String.fromCharCode(unit)));

const likedOf = (first: number, last: number): { unit: number; rank: number } => {
  // Letters beyond ASCII rather than signs that cannot be seen.
  let unit = first;
  let rank = LIKED.length + (first > 0xa0 ? first : 0x10000 + first);
  for (let other = first; other <= last && other < RANKS.length; other++) {
    const liked = RANKS[other]!;
    if (liked < 0 || liked >= rank) continue;
    unit = other;
    rank = liked;
  }
  return { unit, rank };
};
