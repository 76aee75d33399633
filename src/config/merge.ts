import type { Diagnostic, Outcome, Place } from "../core/diagnostic.ts";
import { kindOf } from "../policies/shapes.ts";
import { anyOf, didYouMean } from "./faults.ts";
import { fault, plainValue, type Tree } from "./tree.ts";

/**
 * Joins the trees of all files to one document. Below a top-level key every name may be defined once, in whichever file:
 * the second definition is an error that shows both places.
 */
export const mergeFiles = (trees: readonly Tree[], known: readonly string[]): Outcome<Tree> => {
  const diagnostics: Diagnostic[] = [];
  const top = new Map<string, Tree>();
  for (const tree of trees) {
    if (tree.entries === undefined) {
      if (tree.scalar === null) continue;
      diagnostics.push(
        fault(
          tree.place,
          "wrong-type",
          `A policy file is a map, not ${kindOf(plainValue(tree))}.`,
          "Begin with a key such as `gateway:` or `apis:`.",
        ),
      );
      continue;
    }
    for (const [key, value] of tree.entries) {
      if (!known.includes(key)) diagnostics.push(unknownKey(key, value, known));
      else if (value.entries === undefined) diagnostics.push(notAMap(key, value));
      const first = top.get(key);
      top.set(key, first === undefined ? value : joinNames(key, first, value, diagnostics));
    }
  }
  return { value: { place: trees[0]?.place ?? nowhere, entries: top }, diagnostics };
};

const nowhere: Place = { file: "policies", line: 1, column: 1, endLine: 1, endColumn: 1 };

const unknownKey = (key: string, value: Tree, known: readonly string[]): Diagnostic =>
  fault(
    value.keyPlace ?? value.place,
    "unknown-key",
    `"${key}" is not a key of a policy file.`,
    didYouMean(key, known) ?? `Write one of ${anyOf(known)}.`,
  );

const notAMap = (key: string, value: Tree): Diagnostic => {
  const empty = value.scalar === null;
  return fault(
    value.place,
    "wrong-type",
    empty ? `"${key}" has no value.` : `"${key}" is a map, not ${kindOf(plainValue(value))}.`,
    key === "gateway"
      ? "Write the gateway's settings below it."
      : `Write names below it, and what they stand for below these${empty ? ", or remove it" : ""}.`,
  );
};

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
          key === "gateway" ? "Join the two in one place." : "Keep one of the two, or give one another name.",
          {
            related: [{ message: "The first definition stands here.", place: known.keyPlace ?? known.place }],
          },
        ),
      );
    }
  }
  return { ...first, entries };
};
