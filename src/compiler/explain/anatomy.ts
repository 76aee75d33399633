import type { Documents } from "../../config/load.ts";
import { typeDocuments } from "../../config/load.ts";
import type { Tree } from "../../config/tree.ts";
import type { MatcherPlan, Router } from "../../core/matcher-plan.ts";
import type { Plan } from "../../core/plan.ts";
import { policyOrder } from "../../policies/index.ts";
import { type Attached, Attachments } from "../attachments.ts";
import type { Sources } from "../compile.ts";
import type { LevelIr, RouteIr } from "../ir.ts";
import { levelsOf } from "../levels.ts";
import { normalizeRoutes } from "../routes.ts";

/** The product's own router, which is the only one to decide; handed in, for the compiler knows no runtime. */
export type LinkRouter = (plan: MatcherPlan) => Router;

/** A plan beside what it was made from, which knows its places. */
export interface Anatomy {
  readonly plan: Plan;
  readonly documents: Documents;
  /** In the order of the plan's routes. */
  readonly routes: readonly RouteIr[];
  /** The levels of a request that no route takes. */
  readonly gatewayLevels: readonly LevelIr[];
  /** What is attached at some levels. */
  attachedAt(levels: readonly LevelIr[]): Attached;
}

/** Takes a plan that was compiled from a tree apart again. */
export const anatomyOf = (
  plan: Plan,
  tree: Tree,
  sources: Sources,
  environment: string | undefined,
): Anatomy => {
  // Whatever is at fault was told when the plan was compiled.
  const report = (): void => undefined;
  const documents = typeDocuments(tree, environment).value!;
  const openapi = (file: string) => sources.openapi.get(file);
  const openapiFiles = [...sources.openapi.keys()];
  const found = normalizeRoutes({ documents, openapi, openapiFiles, report });
  const byId = new Map(found.map((route) => [route.id, route]));
  const attachments = new Attachments([...new Set(policyOrder.map(({ type }) => type))], report);
  return {
    plan,
    documents,
    routes: plan.routes.map(({ id }) => byId.get(id)!),
    gatewayLevels: levelsOf(documents),
    attachedAt: (levels) => attachments.of({ levels }),
  };
};
