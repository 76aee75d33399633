import { toDouble, toInt, toText, toTimestamp } from "./convert.ts";
import type { BinaryOp, DeclaredType, UnaryOp } from "./tree.ts";
import {
  add,
  at,
  divide,
  equal,
  isMap,
  length,
  multiply,
  negate,
  ordered,
  remainder,
  subtract,
  within,
} from "./values.ts";

type Unary = (value: unknown) => unknown;
type Binary = (a: unknown, b: unknown) => unknown;

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");

const onTexts =
  (answer: (a: string, b: string) => unknown): Binary =>
  (a, b) =>
    typeof a === "string" && typeof b === "string" ? answer(a, b) : undefined;

/** Only ASCII letters change: `toLowerCase` would make a k of the Kelvin sign, and one name of two. */
const cased =
  (pattern: RegExp, change: (letters: string) => string): Unary =>
  (value) =>
    typeof value === "string" ? value.replace(pattern, change) : undefined;

/** What each operation does to values. All of them answer undefined for operands that it is not defined for. */
export const UNARY: Readonly<Record<UnaryOp, Unary>> = {
  "!": (value) => (typeof value === "boolean" ? !value : undefined),
  negate,
  length,
  size: (value) => {
    const count = length(value);
    return count === undefined ? undefined : BigInt(count);
  },
  lowerAscii: cased(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  upperAscii: cased(/[a-z]+/g, (letters) => letters.toUpperCase()),
  trim: (value) => (typeof value === "string" ? value.trim() : undefined),
  toInt,
  toDouble,
  toText,
  toTimestamp,
};

export const BINARY: Readonly<Record<BinaryOp, Binary>> = {
  "==": (a, b) => (a === undefined || b === undefined ? undefined : equal(a, b)),
  "!=": (a, b) => (a === undefined || b === undefined ? undefined : !equal(a, b)),
  // JavaScript orders all pairs that `ordered` lets through as CEL does; the types are for the compiler's sake.
  "<": (a, b) => (ordered(a, b) ? (a as number) < (b as number) : undefined),
  "<=": (a, b) => (ordered(a, b) ? (a as number) <= (b as number) : undefined),
  ">": (a, b) => (ordered(a, b) ? (a as number) > (b as number) : undefined),
  ">=": (a, b) => (ordered(a, b) ? (a as number) >= (b as number) : undefined),
  in: within,
  "+": add,
  "-": subtract,
  "*": multiply,
  "/": divide,
  "%": remainder,
  at,
  contains: onTexts((a, b) => a.includes(b)),
  startsWith: onTexts((a, b) => a.startsWith(b)),
  endsWith: onTexts((a, b) => a.endsWith(b)),
  split: onTexts((a, b) => a.split(b)),
  join: (list, by) => (isTexts(list) && typeof by === "string" ? list.join(by) : undefined),
};

/** A value from outside, if it is of the type that was declared for it; else an error. */
export const DECLARED: Readonly<Record<DeclaredType, Unary>> = {
  string: (value) => (typeof value === "string" ? value : undefined),
  boolean: (value) => (typeof value === "boolean" ? value : undefined),
  number: (value) => (typeof value === "number" ? value : undefined),
  // Beyond 2^53 a JSON number has lost digits, and two ids may have become one.
  int: (value) => (Number.isSafeInteger(value) ? BigInt(value as number) : undefined),
  integer: (value) => (Number.isSafeInteger(value) ? value : undefined),
  list: (value) => (Array.isArray(value) ? value : undefined),
  strings: (value) => (isTexts(value) ? value : undefined),
  map: (value) => (isMap(value) ? value : undefined),
};
