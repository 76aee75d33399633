import type { z } from "zod";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { kindOf } from "../policies/shapes.ts";
import { anyOf, nearestName, pathText } from "./faults.ts";
import { descriptionAt, keysAt } from "./schema-keys.ts";
import { fault, placeAt, plainValue, type Tree, treeAt } from "./tree.ts";
import { closeness, FAR, ownWords, shown, typeRemedy, typeWords } from "./zod-words.ts";

/** The part that is read: its tree, its schema, and its path from the top of the documents. */
interface Part {
  readonly tree: Tree;
  readonly schema: z.ZodType;
  readonly at: Path;
}

/** A fault, and what tells whether it only follows from another one. */
interface Found {
  readonly diagnostic: Diagnostic;
  /** Path of a key that is missing. */
  readonly missing?: string;
  /** Path of the key that was meant by one that is unknown. */
  readonly meant?: string;
}

/** What zod found, in our words. */
export interface ZodFaults {
  readonly diagnostics: readonly Diagnostic[];
  /** Paths below the part of keys that were mistyped, as they were meant. */
  readonly meant: ReadonlySet<string>;
}

/** Turns what zod found into diagnostics: each with the place of the key or value that is at fault. */
export const zodFaults = (
  error: z.core.$ZodError,
  tree: Tree,
  schema: z.ZodType,
  at: Path = [],
): ZodFaults => {
  const found = error.issues.flatMap((issue) => issueFaults(issue, [], { tree, schema, at }));
  const meant = new Set(found.flatMap((one) => one.meant ?? []));
  return {
    // A key that was mistyped is not missing as well.
    diagnostics: found
      .filter(({ missing }) => missing === undefined || !meant.has(missing))
      .map(({ diagnostic }) => diagnostic),
    meant,
  };
};

const issueFaults = (issue: z.core.$ZodIssue, above: Path, part: Part): Found[] => {
  const path = [...above, ...(issue.path as Path)];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(part, path, key));
    case "invalid_union":
      return unionFaults(issue, path, part);
    case "invalid_key":
      return issue.issues.map((inner) => said(inner.message, part, path, { code: "bad-name", onKey: true }));
    case "invalid_type":
      return [typeFault(issue, part, path)];
    case "invalid_value":
      return [valueFault(issue, part, path)];
    default: {
      const usual = issue.code === "invalid_format" ? "bad-format" : "bad-value";
      const { code = usual, onKey = false } = (issue as { params?: SaidOptions }).params ?? {};
      return [said(ownWords(issue, keyText(path)), part, path, { code, onKey })];
    }
  }
};

const keyText = (path: Path): string =>
  pathText(path)
    .slice(pathText(path.slice(0, -1)).length)
    .replace(/^\./, "");

const unknownKey = ({ tree, schema, at }: Part, path: Path, key: string): Found => {
  const present = treeAt(tree, path)?.entries;
  const known = keysAt(schema, path).filter((name) => !present?.has(name));
  const near = nearestName(key, known);
  const remedy =
    near !== undefined
      ? `Did you mean "${near}"?`
      : known.length > 0
        ? `Write one of ${anyOf(known)}, or remove it.`
        : "Remove it.";
  return {
    diagnostic: fault(
      placeAt(tree, [...path, key], true),
      "unknown-key",
      `"${key}" is not a key of "${pathText([...at, ...path])}".`,
      remedy,
    ),
    ...(near === undefined ? {} : { meant: pathText([...path, near]) }),
  };
};

interface SaidOptions {
  readonly code?: string;
  readonly onKey?: boolean;
}

/** Messages of our shapes are two lines: what is wrong, what to write. A fault of a whole map is told at its key. */
const said = (message: string, { tree }: Part, path: Path, { code, onKey }: SaidOptions): Found => {
  const [wrong = "", remedy = "Write a value that fits."] = message.split("\n");
  const place = placeAt(tree, path, onKey === true || treeAt(tree, path)?.entries !== undefined);
  return { diagnostic: fault(place, code ?? "bad-value", wrong, remedy) };
};

const typeFault = (issue: z.core.$ZodIssueInvalidType, part: Part, path: Path): Found => {
  const found = treeAt(part.tree, path);
  const expected = typeWords[issue.expected] ?? `a ${issue.expected}`;
  const own = issue.message.includes("\n");
  if (found === undefined) return missingKey(part, path, own ? issue.message : expected, own);
  if (own) return said(issue.message, part, path, { code: "wrong-type" });
  const value = plainValue(found);
  const whole = [...part.at, ...path];
  const key = keyText(whole);
  const wrong =
    value === null
      ? `"${key}" has no value.`
      : `"${key}" is ${expected}, not ${typeof value === "number" && /number/.test(expected) ? value : kindOf(value)}.`;
  return {
    diagnostic: fault(found.place, "wrong-type", wrong, typeRemedy(issue.expected, expected, value, key)),
  };
};

/** `expected` is what the value would be, or a message of our own. */
const missingKey = (part: Part, path: Path, expected: string, own = false): Found => {
  const key = keyText(path);
  const [wrong, remedy] = own ? expected.split("\n") : [];
  const says = descriptionAt(part.schema, path);
  const meaning =
    says === undefined
      ? "."
      : `: ${/^[A-Z][a-z ]/.test(says) ? says[0]!.toLowerCase() + says.slice(1) : says}`;
  return {
    diagnostic: fault(
      placeAt(part.tree, path.slice(0, -1), true),
      "missing-key",
      wrong ?? `The key "${key}" is missing.`,
      remedy ?? `Add \`${key}:\` with ${expected}${meaning}`,
    ),
    missing: pathText(path),
  };
};

const valueFault = (issue: z.core.$ZodIssueInvalidValue, part: Part, path: Path): Found => {
  const found = treeAt(part.tree, path);
  const allowed = issue.values.map(String);
  if (issue.message.includes("\n")) return said(issue.message, part, path, {});
  if (found === undefined) return missingKey(part, path, anyOf(allowed));
  const value = plainValue(found);
  const near = typeof value === "string" ? nearestName(value, allowed) : undefined;
  return {
    diagnostic: fault(
      found.place,
      "bad-value",
      `${shown(value)} cannot stand here.`,
      near === undefined ? `Write ${anyOf(allowed)}.` : `Did you mean "${near}"?`,
    ),
  };
};

/** Of a union's branches, speaks for the one that the value was most likely meant for: the one that got furthest. */
const unionFaults = (issue: z.core.$ZodIssueInvalidUnion, path: Path, part: Part): Found[] => {
  const found = treeAt(part.tree, path);
  if (issue.message.includes("\n"))
    return found === undefined
      ? [missingKey(part, path, issue.message, true)]
      : [said(issue.message, part, path, {})];
  const ranked = issue.errors
    .map((issues) => ({ issues, score: closeness(issues, found?.entries !== undefined) }))
    .sort((one, other) => other.score - one.score);
  const best = ranked[0];
  const literals = issue.errors.flatMap((issues) =>
    issues.flatMap((inner) =>
      inner.code === "invalid_value" && inner.path.length === 0 ? inner.values.map(String) : [],
    ),
  );
  const isScalar = found?.scalar !== undefined && found.scalar !== null;
  if (best !== undefined && best.score <= FAR && literals.length > 0 && isScalar)
    return [wordFault(String(found.scalar), literals, part, path)];
  return (best?.issues ?? []).flatMap((inner) => issueFaults(inner, path, part));
};

/** A scalar where a few words may stand, or a map. */
const wordFault = (word: string, words: readonly string[], { tree, schema }: Part, path: Path): Found => {
  const keys = keysAt(schema, path);
  const near = nearestName(word, words);
  const remedy = keys.includes(word)
    ? `Write it as a map: \`${keyText(path)}: { ${word}: … }\`.`
    : near !== undefined
      ? `Did you mean "${near}"?`
      : `Write ${anyOf(words)}${keys.length > 0 ? `, or a map with ${anyOf(keys)}` : ""}.`;
  const value = treeAt(tree, path)!;
  return {
    diagnostic: fault(value.place, "bad-value", `${JSON.stringify(value.scalar)} cannot stand here.`, remedy),
  };
};
