import type { Tree } from "../config/tree.ts";

const stripped = new WeakMap<Tree, Tree>();

/** The tree without its `inherit`; the same object for the same tree, so that what was learned of it is found again. */
export const withoutInherit = (tree: Tree): Tree => {
  if (!tree.entries?.has("inherit")) return tree;
  const known = stripped.get(tree) ?? {
    ...tree,
    entries: new Map([...tree.entries].filter(([key]) => key !== "inherit")),
  };
  stripped.set(tree, known);
  return known;
};

const merged = new WeakMap<Tree, WeakMap<Tree, Tree>>();

/** The keys of an outer policy with those of the inner one over them; the same object for the same two. */
export const mergedInto = (outer: Tree, inner: Tree): Tree => {
  const perOuter = merged.get(outer) ?? new WeakMap<Tree, Tree>();
  const known = perOuter.get(inner) ?? {
    ...inner,
    entries: new Map([...(outer.entries ?? []), ...(inner.entries ?? [])]),
  };
  perOuter.set(inner, known);
  merged.set(outer, perOuter);
  return known;
};

/** Keys of the outer policy that the inner one does not have. */
export const lostKeys = (outer: Tree, inner: Tree): readonly string[] =>
  [...(outer.entries?.keys() ?? [])].filter((key) => !inner.entries?.has(key));
