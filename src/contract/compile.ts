import { compileTree, type SeenRoute, type Sources } from "../compiler/compile.ts";
import type { Documents } from "../config/load.ts";
import type { Tree } from "../config/tree.ts";
import type { Diagnostic, Outcome } from "../core/diagnostic.ts";
import { type PublicContract, publicContract } from "./public.ts";

/** Compiles a tree that was read before to what it offers to callers; nothing where there is no plan of it. */
export const compileContract = (
  tree: Tree,
  sources: Sources,
  environment: string | undefined,
  earlier: readonly Diagnostic[] = [],
): Outcome<PublicContract> => {
  let documents: Documents | undefined;
  const routes: SeenRoute[] = [];
  const { value: plan, diagnostics } = compileTree(tree, sources, environment, earlier, {
    documents: (it) => {
      documents = it;
    },
    route: (seen) => routes.push(seen),
  });
  if (plan === undefined || documents === undefined) return { diagnostics };
  return { value: publicContract({ documents, plan, routes }), diagnostics };
};
