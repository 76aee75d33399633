/**
 * A regular expression as an automaton that reads each character once. State 0 accepts nothing more, whatever follows;
 * reading begins in state 1. The smallest one in its one numbering, so that equal languages are equal JSON.
 */
export type RegexPlan = {
  /** First code unit of each range of characters but the first range, which begins at 0. */
  readonly starts: readonly number[];
  /** Class of the characters of each range. */
  readonly classes: readonly number[];
  /** The state after each class, state by state, from state 1 on. */
  readonly next: readonly number[];
  /** States in which a text may end. */
  readonly accepting: readonly number[];
};

/** How many classes of characters an automaton tells apart. */
export const widthOf = ({ classes }: RegexPlan): number => Math.max(...classes) + 1;

/** The class of a code unit. */
export const classAt = ({ starts, classes }: RegexPlan, unit: number): number => {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= unit) low = middle + 1;
    else high = middle;
  }
  return classes[low]!;
};

/** Header values and paths have no others. */
const BYTES = 256;

/** Makes the test whether the whole of a text matches: one step a character, nothing allocated. */
export const linkRegex = (plan: RegexPlan): ((text: string) => boolean) => {
  const width = widthOf(plan);
  // A state is where its row begins, which spares a multiplication a character.
  const table = new Uint16Array(width + plan.next.length);
  for (const [index, state] of plan.next.entries()) table[width + index] = state * width;
  const accepting = new Uint8Array(table.length);
  for (const state of plan.accepting) accepting[state * width] = 1;
  const classOf = Uint16Array.from({ length: BYTES }, (_, unit) => classAt(plan, unit));
  return (text) => {
    let state = width;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      state = table[state + (unit < BYTES ? classOf[unit]! : classAt(plan, unit))]!;
      if (state === 0) return false;
    }
    return accepting[state] === 1;
  };
};
