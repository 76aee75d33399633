import type { Comprehension, DateField, UnaryOp } from "../../lib/cel/tree.ts";

/** Functions of one argument, `size(x)`, and methods without one, `x.size()`, by the operation that runs them. */
export const FUNCTIONS: Readonly<Record<string, UnaryOp>> = {
  size: "size",
  int: "toInt",
  double: "toDouble",
  string: "toText",
  timestamp: "toTimestamp",
};
export const METHODS: Readonly<Record<string, UnaryOp>> = {
  size: "size",
  lowerAscii: "lowerAscii",
  upperAscii: "upperAscii",
  trim: "trim",
};

/** Methods of one argument. */
export const METHODS_OF_TWO = ["contains", "startsWith", "endsWith", "split", "join"] as const;

/** Fields of a timestamp, in UTC. CEL counts the days of a month from 0 too, which `getDayOfMonth` adds. */
export const DATE_FIELDS: Readonly<Record<string, DateField>> = {
  getFullYear: "FullYear",
  getMonth: "Month",
  getDate: "Date",
  getDayOfMonth: "Date",
  getDayOfWeek: "Day",
  getHours: "Hours",
  getMinutes: "Minutes",
  getSeconds: "Seconds",
  getMilliseconds: "Milliseconds",
};

export const MACROS: Readonly<Record<string, Comprehension>> = {
  all: "all",
  exists: "exists",
  exists_one: "exists_one",
  filter: "filter",
  map: "each",
};

/** What CEL has and we refuse, with what to write instead. */
export const REFUSED: Readonly<Record<string, string>> = {
  matches:
    "JavaScript's regular expressions can be made to run for ever; write startsWith, endsWith, contains, or `x in ['a', 'b']`.",
  bind: "Write the value where it is used.",
  getDayOfYear: "Compare with timestamp('2027-01-01T00:00:00Z').",
  bool: "Compare with a text: claims.admin == 'true'.",
  uint: "Write int().",
  type: "Declare the claim's type under `claims:` of its issuer: a value of another type is an error then.",
  bytes: "Compare texts.",
};

/** Every name that can be called, for "did you mean". */
export const FUNCTION_NAMES: readonly string[] = [...Object.keys(FUNCTIONS), "duration", "dyn", "has"];
export const METHOD_NAMES: readonly string[] = [
  ...Object.keys({ ...METHODS, ...DATE_FIELDS, ...MACROS }),
  ...METHODS_OF_TWO,
];
