import type { BalancerFactory } from "../core/balancer.ts";
import type { Fetcher, Ports } from "../core/ports.ts";
import type { TargetPlan, UpstreamPlan } from "../core/upstream-plan.ts";
import type { RequestExchange } from "./exchange.ts";
import { noTarget, timedOut, unreachable } from "./failures.ts";

/** A target that can be called. What is known of its health belongs to this very object. */
export interface LinkedTarget {
  readonly name: string;
  readonly weight: number;
  readonly priority: number;
  readonly origin: string;
  readonly scheme: string;
  readonly basePath: string;
  /** Undefined where the binding that the plan names does not exist. */
  readonly fetcher: Fetcher | undefined;
}

/** A request for an upstream: everything but the target. */
export interface Outgoing {
  readonly method: string;
  /** Path and query, to stand behind the target's base path. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: RequestInit["body"];
  /** Ends the call before it is answered: only where its body is a stream that may never be whole, for it costs. */
  readonly signal?: AbortSignal | undefined;
  /** Stands in place of the target's own host. */
  readonly host: string | undefined;
  /** For all tries together. */
  readonly timeoutMs: number;
  /** Whether an upgrade was asked for, so that 101 is an answer. */
  readonly upgrade: boolean;
}

/** Sends a request to a target of an upstream, or to several in turn. Answers by itself where none does; never rejects. */
export type Send = (exchange: RequestExchange, outgoing: Outgoing) => Response | Promise<Response>;

/** A pool of targets. */
export interface LinkedUpstream {
  readonly name: string;
  readonly timeoutMs: number;
  readonly send: Send;
}

/** What every upstream of one gateway shares. */
export interface UpstreamSite {
  readonly ports: Ports;
  readonly balancers: Readonly<Record<string, BalancerFactory>>;
}

/** Opens a target's address. */
export const linkTarget = (upstream: string, target: TargetPlan, ports: Ports): LinkedTarget => ({
  name: target.name,
  weight: target.weight,
  priority: target.priority ?? 0,
  origin: target.origin,
  scheme: target.origin.slice(0, target.origin.indexOf(":")),
  basePath: target.basePath,
  fetcher: ports.fetch.open({ ...target, name: `${upstream}.${target.name}` }),
});

/** The factory of a balancer. Throws where the bundle lacks it. */
export const balancerOf = (plan: UpstreamPlan, { balancers }: UpstreamSite): BalancerFactory => {
  const factory = balancers[plan.balancer.name];
  if (factory === undefined) throw new Error(`the balancer ${plan.balancer.name} is not in the bundle`);
  return factory;
};

/** The address of a request at a target, cut together as text: `new URL` would let a path lead to another host (S37). */
export const urlAt = (target: LinkedTarget, outgoing: Outgoing): string =>
  (outgoing.host === undefined ? target.origin : `${target.scheme}://${outgoing.host}`) +
  target.basePath +
  outgoing.target;

/**
 * Links an upstream that is tried once: nothing is known of its targets' health. A call over its time is left to itself and
 * its late answer dropped: with the answer to the client the request's context ends, and the platform cancels what it still
 * waits for, the call and the timer alike. So no timer is cleared, and no abort signal made: each costs as much as the timer itself.
 */
export const linkUpstream = (name: string, plan: UpstreamPlan, site: UpstreamSite): LinkedUpstream => {
  const { clock, metrics } = site.ports;
  const targets = plan.targets.map((target) => linkTarget(name, target, site.ports));
  const balancer = balancerOf(plan, site)(plan.targets, plan.balancer, site.ports);
  const send: Send = (exchange, outgoing) => {
    const index = targets.length === 1 ? 0 : balancer.pick(exchange);
    const target = targets[index];
    if (target?.fetcher === undefined) return noTarget(exchange);
    const { fetcher } = target;
    exchange.target = target.name;
    const lease = balancer.begin?.(index, outgoing.timeoutMs);
    const begunMs = clock.now();
    return new Promise((resolve) => {
      let open = true;
      const settle = (response: Response, failed: boolean): void => {
        open = false;
        const elapsedMs = clock.now() - begunMs;
        exchange.upstreamMs += elapsedMs;
        metrics?.observe("postern_upstream_duration_seconds", [name, target.name], elapsedMs / 1000);
        balancer.end?.(index, lease!, elapsedMs, failed ? "failed" : "answered");
        resolve(response);
      };
      setTimeout(() => {
        if (open) settle(timedOut(exchange), true);
      }, outgoing.timeoutMs);
      fetcher.fetch(urlAt(target, outgoing), initOf(outgoing, outgoing.body)).then(
        (response) => {
          if (open && isAnswer(response, outgoing)) {
            exchange.upstreamResponse = response;
            return settle(response, response.status >= 500);
          }
          void response.body?.cancel();
          if (open) settle(unreachable(exchange), true);
        },
        () => {
          if (open) settle(unreachable(exchange), true);
        },
      );
    });
  };
  return { name, timeoutMs: plan.timeoutMs, send };
};

/** A redirect is the client's to follow (S28). */
export const initOf = ({ method, headers, signal }: Outgoing, body: RequestInit["body"]): RequestInit =>
  signal === undefined
    ? { method, headers, body, redirect: "manual" }
    : { method, headers, body, redirect: "manual", signal };

/** An upgrade that nobody asked for, and a number that is no status (RFC 9110 section 15), are no answers. */
export const isAnswer = ({ status }: Response, { upgrade }: Outgoing): boolean =>
  (status >= 200 && status <= 599) || (status === 101 && upgrade);
