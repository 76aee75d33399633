import type { Diagnostic, Outcome, Place } from "../core/diagnostic.ts";
import { fault, type Tree } from "./tree.ts";

/**
 * Joins the trees of all files to one document. Below a top-level key every name may be defined once, in whichever file:
 * the second definition is an error that shows both places.
 */
export const mergeFiles = (trees: readonly Tree[]): Outcome<Tree> => {
  const diagnostics: Diagnostic[] = [];
  const top = new Map<string, Tree>();
  for (const tree of trees) {
    if (tree.entries === undefined) {
      if (tree.scalar === null) continue;
      diagnostics.push(
        fault(
          tree.place,
          "wrong-type",
          "A policy file is a map.",
          "Begin with a key such as `gateway:` or `apis:`.",
        ),
      );
      continue;
    }
    for (const [key, value] of tree.entries) {
      const known = top.get(key);
      top.set(key, known === undefined ? value : joinNames(key, known, value, diagnostics));
    }
  }
  return { value: { place: trees[0]?.place ?? nowhere, entries: top }, diagnostics };
};

const nowhere: Place = { file: "policies", line: 1, column: 1, endLine: 1, endColumn: 1 };

const joinNames = (key: string, first: Tree, second: Tree, diagnostics: Diagnostic[]): Tree => {
  if (first.entries === undefined || second.entries === undefined)
    return first.entries === undefined ? second : first;
  const entries = new Map(first.entries);
  for (const [name, value] of second.entries) {
    const known = entries.get(name);
    if (known === undefined) entries.set(name, value);
    else {
      diagnostics.push(
        fault(
          value.keyPlace ?? value.place,
          "duplicate-name",
          `"${key}.${name}" is defined twice.`,
          "Keep one of the two, or give one another name.",
          {
            related: [{ message: "The first definition stands here.", place: known.keyPlace ?? known.place }],
          },
        ),
      );
    }
  }
  return { ...first, entries };
};
