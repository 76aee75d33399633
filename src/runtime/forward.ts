import type { ForwardPlan, RewritePlan } from "../core/plan.ts";
import type { Handler } from "../core/policy.ts";
import { fillTemplate, forPathSegment } from "../core/template.ts";
import { isNormalPath, type PathOptions } from "../lib/path.ts";
import type { RequestExchange } from "./exchange.ts";
import { badRewrite, notPassedOn } from "./failures.ts";
import { type OutgoingSite, outgoingHeaders } from "./outgoing-headers.ts";
import type { Mirror } from "./parts.ts";
import type { LinkedUpstream } from "./upstream.ts";

/** What every forwarder of one gateway shares. */
export interface ForwardSite extends OutgoingSite {
  readonly paths: PathOptions;
}

/** Links the end of a route's chain: what goes to its upstream, and copies of it to others. */
export const linkForward = (
  plan: ForwardPlan,
  upstream: LinkedUpstream,
  mirror: Mirror | undefined,
  site: ForwardSite,
): Handler => {
  const pathFor = plan.rewrite === undefined ? samePath : rewriter(plan.rewrite, site.paths);
  const host = plan.rewrite?.host;
  const timeoutMs = plan.timeoutMs ?? upstream.timeoutMs;
  const { send } = upstream;
  return (it) => {
    const exchange = it as RequestExchange;
    const body = bodyOf(exchange);
    const headers = outgoingHeaders(exchange, site, body !== null);
    if (headers === undefined) return notPassedOn(exchange);
    const path = pathFor(exchange);
    if (path === undefined) return badRewrite(exchange);
    const upgrade = exchange.opensWebSocket;
    if (upgrade) headers.set("upgrade", "websocket");
    const target = path + queryOf(exchange);
    const { method, requestSignal: signal } = exchange;
    const outgoing = { method, target, headers, body, signal, host, timeoutMs, upgrade };
    const answer = send(exchange, outgoing);
    // After it, so that nobody waits for the making of a copy.
    mirror?.(exchange, outgoing);
    return answer;
  };
};

const bodyOf = ({ method, request, requestBody }: RequestExchange): RequestInit["body"] =>
  method === "GET" || method === "HEAD" ? null : requestBody === undefined ? request.body : requestBody;

/** The client's query, as far as policies let it pass, and behind it what they add. */
const queryOf = ({ query, upstreamQuery = query, addedQuery }: RequestExchange): string =>
  addedQuery === undefined
    ? upstreamQuery
    : (upstreamQuery.length < 2 ? "?" : upstreamQuery + "&") + addedQuery;

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
