import type { Tree } from "../../lib/cel/tree.ts";
import type { Spot } from "./context.ts";
import type { ExpressionFault } from "./faults.ts";

/** Where in an expression the lowering stands, and what it may name there. */
export interface At {
  readonly context: Readonly<Record<string, Spot>>;
  /** Slots of the comprehension variables in sight. */
  readonly locals: ReadonlyMap<string, number>;
  readonly faults: ExpressionFault[];
  /** Whether the value is only compared or used as an index, so that an int may be a plain number. */
  readonly numeric: boolean;
}

/** Stands where a fault was found; nobody runs it. */
export const NOTHING: Tree = null;

/** Notes a fault at a node, or at a range, once. */
export const faultAt = (
  at: At,
  range: { readonly start: number; readonly end: number },
  code: ExpressionFault["code"],
  message: string,
  remedy: string,
): Tree => {
  const { start: offset } = range;
  if (!at.faults.some((fault) => fault.offset === offset && fault.code === code)) {
    at.faults.push({ code, message, remedy, offset, length: Math.max(1, range.end - offset) });
  }
  return NOTHING;
};

/** Ints stay ints: the value goes on into arithmetic or a function. */
export const plain = (at: At): At => (at.numeric ? { ...at, numeric: false } : at);
/** Ints may be numbers: the value is only compared. */
export const compared = (at: At): At => (at.numeric ? at : { ...at, numeric: true });
