/**
 * CEL's values in JavaScript: int is bigint, double is number, a timestamp is a Date, a duration a Span, a list an
 * array, a map any other object. `undefined` is CEL's error: no value is ever undefined, and every operation answers
 * undefined for operands that it is not defined for, errors among them. So an error costs no more than a value.
 */

/** A length of time in milliseconds. A class, so that no map of a token's claims can be taken for one. */
export class Span {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  valueOf(): number {
    return this.ms;
  }
}

/** Years 1 to 9999, as CEL's timestamps. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

/** Whether a value is a map: an object that is nothing else. */
export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Span);

/** A map's own value, never one of JavaScript's prototypes; undefined when the key is missing. */
export const own = (map: Readonly<Record<string, unknown>> | undefined, key: string): unknown =>
  map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;

/** An int, or an error where it leaves 64 bits. */
export const int64 = (value: bigint): bigint | undefined =>
  BigInt.asIntN(64, value) === value ? value : undefined;

/** A timestamp, or an error outside the years 1 to 9999. */
export const instant = (ms: number): Date | undefined =>
  ms >= FIRST_MS && ms <= LAST_MS ? new Date(ms) : undefined;

/** Equality of two values that are no errors: numbers by value across int and double, lists and maps in depth. */
export const equal = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  // biome-ignore lint/suspicious/noDoubleEquals: compares bigint and number by their mathematical value
  if (isNumber(a)) return isNumber(b) && a == b;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (!isMap(a)) return ordered(a, b) && a.valueOf() === b.valueOf();
  if (!isMap(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]))
  );
};

/** Whether `<` is defined for two values: both numbers, or of one type that has an order. */
export const ordered = (a: unknown, b: unknown): boolean =>
  typeof a === "object"
    ? (a instanceof Date && b instanceof Date) || (a instanceof Span && b instanceof Span)
    : a !== undefined && (typeof a === typeof b || (isNumber(a) && isNumber(b)));

/** `key in container`: an element of a list, or a key of a map. */
export const within = (key: unknown, container: unknown): boolean | undefined => {
  if (key === undefined) return undefined;
  if (Array.isArray(container)) return container.some((item) => equal(key, item));
  if (!isMap(container)) return undefined;
  return typeof key === "string" && own(container, key) !== undefined;
};

/** `container[key]` and `container.key`. An index may be a double that is whole: JSON has no other numbers. */
export const at = (container: unknown, key: unknown): unknown => {
  if (Array.isArray(container)) return isNumber(key) ? container[Number(key)] : undefined;
  return typeof key === "string" && isMap(container) ? own(container, key) : undefined;
};

/** `size()`: code points of a text, elements of a list, keys of a map. */
export const length = (value: unknown): number | undefined => {
  if (Array.isArray(value)) return value.length;
  if (isMap(value)) return Object.keys(value).length;
  if (typeof value !== "string") return undefined;
  let count = 0;
  for (const _ of value) count++;
  return count;
};

type Calculation = (a: unknown, b: unknown) => unknown;

const arithmetic =
  (onDoubles: (a: number, b: number) => number, onInts: (a: bigint, b: bigint) => bigint): Calculation =>
  (a, b) => {
    if (typeof a === "number") return typeof b === "number" ? onDoubles(a, b) : undefined;
    return typeof a === "bigint" && typeof b === "bigint" ? int64(onInts(a, b)) : undefined;
  };

const sum = arithmetic(
  (a, b) => a + b,
  (a, b) => a + b,
);
const difference = arithmetic(
  (a, b) => a - b,
  (a, b) => a - b,
);
const quotient = arithmetic(
  (a, b) => a / b,
  (a, b) => a / b,
);

export const add: Calculation = (a, b) => {
  if (typeof a === "string") return typeof b === "string" ? a + b : undefined;
  if (Array.isArray(a)) return Array.isArray(b) ? [...a, ...b] : undefined;
  if (b instanceof Span) {
    return a instanceof Span
      ? new Span(a.ms + b.ms)
      : a instanceof Date
        ? instant(a.getTime() + b.ms)
        : undefined;
  }
  if (a instanceof Span) return b instanceof Date ? add(b, a) : undefined;
  return sum(a, b);
};

export const subtract: Calculation = (a, b) => {
  if (b instanceof Span) return add(a, new Span(-b.ms));
  if (b instanceof Date) return a instanceof Date ? new Span(a.getTime() - b.getTime()) : undefined;
  return difference(a, b);
};

export const multiply = arithmetic(
  (a, b) => a * b,
  (a, b) => a * b,
);

/** Ints truncate toward zero, and by zero is an error; doubles follow IEEE 754. */
export const divide: Calculation = (a, b) => (b === 0n ? undefined : quotient(a, b));

/** Defined for ints only. */
export const remainder: Calculation = (a, b) =>
  typeof a === "bigint" && typeof b === "bigint" && b !== 0n ? a % b : undefined;

export const negate = (value: unknown): unknown =>
  typeof value === "number" ? -value : typeof value === "bigint" ? int64(-value) : undefined;
