import type { FilterFactory } from "../../core/policy.ts";
import { passUnsafe } from "./invalidation.ts";
import { linkCache, type Step } from "./linked.ts";
import { lookUp } from "./lookup.ts";

export type { Step } from "./linked.ts";

/** Methods that change nothing, and whose answers are not stored; an unknown method may change something. */
const SAFE = new Set(["OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"]);

/** HTTP caching (RFC 9111) in the isolate's memory, the data centre's cache and Redis. */
export const filter: FilterFactory<Step> = (step, ports, site) => {
  const cache = linkCache(step, ports, site);
  return (next) => (exchange) => {
    const { method } = exchange;
    // What opens a WebSocket is no request for a representation.
    if (exchange.opensWebSocket) return next(exchange);
    if (method === "GET" || method === "HEAD")
      return step.forgetOnly ? next(exchange) : lookUp(cache, exchange, next);
    return SAFE.has(method) ? next(exchange) : passUnsafe(cache, exchange, next);
  };
};
