import type { Place } from "../core/diagnostic.ts";
import type { Routable, RouteResult } from "../core/matcher-plan.ts";
import { type ExplainedAction, explainAction } from "./explain/action.ts";
import type { Anatomy, LinkRouter } from "./explain/anatomy.ts";
import { type ExplainedPolicies, explainPolicies } from "./explain/policies.ts";
import { explainRouting, type Other } from "./explain/routing.ts";

export { type Anatomy, anatomyOf, type LinkRouter } from "./explain/anatomy.ts";

/** The route that takes a request. */
export interface ExplainedRoute {
  readonly id: string;
  readonly place: Place;
  /** The requests that its match takes, in words, and at which host. */
  readonly takes: string;
  readonly host: string;
  readonly params: Readonly<Record<string, string>>;
  /** Its index in the plan. */
  readonly index: number;
}

/** What becomes of a request, as far as the policies say. */
export interface Explanation extends ExplainedPolicies {
  readonly outcome: RouteResult["outcome"];
  readonly route?: ExplainedRoute;
  /** Methods that the path is known with, where that is what is wrong. */
  readonly allow?: readonly string[];
  /** The gateway's hosts, where that of the request is none of them. */
  readonly hosts?: readonly string[];
  /** Routes that come near, and why they do not take it. */
  readonly others: readonly Other[];
  /** How many more come near. */
  readonly left: number;
  readonly action?: ExplainedAction;
}

/** Explains a request that can be routed: the router decides, and the policy files say why. */
export const explain = (anatomy: Anatomy, asked: Routable, link: LinkRouter): Explanation => {
  const { routed, taken, ...near } = explainRouting(anatomy, asked, link);
  if (routed.outcome !== "found") {
    const allow = routed.outcome === "method" ? { allow: routed.allow } : {};
    return { outcome: routed.outcome, ...allow, ...near, ...explainUnrouted(anatomy) };
  }
  const { route: index, params } = routed;
  const { id, place, levels } = anatomy.routes[index]!;
  return {
    outcome: "found",
    route: { id, place, takes: taken?.takes ?? "", host: taken?.host ?? "", params, index },
    ...near,
    ...explainPolicies(anatomy, levels, anatomy.plan.routes[index]!.chain),
    action: explainAction(anatomy, index),
  };
};

/** The policies of a request that no route takes, or that is refused before one is looked for. */
export const explainUnrouted = (anatomy: Anatomy): ExplainedPolicies =>
  explainPolicies(anatomy, anatomy.gatewayLevels, anatomy.plan.fallback);
