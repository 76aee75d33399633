import { createHmac } from "node:crypto";
import { MemoryCounter } from "../adapters/memory/counter.ts";
import type { Exchange } from "../core/exchange.ts";
import type { Identity } from "../core/identity.ts";
import type { Json } from "../core/json.ts";
import type { Plan } from "../core/plan.ts";
import type { AuthenticatorFactory, FilterFactory, Handler } from "../core/policy.ts";
import type { Ports } from "../core/ports.ts";
import { policyOrder } from "../policies/index.ts";
import type { IssuerPlan } from "../policies/jwt/issuer-plan.ts";
import { member, splitJwt } from "../policies/jwt/jws.ts";
import { link } from "../runtime/link.ts";

/** A request as a client would send it. Its URL is the text that was given: no parser has brought it to a form of its own. */
export interface Spoken {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
}

/** What came of a request. */
export interface Played {
  readonly response: Response;
  /** Absent where no route took the request. */
  readonly exchange: Exchange | undefined;
}

/** A step of our own at both ends of a chain. */
const PROBE = "postern explain";
/** The secret that stands for the keys of every issuer. */
const KEY_NAME = "POSTERN_EXPLAIN";
const KEY = "the key of all issuers while a request is explained";

/**
 * Runs parts of a plan's chains by the product's own code, without network: upstreams are what the caller says, and issuers have
 * a key of ours, so that a token is judged by everything but its signature.
 */
export class Rehearsal {
  readonly #plan: Plan;
  readonly #issuers: readonly IssuerPlan[];
  readonly #ports: Ports = offlinePorts();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#issuers = Object.entries(plan.shared).flatMap(([name, value]) =>
      name.startsWith("issuers.") ? [value as unknown as IssuerPlan] : [],
    );
  }

  get nowMs(): number {
    return this.#ports.clock.now();
  }

  /** What the gateway says of a request before any policy: the route's id, or its own answer. */
  async dispatch(spoken: Spoken): Promise<{ readonly route: string } | { readonly answer: Response }> {
    const { response, exchange } = await this.play(spoken, [], () => new Response(null));
    return exchange === undefined ? { answer: response } : { route: exchange.route.id };
  }

  /**
   * Sends a request through those steps of its route whose policies are named, and then to `last`. A caller may be made up, in
   * place of the identity step.
   */
  async play(spoken: Spoken, policies: readonly string[], last: Handler, caller?: Identity): Promise<Played> {
    let seen: Exchange | undefined;
    const probe: FilterFactory<Json> = (end) => (next) => (exchange) => {
      if (end === "last") return last(exchange);
      seen = exchange;
      exchange.identity = caller;
      return next(exchange);
    };
    const { steps, routes, shared } = this.#plan;
    const wanted = steps.flatMap(({ policy }, index) => (policies.includes(policy) ? [index] : []));
    const chainOf = (chain: readonly number[]): number[] => [
      steps.length,
      ...chain.filter((index) => wanted.includes(index)),
      steps.length + 1,
    ];
    const gateway = link(
      {
        ...this.#plan,
        steps: [...steps, { policy: PROBE, step: "first" }, { policy: PROBE, step: "last" }],
        routes: routes.map((route) => ({ ...route, chain: chainOf(route.chain), action: NOTHING })),
        shared: { ...shared, ...Object.fromEntries(this.#issuers.map(withOurKey)) },
        upstreams: {},
        fallback: [],
        secrets: [],
      },
      await registryOf(policies, probe),
      this.#ports,
    );
    const waiting: Promise<unknown>[] = [];
    const request = { ...spoken, body: null } as unknown as Request;
    const response = await gateway(request, { waitUntil: (work) => void waiting.push(work) });
    await Promise.allSettled(waiting);
    return { response, exchange: seen };
  }

  /** A token with the same claims that is signed by the key that issuers have here; itself where its issuer could not have signed it. */
  resigned(token: string): string {
    const jws = splitJwt(token);
    if (jws === undefined) return token;
    const iss = member(jws.claims, "iss");
    const able = this.#issuers.some(
      ({ issuer, algorithms }) => issuer === iss && (algorithms as readonly string[]).includes(jws.algorithm),
    );
    if (!able) return token;
    const header = { alg: "HS256", ...(jws.typ !== undefined && { typ: jws.typ }) };
    const input = `${Buffer.from(JSON.stringify(header)).toString("base64url")}.${token.split(".")[1]}`;
    return `${input}.${createHmac("sha256", KEY).update(input).digest("base64url")}`;
  }
}

const NOTHING = { kind: "respond", status: 204, headers: {}, body: null } as const;

const withOurKey = (issuer: IssuerPlan): [string, Json] => {
  const { jwks: _, ...others } = issuer;
  return [`issuers.${issuer.name}`, { ...others, algorithms: ["HS256"], secret: KEY_NAME } as Json];
};

/** The code of some policies, and of those that prove identity where the identity step is among them. */
const registryOf = async (policies: readonly string[], probe: FilterFactory<Json>) => {
  const filters: Record<string, FilterFactory<never>> = { [PROBE]: probe as FilterFactory<never> };
  const authenticators: Record<string, AuthenticatorFactory<never>> = {};
  for (const { type } of policyOrder) {
    const isWanted =
      policies.includes(type.name) || (type.attachment === "identity" && policies.includes("identity"));
    if (!isWanted) continue;
    const loaded = await type.filter();
    if ("filter" in loaded) filters[type.name] = loaded.filter as FilterFactory<never>;
    else authenticators[type.name] = loaded.authenticator as AuthenticatorFactory<never>;
  }
  return { filters, authenticators, balancers: {}, parts: {} };
};

const offlinePorts = (): Ports => {
  const nowMs = Date.now();
  const clock = { now: () => nowMs };
  return {
    clock,
    random: { number: () => 0.5, uuid: () => "00000000-0000-4000-8000-000000000000" },
    fetch: { open: () => undefined },
    // Where a policy needs one of its own to be linked, any will do: nothing that it proves can be shown here.
    secrets: { get: (name) => (name === KEY_NAME ? KEY : "x".repeat(64)) },
    log: { write: () => undefined },
    metrics: undefined,
    edgeCache: undefined,
    isolateCounter: new MemoryCounter(clock),
  };
};
