import type { CharSet } from "./char-sets.ts";

/** What a regular expression says of texts, without its syntax. */
export type Pattern =
  /** One character of a set. */
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "sequence"; readonly parts: readonly Pattern[] }
  | { readonly kind: "choice"; readonly parts: readonly Pattern[] }
  | { readonly kind: "repeat"; readonly part: Pattern; readonly min: number; readonly max: number };

export const oneOf = (set: CharSet): Pattern => ({ kind: "set", set });

export const sequence = (...parts: readonly Pattern[]): Pattern => ({ kind: "sequence", parts });

export const choice = (...parts: readonly Pattern[]): Pattern => ({ kind: "choice", parts });

export const repeat = (part: Pattern, min: number, max = Number.POSITIVE_INFINITY): Pattern => ({
  kind: "repeat",
  part,
  min,
  max,
});

/** A text as it is. */
export const literal = (text: string): Pattern =>
  sequence(
    ...Array.from({ length: text.length }, (_, at) => oneOf([text.charCodeAt(at), text.charCodeAt(at)])),
  );
