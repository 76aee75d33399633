import type { Json } from "./json.ts";
import type { Network } from "./ports.ts";

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
