import type { BalancerFactory } from "../core/balancer.ts";
import type { Json } from "../core/json.ts";
import type { RouteResult } from "../core/matcher-plan.ts";
import type { ActionPlan, ForwardPlan, Plan, SplitPlan } from "../core/plan.ts";
import type { AuthenticatorFactory, Filter, FilterFactory, Handler, Site } from "../core/policy.ts";
import type { Defer, Ports } from "../core/ports.ts";
import { problem } from "../core/problem.ts";
import { isManaged } from "../core/upstream-plan.ts";
import type { Validator } from "../core/validator.ts";
import type { Platform } from "./client-address.ts";
import { RequestExchange } from "./exchange.ts";
import { linkFinish } from "./finish.ts";
import { linkForward } from "./forward.ts";
import { linkRedirect, linkRespond } from "./local-answers.ts";
import { loopIdOf } from "./outgoing-headers.ts";
import { type Parts, partOf } from "./parts.ts";
import { linkRouter } from "./router.ts";
import { type LinkedUpstream, linkUpstream } from "./upstream.ts";

/** The code that a plan needs, by the names that it uses; the emitted entry imports exactly this. */
export interface Registry {
  readonly filters: Readonly<Record<string, FilterFactory<never>>>;
  readonly authenticators: Readonly<Record<string, AuthenticatorFactory<never>>>;
  readonly balancers: Readonly<Record<string, BalancerFactory<never>>>;
  readonly parts: Parts;
  /** Generated code that judges values by schemas, where the plan has any. */
  readonly validators?: Readonly<Record<string, Validator>>;
}

/** A gateway that runs. Never rejects. */
export type Gateway = (request: Request, defer: Defer) => Response | Promise<Response>;

/**
 * Joins a plan with its code and the world. Throws when something that it needs is missing: a secret, a filter. Chains are
 * folded when a route is first used, so that a thousand routes start as fast as one.
 */
export const link = (plan: Plan, registry: Registry, ports: Ports): Gateway => {
  const missing = plan.secrets.filter((name) => ports.secrets.get(name) === undefined);
  if (missing.length > 0) throw new Error(`These secrets are not set: ${missing.join(", ")}.`);
  const platform: Platform = { isCloudflare: false };
  const chains = linkChains(plan, registry, ports, platform);
  const route = linkRouter(plan.matcher);
  const handlers: (Handler | undefined)[] = new Array(plan.routes.length);
  const exchangeSite = { gateway: plan.gateway, ports, platform };
  /** What the router said of a request that no route takes; only those are kept, and only while they last. */
  const results = new WeakMap<RequestExchange, RouteResult>();
  const fallback = chains.fold(plan.fallback, (exchange) =>
    unrouted(exchange as RequestExchange, results.get(exchange as RequestExchange)),
  );
  const finish = linkFinish(ports);

  const handlerOf = (index: number): Handler => (handlers[index] ??= chains.route(index));
  const dispatch = (exchange: RequestExchange): Response | Promise<Response> => {
    if (exchange.fault !== undefined || REFUSED_METHODS.has(exchange.method)) return fallback(exchange);
    const result = route(exchange);
    if (result.outcome !== "found") {
      results.set(exchange, result);
      return fallback(exchange);
    }
    exchange.route = plan.routes[result.route]!;
    exchange.params = result.params;
    return handlerOf(result.route)(exchange);
  };
  return (request, defer) => {
    const exchange = new RequestExchange(request, defer, exchangeSite);
    try {
      const answer = dispatch(exchange);
      if (answer instanceof Response) return finish(exchange, answer);
      return answer.then(
        (response) => finish(exchange, response),
        (error: unknown) => finish(exchange, crashed(exchange, error, ports)),
      );
    } catch (error) {
      return finish(exchange, crashed(exchange, error, ports));
    }
  };
};

/** TRACE would show a client what the gateway adds; CONNECT would make it a tunnel (S27). */
const REFUSED_METHODS = new Set(["TRACE", "CONNECT", "TRACK"]);

/** Links each step once, however many routes use it, and folds steps to handlers. */
const linkChains = (plan: Plan, registry: Registry, ports: Ports, platform: Platform) => {
  const site = linkSite(plan, registry, ports);
  const filters: (Filter | null | undefined)[] = new Array(plan.steps.length);
  const filterOf = (index: number): Filter | null => {
    const known = filters[index];
    if (known !== undefined) return known;
    const { policy, step } = plan.steps[index]!;
    const factory = registry.filters[policy];
    if (factory === undefined) throw new Error(`the filter ${policy} is not in the bundle`);
    const made = factory(step as never, ports, site) ?? null;
    filters[index] = made;
    return made;
  };
  const endOf = linkEnds(plan, registry, ports, platform);
  const fold = (chain: readonly number[], last: Handler): Handler =>
    chain.reduceRight((next, index) => {
      const filter = filterOf(index);
      return filter === null ? next : filter(next);
    }, last);
  const route = (index: number): Handler => {
    const { chain, action } = plan.routes[index]!;
    return action.kind === "split" ? split(chain, action) : whole(chain, action, endOf(action));
  };
  const whole = (chain: readonly number[], action: ActionPlan, end: Handler): Handler =>
    "websocket" in action
      ? partOf(registry.parts, "websocket")(end, (last) => fold(chain, last))
      : fold(chain, end);
  /** Whoever asks for the lane first, a cache or the end of the chain, has it chosen. */
  const split = (chain: readonly number[], action: SplitPlan): Handler => {
    const { lanes, sticky: _, kind: __, ...forwarding } = action;
    const choose = partOf(registry.parts, "split")(action, ports);
    const ends = new Map(
      lanes.map(({ upstream, edits = [] }) => {
        const end = endOf({ ...forwarding, kind: "forward", upstream });
        const edited: Handler = (exchange) => {
          const { requestEdits } = exchange;
          const before = requestEdits.length;
          requestEdits.push(...edits);
          const answer = end(exchange);
          // They are applied by now; a cache, which asks again or looks at what was sent, must not meet them.
          requestEdits.length = before;
          return answer;
        };
        return [upstream, edits.length === 0 ? end : edited];
      }),
    );
    const handler = whole(chain, action, (exchange) => ends.get(exchange.lane!)!(exchange));
    const laneOf = (exchange: RequestExchange): string => lanes[choose(exchange)]!.upstream;
    return (exchange) => {
      (exchange as RequestExchange).chooseLane = laneOf;
      return handler(exchange);
    };
  };
  return { fold, route };
};

/** Links what stands at the end of chains; each upstream once, however many routes lead to it. */
const linkEnds = (plan: Plan, registry: Registry, ports: Ports, platform: Platform) => {
  const { parts } = registry;
  const balancers = registry.balancers as Readonly<Record<string, BalancerFactory>>;
  const upstreams = new Map<string, LinkedUpstream>();
  const upstreamOf = (name: string): LinkedUpstream => {
    const known = upstreams.get(name);
    if (known !== undefined) return known;
    const upstream = plan.upstreams[name]!;
    const made = isManaged(upstream)
      ? partOf(parts, "managed")(name, upstream, { ports, balancers, parts })
      : linkUpstream(name, upstream, { ports, balancers });
    upstreams.set(name, made);
    return made;
  };
  // A key that cannot be one keeps the gateway from starting, as one that is missing does.
  for (const [name, { credential }] of Object.entries(plan.upstreams))
    if (credential !== undefined) upstreamOf(name);
  const site = {
    loopId: loopIdOf(plan.gateway.name),
    clientIp: plan.gateway.clientIp,
    platform,
    random: ports.random.number,
    ports,
    paths: plan.gateway.paths,
  };
  const forward = (action: ForwardPlan): Handler => {
    const { mirrors } = action;
    const mirror = mirrors && partOf(parts, "mirror")(mirrors, upstreamOf, ports);
    return linkForward(action, upstreamOf(action.upstream), mirror, site);
  };
  return (action: Exclude<ActionPlan, SplitPlan>): Handler => {
    switch (action.kind) {
      case "forward":
        return forward(action);
      case "aggregate":
        return partOf(parts, "aggregate")(action, upstreamOf, site);
      case "respond":
        return linkRespond(action);
      case "redirect":
        return linkRedirect(action, plan.gateway.paths);
      case "asset":
        return partOf(parts, "assets")(action, ports);
    }
  };
};

const linkSite = (plan: Plan, registry: Registry, ports: Ports): Site => {
  const made = new Map<string, unknown>();
  const site: Site = {
    shared: <T>(name: string) => plan.shared[name] as T,
    once: <T>(name: string, make: () => T): T => {
      if (!made.has(name)) made.set(name, make());
      return made.get(name) as T;
    },
    authenticator: (policy: string, step: Json) => {
      const factory = registry.authenticators[policy];
      if (factory === undefined) throw new Error(`the authenticator ${policy} is not in the bundle`);
      return factory(step as never, ports, site);
    },
    validator: (name) => {
      const validator = registry.validators?.[name];
      if (validator === undefined) throw new Error(`the validator ${name} is not in the bundle`);
      return validator;
    },
    gatewayName: plan.gateway.name,
    development: plan.gateway.development,
  };
  return site;
};

/** 400, 404, 405 or 501 for what no route takes. */
const unrouted = (exchange: RequestExchange, result: RouteResult | undefined): Response => {
  if (exchange.fault === "bad-host") {
    return problem(exchange, {
      status: 400,
      code: "host-refused",
      title: "Bad request",
      detail: "The Host field is not one host and an optional port.",
    });
  }
  if (exchange.fault !== undefined) {
    return problem(exchange, {
      status: 400,
      code: "path-refused",
      title: "Bad request",
      detail: "The path has a form that parsers read differently.",
      extensions: { reason: exchange.fault },
    });
  }
  if (REFUSED_METHODS.has(exchange.method)) {
    return problem(exchange, {
      status: 501,
      code: "method-refused",
      title: "Not implemented",
      detail: "The gateway does not serve this method.",
    });
  }
  if (result?.outcome === "method") {
    return problem(exchange, {
      status: 405,
      code: "method-not-allowed",
      title: "Method not allowed",
      detail: "The path is known, but not with this method.",
      headers: { allow: result.allow.join(", ") },
    });
  }
  return problem(exchange, {
    status: 404,
    code: "no-route",
    title: "Not found",
    detail: "No route takes this request.",
  });
};

/** A throw is a bug of ours: the client learns nothing of it but the request id, the log has its words. */
const crashed = (exchange: RequestExchange, error: unknown, ports: Ports): Response => {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  ports.log.write({
    level: "error",
    message: `${name}: ${message}`,
    stack,
    requestId: exchange.requestId,
    route: exchange.route.id,
  });
  return problem(exchange, {
    status: 500,
    code: "internal-error",
    title: "Internal error",
    detail: "The gateway failed to handle this request.",
    proxyError: "proxy_internal_error",
  });
};
