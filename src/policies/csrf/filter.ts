import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";

export type Step = {
  /** Origins beside the gateway's own, as browsers write them. */
  readonly origins: readonly string[];
  /** Whether only a request with cookies can be in somebody's name. */
  readonly cookiesOnly: boolean;
};

/**
 * Refuses what a page of another origin makes the browser of its visitor send: a request that changes something, or opens a
 * WebSocket (RFC 6455 section 10.2), with credentials that the browser adds by itself. Browsers tell by Sec-Fetch-Site (Fetch
 * Metadata, section 2.3), older ones by Origin (Fetch standard, section 3.1); no page can change either. A client that sends
 * neither is no browser, or one so old that nothing can be told of its requests.
 */
export const filter: FilterFactory<Step> = ({ origins, cookiesOnly }) => {
  const listed = new Set(origins);
  return (next) => (exchange) => {
    const { headers } = exchange.request;
    if (isSafe(exchange) || (cookiesOnly && !headers.has("cookie"))) return next(exchange);
    const origin = headers.get("origin");
    if (origin !== null && listed.has(origin)) return next(exchange);
    const site = headers.get("sec-fetch-site");
    const isOwn =
      site === null
        ? origin === null || isOwnOrigin(origin, exchange)
        : site === "same-origin" || site === "none";
    return isOwn ? next(exchange) : refusal(exchange);
  };
};

/** Methods that change nothing (RFC 9110 section 9.2.1); what a WebSocket will carry is not known when it is opened. */
const isSafe = ({ method, opensWebSocket }: Exchange): boolean =>
  (method === "GET" && !opensWebSocket) || method === "HEAD" || method === "OPTIONS";

/** Who ends TLS in front of the gateway may speak plain HTTP to it, so a page by https is its own there too; not the reverse. */
const isOwnOrigin = (origin: string, { scheme, authority }: Exchange): boolean =>
  origin === `https://${authority}` || (scheme === "http" && origin === `http://${authority}`);

const refusal = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 403,
    code: "csrf-refused",
    title: "Forbidden",
    detail: "Pages of other origins may not send this request in the name of their visitors.",
  });
