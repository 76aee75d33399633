import type { AssetPlan, DocsPlan } from "./asset-plan.ts";
import type { HeaderEdit } from "./header-edits.ts";
import type { Json } from "./json.ts";
import type { MatcherPlan } from "./matcher-plan.ts";
import type { RedisPlan, RedisPort } from "./redis.ts";
import type { Template } from "./template.ts";
import type { UpstreamPlan } from "./upstream-plan.ts";

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
  /** Text of a module with the generated validators; it is part of the Worker's code, not of the plan that the Worker reads. */
  readonly validators?: string;
  /** Names of the secrets that must be set when the gateway starts. */
  readonly secrets: readonly string[];
}

export interface GatewayPlan {
  readonly name: string;
  readonly development: boolean;
  readonly clientIp?: ClientIpPlan;
  readonly paths: PathRules;
  /** Control routes beside the health check: names of the secrets that open what shows the gateway, and what purges. */
  readonly control?: { readonly token?: string; readonly purgeToken?: string };
  /** Where purges are known, where anything can be purged: in the isolate that made them, or through Redis in all. */
  readonly purges?: "isolate" | "redis";
  /** Where keys of consumers are, beside those that the plan holds. */
  readonly consumerKeys?: "redis";
  /** Where Redis is, where anything of the plan is there. */
  readonly redis?: RedisPlan;
  /** The ports to Redis that policies need. */
  readonly redisPorts?: readonly RedisPort[];
  /** The page and the description for callers, where they are published. */
  readonly docs?: DocsPlan;
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

export interface RoutePlan {
  readonly id: string;
  readonly api: string;
  /** Indices of steps, outermost first. */
  readonly chain: readonly number[];
  readonly action: ActionPlan;
}

export type ActionPlan = ForwardPlan | SplitPlan | AggregatePlan | RespondPlan | RedirectPlan | AssetPlan;

/** How a request goes to an upstream, whichever that is. */
export interface ForwardingPlan {
  /** Replaces the upstream's timeout. */
  readonly timeoutMs?: number;
  readonly rewrite?: RewritePlan;
  readonly mirrors?: readonly MirrorPlan[];
  /** A WebSocket may be opened. */
  readonly websocket?: boolean;
}

export interface ForwardPlan extends ForwardingPlan {
  readonly kind: "forward";
  readonly upstream: string;
}

/** Copies of requests for another upstream, whose answers nobody waits for. */
export interface MirrorPlan {
  readonly upstream: string;
  /** Part of the requests, up to 1. */
  readonly share: number;
  /** Header fields, lower case, that carry credentials on this route, beside those that do everywhere. */
  readonly without?: readonly string[];
}

/** Lanes are versions of a service; each request goes down one of them, retries included. */
export interface SplitPlan extends ForwardingPlan {
  readonly kind: "split";
  readonly lanes: readonly LanePlan[];
  /** What keeps a caller in its lane; without it, each request is dealt out by itself. */
  readonly sticky?: StickyPlan;
}

export interface LanePlan {
  readonly upstream: string;
  /** Part of the requests, from 0 to 1; those of all lanes come to 1. */
  readonly share: number;
  /** Edits to requests of this lane alone. */
  readonly edits?: readonly HeaderEdit[];
}

export type StickyPlan =
  | { readonly by: "identity" | "ip" }
  | { readonly by: "header"; readonly name: string }
  | { readonly by: "cookie"; readonly name: string; readonly maxAgeSeconds: number };

/** Several calls in parallel that make one JSON answer. */
export interface AggregatePlan {
  readonly kind: "aggregate";
  readonly calls: readonly AggregateCallPlan[];
  readonly timeoutMs?: number;
  /** Longest body of one call, in bytes. */
  readonly maxBody: number;
}

export interface AggregateCallPlan {
  /** The member of the answer. */
  readonly name: string;
  readonly upstream: string;
  readonly path: Template;
  readonly query?: readonly { readonly name: string; readonly value: Template }[];
  /** Names of parameters of the request that go along. */
  readonly forwardQuery?: readonly string[];
  /** For header and body together. */
  readonly timeoutMs?: number;
  /** What stands in the answer where the call failed; without it, the whole answer fails. */
  readonly fallback?: { readonly value: Json };
  /** A JSON Pointer (RFC 6901) into the call's answer, as segments. */
  readonly pick?: readonly string[];
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
