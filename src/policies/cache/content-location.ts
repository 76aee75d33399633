import type { Exchange } from "../../core/exchange.ts";
import { keyedQuery } from "../../lib/http/query-members.ts";
import { capture } from "./capture.ts";
import { type RequestDirectives, readDirectives, readRequestDirectives } from "./directives.ts";
import { freshnessOf } from "./freshness.ts";
import { ownerOf, primaryKey } from "./key.ts";
import type { LinkedCache, Visit } from "./linked.ts";
import { draftOf } from "./storability.ts";

/** What a request asked of a copy or a part: an answer to it says nothing about the whole. */
const CONDITIONS = [
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "range",
];

/**
 * Stores the answer to a POST for the GETs that follow, where the origin says that it is the representation of the very
 * target, and for how long (RFC 9110 section 9.3.3).
 */
export const keepPosted = (
  cache: LinkedCache,
  visit: Pick<Visit, "exchange" | "next">,
  response: Response,
  { requestedMs, asOf }: { readonly requestedMs: number; readonly asOf: number },
): Response | Promise<Response> => {
  const { step, ports, tiers } = cache;
  const { exchange } = visit;
  const query = exchange.upstreamQuery ?? exchange.query;
  const keyed = keyedQuery(query, cache.queryNames);
  // The upstream saw parameters that are no part of the key.
  if (keyed !== keyedQuery(query, undefined) || asksOtherwise(exchange, step.clientDirectives))
    return response;
  const { status, headers } = response;
  const nowMs = ports.clock.now();
  const arrival = { status, headers, requestedMs, receivedMs: nowMs };
  const owner = step.perCaller ? ownerOf(exchange.identity) : "";
  const shared = owner === "";
  if (freshnessOf(arrival, readDirectives(headers, shared), step).source !== "origin") return response;
  const draft = draftOf(exchange, arrival, shared, step);
  if (typeof draft === "string") return response;
  const primary = primaryKey(exchange, exchange.path, keyed, owner, step.behindProxy);
  const own: Visit = { ...visit, primary, shared, nowMs, wish: undefined };
  return capture(cache, own, { response, draft, why: "method", mark: { ...tiers.mark(), asOf } });
};

const asksOtherwise = ({ request: { headers } }: Exchange, heeded: boolean): boolean => {
  const wish: RequestDirectives | undefined = heeded ? readRequestDirectives(headers) : undefined;
  return wish?.noStore === true || CONDITIONS.some((name) => headers.has(name));
};
