import type { RegexPlan } from "../lib/regex/run.ts";
import type { HeaderEdit } from "./header-edits.ts";
import type { Json } from "./json.ts";
import type { Network } from "./ports.ts";
import type { RedisPlan, RedisPort } from "./redis.ts";
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
  /** Where keys of consumers are, beside those that the plan holds. */
  readonly consumerKeys?: "redis";
  /** Where Redis is, where anything of the plan is there. */
  readonly redis?: RedisPlan;
  /** The ports to Redis that policies need. */
  readonly redisPorts?: readonly RedisPort[];
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
  /** All tries together. */
  readonly timeoutMs: number;
  readonly retry?: RetryPlan;
  readonly hedge?: { readonly afterMs: number };
  /** Name of the header field by which this upstream knows a request again: with it any method may be tried again. */
  readonly idempotentBy?: string;
  readonly outlierDetection?: OutlierDetectionPlan;
  readonly healthCheck?: HealthCheckPlan;
  readonly circuitBreaker?: CircuitBreakerPlan;
  /** How long a target that is new or well again takes to get its whole weight. */
  readonly slowStartMs?: number;
  /** Below this part of healthy targets in a group the next group takes over, or health is ignored. */
  readonly panicThreshold?: number;
  readonly discovery?: DiscoveryPlan;
  readonly credential?: CredentialPlan;
}

/** Whether an upstream needs more than one plain call to a target that the balancer picks. */
export const isManaged = (plan: UpstreamPlan): boolean =>
  plan.retry !== undefined ||
  plan.hedge !== undefined ||
  plan.outlierDetection !== undefined ||
  plan.healthCheck !== undefined ||
  plan.circuitBreaker !== undefined ||
  plan.slowStartMs !== undefined ||
  plan.discovery !== undefined ||
  plan.credential !== undefined ||
  plan.targets.some(({ priority }) => priority !== undefined);

export interface RetryPlan {
  /** Tries beside the first. */
  readonly retries: number;
  readonly perTryTimeoutMs?: number;
  readonly onConnectError: boolean;
  readonly onTimeout: boolean;
  readonly statuses: readonly number[];
  /** Longest body that is kept to be sent again, in bytes. */
  readonly maxReplay: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  /** Retries are at most this part of the requests of the last ten seconds, or `minimum`. */
  readonly budget: { readonly share: number; readonly minimum: number };
}

export interface OutlierDetectionPlan {
  readonly consecutiveErrors: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Part of the targets that may be out at once; one always may. */
  readonly maxEjected: number;
}

export interface HealthCheckPlan {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly unhealthyAfter: number;
  readonly healthyAfter: number;
  /** Statuses of a healthy target, both ends included. */
  readonly statuses: readonly [number, number];
}

export interface CircuitBreakerPlan {
  /** Requests under way at once in one isolate. */
  readonly maxPending?: number;
  /** Part of failed tries in the window at which it opens, once there were so many tries. */
  readonly failureRatio?: number;
  readonly minimumRequests: number;
  readonly windowMs: number;
  readonly openMs: number;
}

/** Targets that a resolver names, by DNS over HTTPS (RFC 8484). */
export interface DiscoveryPlan {
  /** Where the resolver answers the question, the question included. */
  readonly url: string;
  /** The name that is asked for, in lower case, without the root's dot. */
  readonly name: string;
  readonly type: "SRV" | "A" | "AAAA";
  readonly scheme: "http" | "https";
  /** For addresses; SRV records bring their own. */
  readonly port?: number;
  readonly basePath: string;
  /** Of the resolver and the targets alike. */
  readonly network?: Network;
  readonly refreshMs: number;
}

/** What proves to an upstream that the gateway sent a request. `secret` is the name of the secret that it takes for that. */
export type CredentialPlan = HeaderCredentialPlan | JwtCredentialPlan | SignatureCredentialPlan;

/** The secret itself, behind the word of a scheme where there is one. */
export interface HeaderCredentialPlan {
  readonly kind: "header";
  readonly secret: string;
  readonly header: string;
  readonly scheme?: string;
}

/** A token (RFC 7519) that names caller and route. */
export interface JwtCredentialPlan {
  readonly kind: "jwt";
  readonly secret: string;
  readonly algorithm: "HS256" | "ES256" | "EdDSA";
  readonly keyId?: string;
  readonly header: string;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
}

/** A signature of the message (RFC 9421). */
export interface SignatureCredentialPlan {
  readonly kind: "signature";
  readonly secret: string;
  readonly algorithm: "hmac-sha256" | "ed25519" | "ecdsa-p256-sha256";
  readonly keyId?: string;
  /** Fields that are covered where they are sent, beside method, authority, path, query and what describes the body. */
  readonly headers: readonly string[];
  readonly lifetimeSeconds: number;
}

export type BalancerPlan = { readonly name: string } & Readonly<Record<string, Json>>;

export interface TargetPlan {
  readonly name: string;
  readonly weight: number;
  readonly binding?: string;
  /** Binding of the client certificate with which a target by URL is called. */
  readonly certificate?: string;
  /** Scheme and authority, without a path. */
  readonly origin: string;
  /** Path of the target's URL without its last slash; empty for none. */
  readonly basePath: string;
  readonly network?: Network;
  /** Group for failover, the lowest first; absent means 0. */
  readonly priority?: number;
}

export interface RoutePlan {
  readonly id: string;
  readonly api: string;
  /** Indices of steps, outermost first. */
  readonly chain: readonly number[];
  readonly action: ActionPlan;
}

export type ActionPlan = ForwardPlan | SplitPlan | AggregatePlan | RespondPlan | RedirectPlan;

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

/** Host patterns and, for each, the tables to try from the most to the least specific host. */
export interface MatcherPlan {
  readonly hosts: readonly HostPlan[];
  /** One path tree for each distinct host pattern. */
  readonly trees: readonly PathNode[];
  /** Every distinct regular expression; candidates and conditions refer to them by index. */
  readonly regexes?: readonly RegexPlan[];
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
  /** Routes by regular expressions of the whole path, for what no template and prefix takes; only at the root. */
  readonly regex?: PathLeaf;
}

/** Candidates in their order of precedence, by method; `any` serves methods that are not listed. */
export interface PathLeaf {
  readonly methods: Readonly<Record<string, readonly CandidatePlan[]>>;
  readonly any: readonly CandidatePlan[];
}

export interface CandidatePlan {
  readonly route: number;
  /** Index of the regular expression that the whole path must match. */
  readonly regex?: number;
  /** Names of the path parameters in the order of their segments. */
  readonly params: readonly string[];
  readonly headers?: readonly ConditionPlan[];
  readonly query?: readonly ConditionPlan[];
}

/** A header or query parameter that must have a value, match a regular expression as a whole, or merely be there. */
export interface ConditionPlan {
  readonly name: string;
  readonly value?: string;
  /** Index of a regular expression. */
  readonly regex?: number;
}
