import type { Diagnostic, Place } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";

/** A value out of a policy file that knows where it stands. Exactly one of scalar, entries and items is there. */
export interface Tree {
  readonly place: Place;
  /** Where its key stands, when it is a value of a map. */
  readonly keyPlace?: Place;
  readonly scalar?: string | number | boolean | null;
  readonly entries?: ReadonlyMap<string, Tree>;
  readonly items?: readonly Tree[];
  /** For a text that stands on one line as it is: the column of its first character. */
  readonly textColumn?: number;
  /** An environment wrote it over something else. */
  readonly laidOver?: boolean;
}

/**
 * The plain value of a tree, keys in the order of their letters: the order in which people wrote them leaves no trace in
 * a plan. Keys that would reach a prototype were refused when the file was read.
 */
export const plainValue = (tree: Tree): unknown => {
  if (tree.entries !== undefined) {
    return Object.fromEntries(
      [...tree.entries]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([key, value]) => [key, plainValue(value)]),
    );
  }
  return tree.items !== undefined ? tree.items.map(plainValue) : (tree.scalar ?? null);
};

/** The tree at a path below another, or undefined. */
export const treeAt = (tree: Tree | undefined, path: Path): Tree | undefined => {
  let found = tree;
  for (const step of path) {
    found = typeof step === "number" ? found?.items?.[step] : found?.entries?.get(String(step));
    if (found === undefined) return undefined;
  }
  return found;
};

/** The place of a path below a tree; where the path leads nowhere, of the last thing that is there. */
export const placeAt = (tree: Tree, path: Path, onKey = false): Place => {
  let found = tree;
  for (const step of path) {
    const next = typeof step === "number" ? found.items?.[step] : found.entries?.get(String(step));
    if (next === undefined) return onKey ? (found.keyPlace ?? found.place) : found.place;
    found = next;
  }
  return onKey ? (found.keyPlace ?? found.place) : found.place;
};

/** The place of some characters inside a text; the whole text where it was written in a form that moves characters. */
export const placeInText = (tree: Tree, offset: number, length: number): Place => {
  if (tree.textColumn === undefined) return tree.place;
  const column = tree.textColumn + offset;
  return { ...tree.place, column, endLine: tree.place.line, endColumn: column + Math.max(1, length) };
};

/** An error at a place. */
export const fault = (
  place: Place,
  code: string,
  message: string,
  remedy: string,
  more: Partial<Diagnostic> = {},
): Diagnostic => ({
  severity: "error",
  code,
  message,
  remedy,
  place,
  ...more,
});
