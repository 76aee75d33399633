import type { AssetPlan } from "../core/asset-plan.ts";
import type { TryOutcome } from "../core/balancer.ts";
import type { AggregatePlan, MirrorPlan, SplitPlan } from "../core/plan.ts";
import type { Handler } from "../core/policy.ts";
import type { Defer, Ports } from "../core/ports.ts";
import type { CredentialPlan, DiscoveryPlan, HealthCheckPlan, UpstreamPlan } from "../core/upstream-plan.ts";
import type { RequestExchange } from "./exchange.ts";
import type { ForwardSite } from "./forward.ts";
import type { LinkedTarget, LinkedUpstream, Outgoing, UpstreamSite } from "./upstream.ts";

/**
 * Parts of the forwarder that only some plans use. The emitted entry imports those that its plan does
 * (`compiler/parts.ts`), so that nobody pays for the others.
 */
export interface Parts {
  readonly managed?: ManagedFactory;
  readonly activeHealth?: ActiveHealthFactory;
  readonly discovery?: DiscoveryFactory;
  readonly headerCredential?: CredentialFactory;
  readonly jwtCredential?: CredentialFactory;
  readonly signatureCredential?: CredentialFactory;
  readonly mirror?: MirrorFactory;
  readonly split?: SplitFactory;
  readonly aggregate?: AggregateFactory;
  readonly websocket?: WebSocketFactory;
  readonly assets?: AssetsFactory;
}

/** A part that the plan needs. Throws where the bundle lacks it: a bug of the emitter. */
export const partOf = <Name extends keyof Parts>(parts: Parts, name: Name): NonNullable<Parts[Name]> => {
  const part = parts[name];
  if (part === undefined) throw new Error(`the part ${name} is not in the bundle`);
  return part;
};

/** Links an upstream that does more than one plain call. */
export type ManagedFactory = (
  name: string,
  plan: UpstreamPlan,
  site: UpstreamSite & { readonly parts: Parts },
) => LinkedUpstream;

/** What one way of watching knows of the targets. */
export interface HealthSource {
  /** Called before a target is picked, to begin in the background what has to be looked at. */
  look?(targets: readonly LinkedTarget[], defer: Defer): void;
  isHealthy(target: LinkedTarget): boolean;
  /** Called once for each try. `targets` are all of the pool. */
  ended?(target: LinkedTarget, outcome: TryOutcome, targets: readonly LinkedTarget[]): void;
}

/** Links active health checks of an upstream. */
export type ActiveHealthFactory = (upstream: string, plan: HealthCheckPlan, ports: Ports) => HealthSource;

/** Where the targets of a pool come from. */
export interface TargetSource {
  /** The same list, and the same targets in it, until something changed; empty while nothing is known. */
  current(defer: Defer): readonly LinkedTarget[];
  /** Where nothing is known yet: settles when something is, or cannot be. Undefined otherwise. */
  ready?(defer: Defer): Promise<void> | undefined;
}

/** Links the discovery of an upstream's targets. */
export type DiscoveryFactory = (upstream: string, plan: DiscoveryPlan, ports: Ports) => TargetSource;

/** One try as it will be sent, but for its headers. */
export interface Call {
  readonly method: string;
  readonly url: string;
  /** Bytes where the whole body is in memory. */
  readonly body: RequestInit["body"];
}

/** Puts onto the headers of one try what proves to the upstream that the gateway sent it. */
export type Credential = (exchange: RequestExchange, headers: Headers, call: Call) => void | Promise<void>;

/** Links an upstream's credential. Throws when its secret cannot be one, with words for whoever set it. */
export type CredentialFactory = (plan: CredentialPlan, upstream: string, ports: Ports) => Credential;

/** Sends copies of a request; never waited for, and never a failure. */
export type Mirror = (exchange: RequestExchange, outgoing: Outgoing) => void;
export type MirrorFactory = (
  plans: readonly MirrorPlan[],
  upstreamOf: (name: string) => LinkedUpstream,
  ports: Ports,
) => Mirror;

/** Picks the index of the lane for an exchange; asked once, when a policy or the forwarder first wants to know. */
export type LaneChooser = (exchange: RequestExchange) => number;
export type SplitFactory = (plan: SplitPlan, ports: Ports) => LaneChooser;

/** Links a route that offers WebSockets. `around` folds the route's filters around its end. */
export type WebSocketFactory = (end: Handler, around: (end: Handler) => Handler) => Handler;

export type AggregateFactory = (
  plan: AggregatePlan,
  upstreamOf: (name: string) => LinkedUpstream,
  site: ForwardSite & { readonly ports: Ports },
) => Handler;

/** Links a route that answers with files of the gateway's own. */
export type AssetsFactory = (plan: AssetPlan, ports: Ports) => Handler;
