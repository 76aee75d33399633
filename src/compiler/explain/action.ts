import { placeAt } from "../../config/tree.ts";
import type { Place } from "../../core/diagnostic.ts";
import type { ActionPlan, ForwardingPlan } from "../../core/plan.ts";
import type { Template } from "../../core/template.ts";
import type { TargetPlan, UpstreamPlan } from "../../core/upstream-plan.ts";
import type { RouteIr } from "../ir.ts";
import type { Anatomy } from "./anatomy.ts";

/** What answers a request that passed its policies. */
export interface ExplainedAction {
  readonly kind: ActionPlan["kind"];
  /** Where it is written: at the route, or at its api. */
  readonly place: Place;
  /** What it does, a line each. */
  readonly does: readonly string[];
  readonly upstreams: readonly ExplainedUpstream[];
  readonly plan: ActionPlan;
}

export interface ExplainedUpstream {
  readonly name: string;
  readonly place: Place;
  readonly targets: readonly string[];
  /** Time for all tries, the route's or the upstream's. */
  readonly timeoutMs: number;
  /** What else it has, a line each. */
  readonly has: readonly string[];
}

/** What a route does with requests that passed. */
export const explainAction = (anatomy: Anatomy, index: number): ExplainedAction => {
  const route = anatomy.routes[index]!;
  const plan = anatomy.plan.routes[index]!.action;
  return {
    kind: plan.kind,
    place: placeOf(anatomy, route, plan),
    does: wordsOf(plan),
    upstreams: upstreamsOf(plan).map((name) => explainUpstream(anatomy, name, plan)),
    plan,
  };
};

const KEYS: Readonly<Record<ActionPlan["kind"], string>> = {
  forward: "upstream",
  split: "split",
  aggregate: "aggregate",
  respond: "respond",
  redirect: "redirect",
  asset: "docs",
};

const placeOf = ({ documents }: Anatomy, route: RouteIr, { kind }: ActionPlan): Place => {
  const key = KEYS[kind];
  const own = route.document !== undefined && key in route.document;
  return placeAt(documents.tree, [...(own ? route.documentPath : route.apiPath), key], true);
};

const upstreamsOf = (plan: ActionPlan): readonly string[] => {
  switch (plan.kind) {
    case "forward":
      return [plan.upstream];
    case "split":
      return plan.lanes.map(({ upstream }) => upstream);
    case "aggregate":
      return [...new Set(plan.calls.map(({ upstream }) => upstream))];
    default:
      return [];
  }
};

const wordsOf = (plan: ActionPlan): string[] => {
  switch (plan.kind) {
    case "forward":
      return [`goes to the upstream ${plan.upstream}`, ...forwarding(plan)];
    case "split": {
      const lanes = plan.lanes.map(({ upstream, share }) => `${upstream} ${percent(share)}`);
      const { sticky } = plan;
      const by = sticky && ("name" in sticky ? `the ${sticky.by} ${sticky.name}` : sticky.by);
      return [
        `goes down one of the lanes ${lanes.join(", ")}`,
        by === undefined ? "each request is dealt out by itself" : `a caller stays in a lane, by ${by}`,
        ...forwarding(plan),
      ];
    }
    case "aggregate":
      return plan.calls.map(({ name, upstream, path }) => `${name}: asks ${upstream} for ${text(path)}`);
    case "asset":
      return ["the gateway answers with files that were made with its bundle"];
    case "respond":
      return [`the gateway answers with ${plan.status} by itself`];
    case "redirect": {
      const { status, scheme, host, port, path, prefix } = plan;
      const to = { scheme, host, port, path: path && text(path), prefix };
      const changed = Object.entries(to).filter(([, value]) => value !== undefined);
      return [
        `is redirected with ${status}: ${changed.map(([name, value]) => `${name} ${value}`).join(", ") || "to where it is"}`,
      ];
    }
  }
};

const forwarding = ({ rewrite, mirrors = [], websocket }: ForwardingPlan): string[] => [
  ...(rewrite?.path === undefined ? [] : [`its path is rewritten to ${text(rewrite.path)}`]),
  ...(rewrite?.strip === undefined && rewrite?.prefix === undefined
    ? []
    : [`its path loses ${rewrite.strip ?? 0} characters at the front and gets "${rewrite.prefix ?? ""}"`]),
  ...(rewrite?.host === undefined ? [] : [`its host is rewritten to ${rewrite.host}`]),
  ...mirrors.map(({ upstream, share }) => `${percent(share)} of requests are copied to ${upstream}`),
  ...(websocket ? ["a WebSocket may be opened"] : []),
];

const percent = (share: number): string => `${Number((share * 100).toFixed(2))}%`;

const text = (template: Template): string =>
  template.map((part) => (typeof part === "string" ? part : `{${part.from}.${part.name}}`)).join("");

const explainUpstream = (
  { plan, documents }: Anatomy,
  name: string,
  action: ActionPlan,
): ExplainedUpstream => {
  const upstream = plan.upstreams[name]!;
  return {
    name,
    place: placeAt(documents.tree, ["upstreams", name], true),
    targets: targetsOf(upstream),
    timeoutMs: ("timeoutMs" in action ? action.timeoutMs : undefined) ?? upstream.timeoutMs,
    has: featuresOf(upstream),
  };
};

const targetsOf = ({ targets, discovery }: UpstreamPlan): string[] => [
  ...targets.map(targetText),
  ...(discovery === undefined ? [] : [`those that DNS names for ${discovery.name} (${discovery.type})`]),
];

const targetText = ({ name, binding, origin, basePath, weight, priority }: TargetPlan): string => {
  const where = binding === undefined ? origin + basePath : `binding ${binding}`;
  return `${name} (${where}, weight ${weight}${priority === undefined ? "" : `, group ${priority}`})`;
};

const featuresOf = (upstream: UpstreamPlan): string[] => {
  const { balancer, retry, hedge, healthCheck, outlierDetection, circuitBreaker, credential } = upstream;
  const statuses = retry && [
    ...(retry.onConnectError ? ["connect-error"] : []),
    ...(retry.onTimeout ? ["timeout"] : []),
    ...retry.statuses,
  ];
  return [
    ...(upstream.targets.length > 1 ? [`balancer ${balancer.name}`] : []),
    ...(retry === undefined ? [] : [`up to ${retry.retries} more tries after ${statuses!.join(", ")}`]),
    ...(hedge === undefined ? [] : [`a second try beside the first after ${hedge.afterMs} ms`]),
    ...(healthCheck === undefined ? [] : [`health checks of ${healthCheck.path}`]),
    ...(outlierDetection === undefined ? [] : ["outlier detection"]),
    ...(circuitBreaker === undefined ? [] : ["a circuit breaker"]),
    ...(credential === undefined ? [] : [`a credential of the gateway (${credential.kind})`]),
  ];
};
