import { linkExpression } from "../../lib/cel/link.ts";
import type { Tree } from "../../lib/cel/tree.ts";
import { isMap, Span } from "../../lib/cel/values.ts";

/** Whether a tree is a value already. */
const isConstant = (tree: Tree): boolean => {
  if (!Array.isArray(tree)) return true;
  const node = tree as Extract<Tree, readonly unknown[]>;
  switch (node[0]) {
    case "int":
    case "instant":
    case "span":
      return true;
    case "list":
      return node[1].every(isConstant);
    case "map":
      return node[1].every((entry) => isConstant(entry[1]));
    default:
      return false;
  }
};

/** A value as a tree; undefined for one that JSON cannot hold, such as an infinity. */
export const treeOf = (value: unknown, numeric: boolean): Tree | undefined => {
  if (typeof value === "bigint") return intTree(value, numeric);
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : undefined;
  }
  if (value instanceof Date) return ["instant", value.getTime()];
  if (value instanceof Span) return ["span", value.ms];
  if (Array.isArray(value)) {
    const items = value.map((item) => treeOf(item, numeric));
    return items.includes(undefined) ? undefined : ["list", items as Tree[]];
  }
  if (!isMap(value)) return value as Tree | undefined;
  const entries = Object.entries(value).map(([key, item]) => [key, treeOf(item, numeric)] as const);
  return entries.some((entry) => entry[1] === undefined) ? undefined : ["map", entries as [string, Tree][]];
};

/** An int. Where it is only compared, a plain number does, and costs less. */
export const intTree = (value: bigint, numeric: boolean): Tree =>
  numeric && BigInt.asIntN(54, value) === value ? Number(value) : ["int", String(value)];

/** Settles an operation on constants now. What fails now fails when it runs, so it stays as it is. */
export const fold = (tree: Tree, operands: readonly Tree[], numeric: boolean): Tree => {
  if (!operands.every(isConstant)) return tree;
  return treeOf(evaluate(tree), numeric) ?? tree;
};

/** The value of a tree that reads nothing of a request; undefined for an error. */
export const evaluate = (tree: Tree): unknown => linkExpression(tree, {})(undefined);

/** Settles what one constant operand of `&&` or `||` decides. */
export const foldLogical = (op: "&&" | "||", parts: readonly Tree[]): Tree => {
  const decisive = op === "||";
  return parts.includes(decisive) ? decisive : fold([op, parts], parts, false);
};

/** Whether a tree may read the request. */
export const readsContext = (tree: unknown): boolean =>
  Array.isArray(tree) && (tree[0] === "name" || tree.some(readsContext));
