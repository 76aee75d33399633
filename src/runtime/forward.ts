import type { ForwardPlan, RewritePlan } from "../core/plan.ts";
import type { Handler } from "../core/policy.ts";
import type { Ports } from "../core/ports.ts";
import { problem } from "../core/problem.ts";
import { fillTemplate, forPathSegment } from "../core/template.ts";
import { isNormalPath, type PathOptions } from "../lib/path.ts";
import type { RequestExchange } from "./exchange.ts";
import { type OutgoingSite, outgoingHeaders } from "./outgoing-headers.ts";
import type { LinkedUpstream } from "./upstream.ts";

/** What every forwarder of one gateway shares. */
export interface ForwardSite extends OutgoingSite {
  readonly ports: Ports;
  readonly paths: PathOptions;
}

/** Links the end of a route's chain: the call of its upstream. */
export const linkForward = (plan: ForwardPlan, upstream: LinkedUpstream, site: ForwardSite): Handler => {
  const { targets, balancer } = upstream;
  const pathFor = plan.rewrite === undefined ? samePath : rewriter(plan.rewrite, site.paths);
  const host = plan.rewrite?.host;
  const call = linkCall(upstream, plan.timeoutMs ?? upstream.timeoutMs, site.ports);
  return (it) => {
    const exchange = it as RequestExchange;
    const body = bodyOf(exchange);
    const headers = outgoingHeaders(exchange, site, body !== null);
    if (headers === undefined) return loopDetected(exchange);
    const path = pathFor(exchange);
    if (path === undefined) return badRewrite(exchange);
    const index = targets.length === 1 ? 0 : balancer.pick(exchange);
    const target = targets[index];
    if (target?.fetcher === undefined) return noTarget(exchange);
    exchange.target = target.name;
    const origin = host === undefined ? target.origin : `${target.scheme}://${host}`;
    const url = origin + target.basePath + path + (exchange.upstreamQuery ?? exchange.query);
    balancer.begin?.(index);
    return call(exchange, index, url, { method: exchange.method, headers, body, redirect: "manual" });
  };
};

const bodyOf = ({ method, request, requestBody }: RequestExchange): RequestInit["body"] =>
  method === "GET" || method === "HEAD" ? null : requestBody === undefined ? request.body : requestBody;

type Call = (exchange: RequestExchange, index: number, url: string, init: RequestInit) => Promise<Response>;

/**
 * Links the call of a pool's targets. One over its time is left to itself and its late answer dropped: with the answer to
 * the client the request's context ends, and the platform cancels what it still waits for, the call and the timer alike.
 * So no timer is cleared, and no abort signal made: each costs as much as the timer itself.
 */
const linkCall = ({ name, targets, balancer }: LinkedUpstream, timeoutMs: number, ports: Ports): Call => {
  const { clock, metrics } = ports;
  return (exchange, index, url, init) => {
    const target = targets[index]!;
    const begunMs = clock.now();
    return new Promise((resolve) => {
      let open = true;
      const settle = (response: Response, failed: boolean): void => {
        open = false;
        const elapsedMs = clock.now() - begunMs;
        exchange.upstreamMs += elapsedMs;
        metrics?.observe("postern_upstream_duration_seconds", [name, target.name], elapsedMs / 1000);
        balancer.end?.(index, elapsedMs, failed);
        resolve(response);
      };
      setTimeout(() => {
        if (open) settle(timedOut(exchange), true);
      }, timeoutMs);
      target.fetcher!.fetch(url, init).then(
        (response) => {
          const { status } = response;
          if (open && isFinal(status)) {
            exchange.upstreamResponse = response;
            return settle(response, status >= 500);
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
};

/** An upgrade that nobody asked for, and a number that is no status (RFC 9110 section 15), are no answers. */
const isFinal = (status: number): boolean => status >= 200 && status <= 599;

const samePath = (exchange: RequestExchange): string => exchange.path;

/** After a rewrite the path is checked again: no rewrite may make a path that the router would have read otherwise. */
const rewriter = (
  plan: RewritePlan,
  options: PathOptions,
): ((exchange: RequestExchange) => string | undefined) => {
  const { path: template, strip, prefix } = plan;
  if (template === undefined && strip === undefined) return samePath;
  return (exchange) => {
    const path =
      template === undefined
        ? (prefix ?? "") + exchange.path.slice(strip ?? 0) || "/"
        : fillTemplate(template, exchange, forPathSegment);
    return isNormalPath(path, options) ? path : undefined;
  };
};

const loopDetected = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 508,
    code: "loop-detected",
    title: "Loop detected",
    detail: "This request has been through this gateway before.",
    proxyError: "proxy_loop_detected",
  });

const badRewrite = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 400,
    code: "path-refused",
    title: "Path refused",
    detail: "The path cannot be passed on as it is.",
  });

const noTarget = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 503,
    code: "no-target",
    title: "Service unavailable",
    detail: "No target of the service can be called.",
    headers: { "retry-after": "10" },
    proxyError: "destination_unavailable",
  });

const timedOut = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 504,
    code: "upstream-timeout",
    title: "Gateway timeout",
    detail: "The service did not answer in time.",
    proxyError: "http_response_timeout",
  });

const unreachable = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 502,
    code: "upstream-failed",
    title: "Bad gateway",
    detail: "The service could not be reached, or its answer could not be read.",
    proxyError: "destination_unavailable",
  });
