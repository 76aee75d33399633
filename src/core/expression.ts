import type { Json } from "./json.ts";

/** A checked CEL expression as a tree of plain JSON; `lib/cel` links it to a function. */
export type Expression = Json;

export interface ExpressionOptions {
  /** What the expression must answer; default `bool`. */
  readonly result?: "bool" | "string" | "dyn";
}
