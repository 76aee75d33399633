/**
 * A checked CEL expression as plain JSON. A text, a number (always a double), a boolean and null stand for themselves;
 * everything else is a list that begins with what it is. Only the compiler writes trees, only `link.ts` reads them.
 */
export type Tree =
  | string
  | number
  | boolean
  | null
  /** A 64-bit integer, as text. */
  | readonly ["int", string]
  /** A point in time in milliseconds since the epoch, and a length of time in milliseconds. */
  | readonly ["instant" | "span", number]
  | readonly ["list", readonly Tree[]]
  | readonly ["map", readonly (readonly [key: string, value: Tree])[]]
  /** A name of the context, resolved when compiled: `identity.kind`, `claims`, `request.headers`. */
  | readonly ["name", string]
  /** The variable of a comprehension, by its slot. */
  | readonly ["var", number]
  /** A value from outside that must be of the declared type. */
  | readonly ["as", DeclaredType, Tree]
  /** Whether a container holds a key, and whether a value is there at all: both are `has()`. */
  | readonly ["has", Tree, string]
  | readonly ["given", Tree]
  | readonly ["&&" | "||", readonly Tree[]]
  | readonly ["?:", Tree, Tree, Tree]
  | readonly [UnaryOp, Tree]
  | readonly [BinaryOp, Tree, Tree]
  /** A field of a timestamp in UTC, by the name of JavaScript's getter without `getUTC`. */
  | readonly ["utc", DateField, Tree]
  /** A macro over the list, or the keys of the map, that stands third; its variable lives in the slot. `each` is map(). */
  | readonly [Comprehension, slot: number, range: Tree, body: Tree];

/** `integer` is an int that is only compared or used as an index, and so may stay a plain number. */
export type DeclaredType = "string" | "boolean" | "number" | "int" | "integer" | "list" | "strings" | "map";

export type UnaryOp =
  | "!"
  | "negate"
  | "size"
  | "length"
  | "lowerAscii"
  | "upperAscii"
  | "trim"
  | "toInt"
  | "toDouble"
  | "toText"
  | "toTimestamp";

export type BinaryOp =
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "in"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "at"
  | "contains"
  | "startsWith"
  | "endsWith"
  | "split"
  | "join";

export type Comprehension = "all" | "exists" | "exists_one" | "filter" | "each";

export type DateField =
  | "FullYear"
  | "Month"
  | "Date"
  | "Day"
  | "Hours"
  | "Minutes"
  | "Seconds"
  | "Milliseconds";
