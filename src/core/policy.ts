import type { z } from "zod";
import type { Period } from "../lib/calendar.ts";
import type { Contribution, WithheldParameters } from "./contribution.ts";
import type { Exchange } from "./exchange.ts";
import type { Expression, ExpressionOptions } from "./expression.ts";
import type { Authenticator } from "./identity.ts";
import type { Json } from "./json.ts";
import type { OperationInfo } from "./operation.ts";
import type { ClientIpPlan } from "./plan.ts";
import type { Ports } from "./ports.ts";
import type { RedisPort } from "./redis.ts";
import type { Template } from "./template.ts";
import type { Validator, ValidatorSpec } from "./validator.ts";

/** Answers an exchange. Never rejects for an expected failure: that is an answer too. May be called more than once. */
export type Handler = (exchange: Exchange) => Response | Promise<Response>;

/** A filter when linked: wraps what comes after it. */
export type Filter = (next: Handler) => Handler;

/** What a filter may ask for while it is linked, beside the ports. */
export interface Site {
  /** The plan's shared JSON under a name that the compile side gave to `share`. */
  shared<T>(name: string): T;
  /** One thing for the whole isolate, made on first use: key sets, caches of verified tokens. */
  once<T>(name: string, make: () => T): T;
  /** Authenticators of the identity step, linked by policy name. */
  authenticator(policy: string, step: Json): Authenticator;
  /** The generated validator of a name that the compile side got from `validator`. */
  validator(name: string): Validator;
  /** The gateway's own host names, for what must not leave them. */
  readonly gatewayName: string;
  readonly development: boolean;
}

/** Links a step. `undefined` means that it adds nothing for this route and is not installed. */
export type FilterFactory<Step> = (step: Step, ports: Ports, site: Site) => Filter | undefined;

/** Links the step of an identity policy. */
export type AuthenticatorFactory<Step> = (step: Step, ports: Ports, site: Site) => Authenticator;

/** The level at which a policy stands. */
export type Level = "gateway" | "api" | "route";

/** One configured policy of a route, outermost level first in the list that `compile` gets. */
export interface Instance<Config> {
  readonly config: Config;
  readonly level: Level;
  /** `gateway`, `apis.users` or `apis.users.routes.getUser`: names a bucket that belongs to the node. */
  readonly node: string;
  /** Where the instance stands, as keys and indices from the top of the documents; `report` takes paths below it. */
  readonly path: Path;
}

export type Path = readonly (string | number)[];

/** A fault that a policy finds in its own configuration. `at` is a path below the instance. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly severity?: "error" | "warning";
  readonly onKey?: boolean;
  /** It may come of consumers, plans or issuers that could not be read; then those are told of, and not this. */
  readonly aboutCallers?: boolean;
}

/** A reference to the caller in what a route sends on, or in the answer that it gives itself. */
export interface CallerReference {
  /** Where it stands, as keys: `headers.request.set.X-User`, `rewrite.path`. */
  readonly where: string;
  readonly from: "identity" | "claims";
  readonly name: string;
}

/** What a policy may know and say while its steps are compiled. */
export interface CompileContext {
  readonly route: {
    /** `api.route`; `-` for the fallback that answers 404 and 405. */
    readonly id: string;
    readonly api: string;
    /** Path and host parameters that templates and expressions may name. */
    readonly params: readonly string[];
    /** Those of them that take what remains of the path: text of a path, not of a segment. */
    readonly restParams?: readonly string[];
    /** Methods that the route matches; empty means any. */
    readonly methods: readonly string[];
    /** Query parameters that the OpenAPI operation declares; undefined where the route comes from no operation. */
    readonly declaredQuery: readonly string[] | undefined;
    /** The OpenAPI operation that the route comes from. */
    readonly operation?: OperationInfo | undefined;
    /** Names of the policies that the route has, from whichever level. */
    readonly policies: ReadonlySet<string>;
    /** What templates tell the upstream of the caller: those of the action, and of policies compiled so far. */
    readonly callerTold?: readonly CallerReference[];
  };
  readonly gateway: {
    readonly name: string;
    readonly clientIp: ClientIpPlan | undefined;
    readonly development: boolean;
    /** Keys of consumers are in a store: a consumer of whom the policies know none may have one there. */
    readonly keysAreStored?: boolean;
    /** The gateway says where Redis is, or what it says of it cannot be read, which is told already. */
    readonly hasRedis?: boolean;
  };
  /** The identity policies of the route by name; empty for a public one. `anonymous` tells whether a caller may be nobody. */
  readonly identity: {
    readonly policies: readonly string[];
    readonly anonymous: boolean;
    /** Their compiled steps, for the identity step that holds them. */
    readonly steps: readonly { readonly policy: string; readonly step: Json }[];
  };
  /** Names of issuers and their typed definitions; a policy that names one marks it as used by asking for it. */
  issuer(name: string): IssuerInfo | undefined;
  readonly issuerNames: readonly string[];
  /** Consumers by name; an identity policy that gets one by its name lets it in, and marks it as used. */
  readonly consumers: ReadonlyMap<string, ConsumerInfo>;
  /** Whom the route's identity policies have asked for so far: names of issuers and of consumers, who may call. */
  readonly callers: { readonly issuers: ReadonlySet<string>; readonly consumers: ReadonlySet<string> };
  /** Plans by name. */
  readonly plans: ReadonlyMap<string, PlanInfo>;
  /** Puts JSON into the plan once for the whole gateway and answers the name for `Site.shared`. */
  share(name: string, value: Json): string;
  /** What the route's policies say of parameters of requests; asked of those alone that judge them. */
  readonly otherParameters?: () => OtherParameters;
  /** Has code generated that judges values by a schema, once for all who ask for the same; answers the name for `Site.validator`. */
  validator(spec: ValidatorSpec): string;
  /** Declares that a secret must be set when the gateway starts; answers its name. */
  secret(reference: { readonly env: string }): string;
  /**
   * Asks for a port to Redis, which is then there when the gateway starts, and makes the secrets of Redis such as must be set.
   * Where the gateway does not say where Redis is, that is reported at a path below the instance, and `false` is answered.
   */
  redis(port: RedisPort, instance: Instance<unknown>, at: Path): boolean;
  /**
   * Compiles `{params.x}` templates; unknown names become diagnostics at the given path. What comes of it goes to the upstream,
   * unless it is said to be `kept`: used here, or added to answers outside of the cache.
   */
  template(text: string, instance: Instance<unknown>, at: Path, use?: "kept"): Template;
  /** Checks and compiles a CEL expression; faults become diagnostics inside the text, and `undefined` is answered. */
  expression(
    text: string,
    instance: Instance<unknown>,
    at: Path,
    options?: ExpressionOptions,
  ): Expression | undefined;
  /** Reports a fault at a path below the instance. */
  report(instance: Instance<unknown>, at: Path, fault: Fault): void;
}

/** Parameters of a route that are not between callers and the service. */
export interface OtherParameters {
  /** What the gateway keeps from the service, or sets itself. */
  readonly withheld: readonly WithheldParameters[];
  /** Query parameters that carry credentials. */
  readonly credentials: readonly string[];
}

/** An issuer as policies see it when they are compiled. */
export interface IssuerInfo {
  readonly name: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** Claims that expressions may read beside the registered ones, with their types. */
  readonly claims: Readonly<Record<string, string>>;
  /** Name of the plan that bounds how often each of its subjects may ask. */
  readonly callerPlan?: string;
  /** What goes into the plan. */
  readonly plan: Json;
}

/** A consumer as policies see it when they are compiled. */
export interface ConsumerInfo {
  readonly name: string;
  readonly plan?: string;
  readonly attributes: Readonly<Record<string, Json>>;
  readonly keys: readonly ConsumerKey[];
}

export interface ConsumerKey {
  readonly id: string;
  /** Lower-case hexadecimal digest of the key. */
  readonly sha256: string;
  /** The first instant at which it is no longer good. */
  readonly expiresMs?: number;
}

/** How much callers with a plan may ask. */
export interface PlanInfo {
  readonly rate: { readonly quantity: number; readonly windowMs: number };
  readonly quota?: { readonly quantity: number; readonly period: Period };
}

/**
 * How a policy attaches: a `guard` of each level must pass; `replaced` means that the inner one of the same name wins;
 * `identity` is replaced too, proves who calls, and runs inside the identity step.
 */
export type Attachment = "guard" | "replaced" | "identity";

/** The compile side of a policy type. `Step` joins it to the run side, so that a drift does not compile. */
export interface PolicyType<Schema extends z.ZodType = z.ZodType, Step extends Json = Json> {
  /** The name in policy files; its folder is the same in kebab case. */
  readonly name: string;
  /** One sentence for the reference and the editor. */
  readonly summary: string;
  readonly attachment: Attachment;
  readonly schema: Schema;
  /**
   * Compiles the instances of one route (several only for a guard) to a step of the given stage. `undefined` means that
   * nothing is left to do there. Faults go to `context.report`.
   */
  compile(
    instances: readonly Instance<z.output<Schema>>[],
    context: CompileContext,
    stage: string,
  ): Step | undefined;
  /**
   * The step of a route that does not have the policy while another route of the gateway does; for what concerns them
   * anyway, as a change concerns a cache.
   */
  elsewhere?(context: CompileContext): Step | undefined;
  /** What callers see of it in the public OpenAPI document, at a stage at which there is a step of it. */
  describe?(
    instances: readonly Instance<z.output<Schema>>[],
    context: CompileContext,
    stage: string,
  ): Contribution;
  /** Loads the run side. */
  readonly filter: () => Promise<
    { readonly filter: FilterFactory<Step> } | { readonly authenticator: AuthenticatorFactory<Step> }
  >;
}

/**
 * Declares a policy type: checks that both sides speak of the same step, then forgets which, so that types of all kinds
 * stand in one list.
 */
export const definePolicy = <Schema extends z.ZodType, Step extends Json>(
  type: PolicyType<Schema, Step>,
): PolicyType => type as unknown as PolicyType;
