import { distance } from "fastest-levenshtein";
import type { z } from "zod";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { kindOf } from "../policies/shapes.ts";
import { fault, placeAt, plainValue, type Tree, treeAt } from "./tree.ts";

/** `Did you mean "x"?` for the nearest of some names, or undefined when none is near. */
export const didYouMean = (name: string, names: readonly string[]): string | undefined => {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 0.5;
  for (const candidate of names) {
    const apart = candidate.toLowerCase() === name.toLowerCase() ? 0 : distance(name, candidate);
    if (apart < least) {
      least = apart;
      best = candidate;
    }
  }
  return best === undefined ? undefined : `Did you mean "${best}"?`;
};

/** `a, b or c`. */
export const anyOf = (names: readonly string[]): string =>
  names.length < 2
    ? (names[0] ?? "nothing")
    : `${names.slice(0, -1).join(", ")} or ${names[names.length - 1]}`;

/** Turns what zod found into diagnostics: each with the place of the key or value that is at fault. */
export const zodFaults = (
  error: z.core.$ZodError,
  tree: Tree,
  keysOf: (path: Path) => readonly string[],
  at: Path = [],
): Diagnostic[] => error.issues.flatMap((issue) => issueFaults(issue, [], { tree, keysOf, at }));

/** The part that is read: its tree, the keys that its schema knows, and its path from the top of the documents. */
interface Part {
  readonly tree: Tree;
  readonly keysOf: (path: Path) => readonly string[];
  readonly at: Path;
}

const issueFaults = (issue: z.core.$ZodIssue, above: Path, part: Part): Diagnostic[] => {
  const { tree } = part;
  const path = [...above, ...(issue.path as Path)];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(part, path, key));
    case "invalid_union":
      return unionFaults(issue, path, part);
    case "invalid_key":
      return issue.issues.flatMap((inner) => said(inner.message, placeAt(tree, path, true), "bad-name"));
    case "invalid_type":
      return typeFault(issue, tree, path);
    case "invalid_value":
      return [valueFault(issue, tree, path)];
    default: {
      const code =
        (issue as { params?: { code?: string } }).params?.code ??
        (issue.code === "invalid_format" ? "bad-format" : "bad-value");
      return said(issue.message, placeAt(tree, path), code);
    }
  }
};

const unknownKey = ({ tree, keysOf, at }: Part, path: Path, key: string): Diagnostic => {
  const known = keysOf(path);
  const where = `"${[...at, ...path].join(".")}"`;
  const remedy =
    didYouMean(key, known) ??
    (known.length > 0 ? `Write one of ${known.join(", ")}, or remove it.` : "Remove it.");
  return fault(
    placeAt(tree, [...path, key], true),
    "unknown-key",
    `"${key}" is not a key of ${where}.`,
    remedy,
  );
};

/** Messages of our shapes are two lines: what is wrong, what to write. */
const said = (message: string, place: Diagnostic["place"], code: string): Diagnostic[] => {
  const [wrong, remedy] = message.split("\n");
  return [fault(place, code, wrong!, remedy ?? "Write a value that fits.")];
};

const typeFault = (issue: z.core.$ZodIssueInvalidType, tree: Tree, path: Path): Diagnostic[] => {
  const found = treeAt(tree, path);
  if (issue.message.includes("\n"))
    return said(
      issue.message,
      placeAt(tree, path, found === undefined),
      found === undefined ? "missing-key" : "wrong-type",
    );
  const key = path[path.length - 1];
  const expected = words[issue.expected] ?? `a ${issue.expected}`;
  if (found === undefined) {
    return [
      fault(
        placeAt(tree, path.slice(0, -1), true),
        "missing-key",
        `The key "${key}" is missing.`,
        `Add \`${key}:\` with ${expected}.`,
      ),
    ];
  }
  return [
    fault(
      found.place,
      "wrong-type",
      `"${key ?? "This"}" is ${expected}, not ${kindOf(plainValue(found))}.`,
      `Write ${expected}${examples[issue.expected] ?? ""}.`,
    ),
  ];
};

const words: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};
const examples: Readonly<Record<string, string>> = {
  array: ": [one, two]",
  object: " of keys and values",
  record: " of names and values",
};

const valueFault = (issue: z.core.$ZodIssueInvalidValue, tree: Tree, path: Path): Diagnostic => {
  const found = treeAt(tree, path);
  const allowed = issue.values.map(String);
  if (found === undefined) {
    const key = path[path.length - 1];
    return fault(
      placeAt(tree, path.slice(0, -1), true),
      "missing-key",
      `The key "${key}" is missing.`,
      `Add \`${key}:\` with ${anyOf(allowed)}.`,
    );
  }
  const value = plainValue(found);
  const what = typeof value === "object" ? kindOf(value) : JSON.stringify(value);
  return fault(
    found.place,
    "bad-value",
    `${what} cannot stand here.`,
    (typeof value === "string" ? didYouMean(value, allowed) : undefined) ?? `Write ${anyOf(allowed)}.`,
  );
};

/** Of a union's branches, speaks for the one that the value was most likely meant for: the one that got furthest. */
const unionFaults = (issue: z.core.$ZodIssueInvalidUnion, path: Path, part: Part): Diagnostic[] => {
  const { tree } = part;
  if (issue.message.includes("\n")) return said(issue.message, placeAt(tree, path), "bad-value");
  const value = treeAt(tree, path);
  const isMap = value?.entries !== undefined;
  let best: readonly z.core.$ZodIssue[] | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const issues of issue.errors) {
    const top = issues.some(
      (inner) => inner.path.length === 0 && (inner.code === "invalid_type" || inner.code === "invalid_value"),
    );
    const unknown = issues.filter((inner) => inner.code === "unrecognized_keys").length;
    const score = (top ? -100 : 0) - (isMap ? unknown * 10 : 0) - issues.length;
    if (score > bestScore) {
      bestScore = score;
      best = issues;
    }
  }
  const literals = issue.errors.flatMap((issues) =>
    issues.flatMap((inner) =>
      inner.code === "invalid_value" && inner.path.length === 0 ? inner.values.map(String) : [],
    ),
  );
  if (bestScore <= -100 && literals.length > 0 && value?.scalar !== undefined) {
    const text = String(value.scalar);
    return [
      fault(
        value.place,
        "bad-value",
        `${JSON.stringify(value.scalar)} cannot stand here.`,
        didYouMean(text, literals) ?? `Write ${anyOf(literals)}, or a map.`,
      ),
    ];
  }
  return (best ?? []).flatMap((inner) => issueFaults(inner, path, part));
};
