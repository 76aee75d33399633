import type { Comprehension } from "./tree.ts";
import { isMap } from "./values.ts";

/** Answers the body of a macro for one item. */
type Body = (item: unknown) => unknown;

/** The items that a macro runs over: a list's elements, a map's keys. */
const itemsOf = (range: unknown): readonly unknown[] | undefined =>
  Array.isArray(range) ? range : isMap(range) ? Object.keys(range) : undefined;

/**
 * `all` and `exists`: `decisive` (false for all, true for exists) for any item settles it, whatever errors the others
 * gave; else one error is an error.
 */
const quantifier =
  (decisive: boolean) =>
  (items: readonly unknown[], body: Body): boolean | undefined => {
    let answer: boolean | undefined = !decisive;
    for (const item of items) {
      const verdict = body(item);
      if (verdict === decisive) return decisive;
      if (verdict !== !decisive) answer = undefined;
    }
    return answer;
  };

/** Items for which the body is true; an error for any item is an error. */
const filtered = (items: readonly unknown[], body: Body): unknown[] | undefined => {
  const kept: unknown[] = [];
  for (const item of items) {
    const verdict = body(item);
    if (verdict === true) kept.push(item);
    else if (verdict !== false) return undefined;
  }
  return kept;
};

const MACROS: Readonly<Record<Comprehension, (items: readonly unknown[], body: Body) => unknown>> = {
  all: quantifier(false),
  exists: quantifier(true),
  exists_one: (items, body) => {
    const kept = filtered(items, body);
    return kept === undefined ? undefined : kept.length === 1;
  },
  filter: filtered,
  each: (items, body) => {
    const made: unknown[] = [];
    for (const item of items) {
      const value = body(item);
      if (value === undefined) return undefined;
      made.push(value);
    }
    return made;
  },
};

/** Runs a macro over a range; undefined where the range is neither list nor map. */
export const comprehend = (macro: Comprehension, range: unknown, body: Body): unknown => {
  const items = itemsOf(range);
  return items === undefined ? undefined : MACROS[macro](items, body);
};
