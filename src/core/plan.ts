import type { Json } from "./json.ts";
import type { Network } from "./ports.ts";
import type { Template } from "./template.ts";

/** Everything that the Worker runs, as plain JSON: sorted, free of secrets' values, identified by its hash. */
export interface Plan {
  readonly version: 1;
  readonly hash: string;
  readonly gateway: GatewayPlan;
  /** Things that several steps name, such as issuers; each is linked once. */
  readonly shared: Readonly<Record<string, Json>>;
  /** Every distinct step of any route; routes refer to them by index. */
  readonly steps: readonly StepPlan[];
  readonly upstreams: Readonly<Record<string, UpstreamPlan>>;
  readonly routes: readonly RoutePlan[];
  readonly matcher: MatcherPlan;
  /** Steps for a request that no route takes: the gateway's own policies up to identity. */
  readonly fallback: readonly number[];
  /** Names of the secrets that must be set when the gateway starts. */
  readonly secrets: readonly string[];
}

export interface GatewayPlan {
  readonly name: string;
  readonly development: boolean;
  readonly clientIp?: ClientIpPlan;
  readonly paths: PathRules;
  /** Control routes beside the health check; the name of the secret that opens them. */
  readonly control?: { readonly token: string };
}

export type ClientIpPlan = "cloudflare" | "connection" | { readonly trustedHops: number };

export interface PathRules {
  readonly encodedSlash: "reject" | "keep";
  readonly matrixParameters: "reject" | "keep";
}

export interface StepPlan {
  readonly policy: string;
  readonly step: Json;
}

export interface UpstreamPlan {
  readonly balancer: BalancerPlan;
  readonly targets: readonly TargetPlan[];
  readonly timeoutMs: number;
}

export type BalancerPlan = { readonly name: string } & Readonly<Record<string, Json>>;

export interface TargetPlan {
  readonly name: string;
  readonly weight: number;
  readonly binding?: string;
  /** Scheme and authority, without a path. */
  readonly origin: string;
  /** Path of the target's URL without its last slash; empty for none. */
  readonly basePath: string;
  readonly network?: Network;
}

export interface RoutePlan {
  readonly id: string;
  readonly api: string;
  /** Indices of steps, outermost first. */
  readonly chain: readonly number[];
  readonly action: ActionPlan;
}

export type ActionPlan = ForwardPlan | RespondPlan | RedirectPlan;

export interface ForwardPlan {
  readonly kind: "forward";
  readonly upstream: string;
  /** Replaces the upstream's timeout. */
  readonly timeoutMs?: number;
  readonly rewrite?: RewritePlan;
}

export interface RewritePlan {
  /** How many characters of the normalized path are taken off at the front. */
  readonly strip?: number;
  /** What stands in their place. */
  readonly prefix?: string;
  /** The whole path, instead. */
  readonly path?: Template;
  readonly host?: string;
}

export interface RespondPlan {
  readonly kind: "respond";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface RedirectPlan {
  readonly kind: "redirect";
  readonly status: number;
  readonly scheme?: string;
  readonly host?: string;
  readonly port?: number;
  readonly path?: Template;
  /** Prefix replacement, as in a rewrite. */
  readonly strip?: number;
  readonly prefix?: string;
}

/** Host patterns and, for each, the tables to try from the most to the least specific host. */
export interface MatcherPlan {
  readonly hosts: readonly HostPlan[];
  /** One path tree for each distinct host pattern. */
  readonly trees: readonly PathNode[];
}

export interface HostPlan {
  /** `exact` compares whole; `suffix` (".shop.example.com") takes one label, or `many` labels, before it; `any` takes all. */
  readonly kind: "exact" | "suffix" | "any";
  readonly text: string;
  readonly many?: boolean;
  /** Name of the host parameter, when the pattern has one. */
  readonly param?: string;
  /** Indices of trees, most specific first, this host's own at the front. */
  readonly trees: readonly number[];
}

/** One segment of the path tree. */
export interface PathNode {
  /** Literal children. */
  readonly literals?: Readonly<Record<string, PathNode>>;
  /** Children for segments of text and parameters, tried in this order; one text more than there are parameters. */
  readonly mixed?: readonly { readonly texts: readonly string[]; readonly node: PathNode }[];
  /** The child for a `{param}` segment. */
  readonly param?: PathNode;
  /** Routes whose template ends here with `{rest...}`. */
  readonly rest?: PathLeaf;
  /** Routes whose template ends here. */
  readonly full?: PathLeaf;
  /** Routes whose prefix ends here. */
  readonly prefix?: PathLeaf;
}

/** Candidates in their order of precedence, by method; `any` serves methods that are not listed. */
export interface PathLeaf {
  readonly methods: Readonly<Record<string, readonly CandidatePlan[]>>;
  readonly any: readonly CandidatePlan[];
}

export interface CandidatePlan {
  readonly route: number;
  /** Names of the path parameters in the order of their segments. */
  readonly params: readonly string[];
  readonly headers?: readonly ConditionPlan[];
  readonly query?: readonly ConditionPlan[];
}

/** A header or query parameter that must have a value, or merely be there. */
export interface ConditionPlan {
  readonly name: string;
  readonly value?: string;
}
