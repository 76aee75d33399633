import type { Exchange } from "../core/exchange.ts";
import type { RedirectPlan, RespondPlan } from "../core/plan.ts";
import type { Handler } from "../core/policy.ts";
import { problem } from "../core/problem.ts";
import { fillTemplate, forPathSegment } from "../core/template.ts";
import { isNormalPath, type PathOptions } from "../lib/path.ts";

const BODILESS = new Set([204, 205, 304]);

/** Links a fixed answer. */
export const linkRespond = (plan: RespondPlan): Handler => {
  const init = { status: plan.status, headers: plan.headers };
  const body = BODILESS.has(plan.status) ? null : (plan.body ?? "");
  return (exchange) => new Response(exchange.method === "HEAD" ? null : body, init);
};

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };

/** Links a redirect. Host and scheme come from the plan or are the request's own; the path is checked like a rewritten one. */
export const linkRedirect =
  (plan: RedirectPlan, paths: PathOptions): Handler =>
  (exchange) => {
    const scheme = plan.scheme ?? exchange.scheme;
    const colon = exchange.authority.indexOf(":", exchange.authority.lastIndexOf("]") + 1);
    const own = colon < 0 ? undefined : exchange.authority.slice(colon + 1);
    // A port without a word about it is kept, unless the scheme changes and with it what a port means.
    const port =
      plan.port === undefined
        ? plan.scheme === undefined || plan.scheme === exchange.scheme
          ? own
          : undefined
        : String(plan.port);
    const authority =
      (plan.host ?? exchange.host) + (port === undefined || port === DEFAULT_PORTS[scheme] ? "" : `:${port}`);
    const path =
      plan.path !== undefined
        ? fillTemplate(plan.path, exchange, forPathSegment)
        : plan.strip === undefined
          ? exchange.path
          : (plan.prefix ?? "") + exchange.path.slice(plan.strip) || "/";
    if (!isNormalPath(path, paths)) {
      return problem(exchange, {
        status: 400,
        code: "path-refused",
        title: "Path refused",
        detail: "The path cannot be redirected as it is.",
      });
    }
    if (
      scheme === exchange.scheme &&
      authority === exchange.authority &&
      path === exchange.path &&
      namesPlace(plan) &&
      isFollowedAlike(plan.status, exchange.method)
    )
      return circular(exchange);
    return new Response(null, {
      status: plan.status,
      headers: { location: `${scheme}://${authority}${path}${exchange.query}` },
    });
  };

/** Without a place of its own, a redirect to where the request is already is what was asked for. */
const namesPlace = ({ scheme, host, port, path, strip }: RedirectPlan): boolean =>
  (scheme ?? host ?? port ?? path ?? strip) !== undefined;

/** After a 303 comes a GET (RFC 9110 section 15.4.4); with another method the request was for something else. */
const isFollowedAlike = (status: number, method: string): boolean =>
  status !== 303 || method === "GET" || method === "HEAD";

/** `scheme: https` for a request that came by https: better told once than sent around until the client gives up. */
const circular = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 508,
    code: "redirect-loop",
    title: "Loop detected",
    detail: "This request is where it would be redirected to.",
  });
