import type { z } from "zod";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { pathText } from "./faults.ts";
import { plainValue, type Tree } from "./tree.ts";
import { zodFaults } from "./zod-faults.ts";

/** A part of the documents that has its type, and still knows where it stands. */
export interface Typed<T> {
  readonly name: string;
  readonly value: T;
  readonly tree: Tree;
  readonly path: Path;
}

/** What goes wrong while parts are typed. */
export interface Typing {
  readonly diagnostics: Diagnostic[];
  readonly broken: Set<string>;
}

/** Whether a place, or something around it, could not be typed: what is missing there is no fault of its own. */
export const isBroken = (broken: ReadonlySet<string>, path: Path): boolean =>
  path.some((_, index) => broken.has(pathText(path.slice(0, index + 1))));

/**
 * Types one part by its schema. What is at fault is told, marked as broken, and left out as far as the rest can do
 * without it, so that one mistake does not hide the others.
 */
export const typed = <S extends z.ZodType>(
  schema: S,
  tree: Tree,
  path: Path,
  typing: Typing,
): Typed<z.output<S>> | undefined => {
  const part = { name: String(path[path.length - 1]), tree, path };
  const value = plainValue(tree);
  const result = schema.safeParse(value);
  if (result.success) return { ...part, value: result.data };
  const { diagnostics, meant } = zodFaults(result.error, tree, schema, path);
  typing.diagnostics.push(...diagnostics);
  for (const key of meant) typing.broken.add(`${pathText(path)}.${key}`);
  for (const { code, path: at } of result.error.issues)
    if (code !== "unrecognized_keys") typing.broken.add(pathText([...path, ...(at as Path).slice(0, 1)]));
  const again = schema.safeParse(withoutFaults(value, result.error.issues));
  if (again.success) return { ...part, value: again.data };
  typing.broken.add(pathText(path));
  return undefined;
};

/** A value without the keys that its schema does not know; undefined where there is more at fault. */
export const withoutUnknown = (value: unknown, issues: readonly z.core.$ZodIssue[]): unknown =>
  issues.every(({ code }) => code === "unrecognized_keys") ? withoutFaults(value, issues) : undefined;

/** A copy of a value without its unknown keys, and without the keys at its top that hold something at fault. */
const withoutFaults = (value: unknown, issues: readonly z.core.$ZodIssue[]): unknown => {
  const copy = structuredClone(value);
  for (const issue of issues) {
    const [at, keys] =
      issue.code === "unrecognized_keys"
        ? [issue.path, issue.keys]
        : [[], issue.path.slice(0, 1).map(String)];
    const holder = at.reduce<unknown>((inner, step) => (inner as Record<PropertyKey, unknown>)?.[step], copy);
    if (typeof holder !== "object" || holder === null || keys.length === 0)
      return issue.code === "unrecognized_keys" ? copy : undefined;
    for (const key of keys) delete (holder as Record<string, unknown>)[key];
  }
  return copy;
};
