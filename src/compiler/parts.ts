import type { ActionPlan, ForwardingPlan, Plan } from "../core/plan.ts";
import { isManaged, type UpstreamPlan } from "../core/upstream-plan.ts";

/** A part of the forwarder that only some plans use, as the emitter imports it. */
export interface Part {
  /** Its key in the registry's `parts`. */
  readonly name: string;
  /** Below `src`. */
  readonly file: string;
  readonly factory: string;
}

const upstreams = (used: (plan: UpstreamPlan) => boolean) => (plan: Plan) =>
  Object.values(plan.upstreams).some(used);

const actions = (used: (plan: ActionPlan) => boolean) => (plan: Plan) =>
  plan.routes.some(({ action }) => used(action));

/** Each part, and whether a plan uses it. */
const PARTS: readonly (Part & { readonly isUsed: (plan: Plan) => boolean })[] = [
  {
    name: "managed",
    file: "runtime/managed/upstream.ts",
    factory: "linkManagedUpstream",
    isUsed: upstreams(isManaged),
  },
  {
    name: "activeHealth",
    file: "runtime/managed/active-health.ts",
    factory: "linkActiveHealth",
    isUsed: upstreams(({ healthCheck }) => healthCheck !== undefined),
  },
  {
    name: "discovery",
    file: "runtime/managed/discovery.ts",
    factory: "linkDiscovery",
    isUsed: upstreams(({ discovery }) => discovery !== undefined),
  },
  ...(["header", "jwt", "signature"] as const).map((kind) => ({
    name: `${kind}Credential`,
    file: `runtime/managed/${kind}-credential.ts`,
    factory: `link${kind[0]!.toUpperCase()}${kind.slice(1)}Credential`,
    isUsed: upstreams(({ credential }) => credential?.kind === kind),
  })),
  {
    name: "mirror",
    file: "runtime/mirror.ts",
    factory: "linkMirror",
    isUsed: actions((action) => (action as ForwardingPlan).mirrors !== undefined),
  },
  {
    name: "split",
    file: "runtime/split.ts",
    factory: "linkSplit",
    isUsed: actions(({ kind }) => kind === "split"),
  },
  {
    name: "websocket",
    file: "runtime/websocket.ts",
    factory: "linkWebSocket",
    isUsed: actions((action) => (action as ForwardingPlan).websocket === true),
  },
  {
    name: "aggregate",
    file: "runtime/aggregate/aggregate.ts",
    factory: "linkAggregate",
    isUsed: actions(({ kind }) => kind === "aggregate"),
  },
  {
    name: "assets",
    file: "runtime/assets.ts",
    factory: "linkAssets",
    isUsed: actions(({ kind }) => kind === "asset"),
  },
];

/** The parts that a plan uses. */
export const usedParts = (plan: Plan): readonly Part[] => PARTS.filter(({ isUsed }) => isUsed(plan));
