import type { RegexPlan } from "./run.ts";

/** A deterministic automaton as it came to be; state 0 is the one from which nothing is accepted. */
export interface Table {
  readonly starts: readonly number[];
  readonly classes: readonly number[];
  readonly width: number;
  /** State by state, from state 0 on. */
  readonly next: readonly number[];
  readonly accepting: readonly boolean[];
}

/** The smallest automaton of the same language, with states and classes numbered in the order in which they are met. */
export const minimize = (table: Table): RegexPlan => {
  const blockOf = blocksOf(table);
  const { classes, starts, representatives } = fewerClasses(table, blockOf);
  const member = new Map<number, number>();
  for (const [state, block] of blockOf.entries()) if (!member.has(block)) member.set(block, state);
  const order = [blockOf[1]!];
  const numbers = new Map([[blockOf[0]!, 0]]);
  // Where nothing is accepted at all there is still a state to begin in.
  if (blockOf[1] !== blockOf[0]) numbers.set(blockOf[1]!, 1);
  const next: number[] = [];
  for (const block of order) {
    for (const index of representatives) {
      const target = blockOf[table.next[member.get(block)! * table.width + index]!]!;
      if (!numbers.has(target)) numbers.set(target, order.push(target));
      next.push(numbers.get(target)!);
    }
  }
  const accepting = order.flatMap((block, index) => (table.accepting[member.get(block)!] ? [index + 1] : []));
  return { starts, classes, next, accepting };
};

/** The block of each state: states of one block accept the same texts (Hopcroft, 1971). */
const blocksOf = (table: Table): Int32Array => {
  const { accepting } = table;
  const sources = sourcesOf(table);
  const blockOf = Int32Array.from(accepting, Number);
  const blocks = [false, true].map((kind) => accepting.flatMap((it, state) => (it === kind ? [state] : [])));
  const open = new Set([0, 1]);
  for (const block of open) {
    open.delete(block);
    const splitters = [...blocks[block]!];
    for (let index = 0; index < table.width; index++) {
      const hit = new Map<number, number[]>();
      for (const target of splitters) {
        for (const state of sources(index, target)) {
          const own = hit.get(blockOf[state]!);
          if (own === undefined) hit.set(blockOf[state]!, [state]);
          else own.push(state);
        }
      }
      for (const [old, states] of hit) split(old, states, blocks, blockOf, open);
    }
  }
  return blockOf;
};

const split = (
  old: number,
  states: readonly number[],
  blocks: number[][],
  blockOf: Int32Array,
  open: Set<number>,
): void => {
  if (states.length === blocks[old]!.length) return;
  const made = blocks.push([...states]) - 1;
  for (const state of states) blockOf[state] = made;
  blocks[old] = blocks[old]!.filter((state) => blockOf[state] === old);
  const isSmaller = states.length <= blocks[old].length;
  open.add(open.has(old) || isSmaller ? made : old);
};

/** For a class and a state, the states from which the class leads there; linked lists in two flat arrays. */
const sourcesOf = ({ next, width, accepting }: Table): ((index: number, target: number) => number[]) => {
  const count = accepting.length;
  const heads = new Int32Array(count * width).fill(-1);
  const links = new Int32Array(count * width);
  for (let state = 0; state < count; state++) {
    for (let index = 0; index < width; index++) {
      const head = next[state * width + index]! * width + index;
      links[state * width + index] = heads[head]!;
      heads[head] = state;
    }
  }
  return (index, target) => {
    const found: number[] = [];
    for (let state = heads[target * width + index]!; state >= 0; state = links[state * width + index]!)
      found.push(state);
    return found;
  };
};

/** Classes that lead to the same blocks everywhere are one, and ranges side by side of one class are one. */
const fewerClasses = (
  { starts, classes, next, width, accepting }: Table,
  blockOf: Int32Array,
): { readonly starts: number[]; readonly classes: number[]; readonly representatives: number[] } => {
  const columns = Array.from({ length: width }, (_, index) =>
    accepting.map((_accepts, state) => blockOf[next[state * width + index]!]).join(),
  );
  const numbers = new Map<string, number>();
  const representatives: number[] = [];
  const result: { starts: number[]; classes: number[] } = { starts: [], classes: [] };
  for (const [range, index] of classes.entries()) {
    const column = columns[index]!;
    if (!numbers.has(column)) numbers.set(column, representatives.push(index) - 1);
    const number = numbers.get(column)!;
    if (number === result.classes[result.classes.length - 1]) continue;
    if (range > 0) result.starts.push(starts[range - 1]!);
    result.classes.push(number);
  }
  return { ...result, representatives };
};
