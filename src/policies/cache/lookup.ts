import type { Exchange } from "../../core/exchange.ts";
import type { Handler } from "../../core/policy.ts";
import { after } from "../../lib/after.ts";
import { keyedQuery } from "../../lib/http/query-members.ts";
import { ask } from "./ask.ts";
import { coalesce } from "./coalesce.ts";
import { readRequestDirectives } from "./directives.ts";
import type { Candidate } from "./forward.ts";
import { ownerOf, primaryKey } from "./key.ts";
import { land } from "./landing.ts";
import { type LinkedCache, marked, patienceOf, record, type Visit } from "./linked.ts";
import { knownPurges } from "./purged.ts";
import { type Forwarded, forwardStatus } from "./status.ts";
import { type Fitting, fitting, isUsable, use } from "./use.ts";

/** Answers a GET or HEAD: from the isolate's memory at once, else from the tiers outside of it, else from the upstream. */
export const lookUp = (
  cache: LinkedCache,
  exchange: Exchange,
  next: Handler,
): Response | Promise<Response> => {
  const { step, ports } = cache;
  const { request } = exchange;
  // A body on a GET may change what the upstream answers, and is no part of the key.
  if (request.body !== null) return goAround(cache, exchange, next, "bypass");
  const { headers } = request;
  // Not for a cache to judge (RFC 9111 section 4.3.2).
  if (headers.has("if-match") || headers.has("if-unmodified-since")) {
    return goAround(cache, exchange, next, "request");
  }
  const wish = step.clientDirectives ? readRequestDirectives(headers) : undefined;
  if (wish?.noStore) return goAround(cache, exchange, next, "request");
  const owner = step.perCaller ? ownerOf(exchange.identity) : "";
  const query = keyedQuery(exchange.upstreamQuery ?? exchange.query, cache.queryNames);
  const primary = primaryKey(exchange, exchange.path, query, owner, step.behindProxy);
  const visit: Visit = { exchange, next, primary, shared: owner === "", nowMs: ports.clock.now(), wish };
  const learning = knownPurges(cache, exchange);
  return learning === undefined ? lookNear(cache, visit) : learning.then(() => lookNear(cache, visit));
};

const lookNear = (cache: LinkedCache, visit: Visit): Response | Promise<Response> => {
  const { tiers } = cache;
  const found = fitting(tiers.find(visit.primary, visit.exchange), visit);
  const candidate: Candidate | undefined = found.entry && { entry: found.entry, tier: "isolate" };
  const answer = candidate && use(cache, visit, candidate);
  if (answer !== undefined) return answer;
  return coalesce(cache, visit, found, candidate, (own) =>
    tiers.hasFarther ? lookFarther(cache, own, found) : ask(cache, own, found, candidate),
  );
};

const goAround = (
  cache: LinkedCache,
  exchange: Exchange,
  next: Handler,
  why: Forwarded,
): Response | Promise<Response> => {
  record(cache, exchange, "bypass");
  return after(next(exchange), (response) =>
    response.status === 101 ? response : marked(exchange, response, forwardStatus(why)),
  );
};

const lookFarther = async (cache: LinkedCache, visit: Visit, near: Fitting): Promise<Response> => {
  const { primary, exchange } = visit;
  const far = fitting(await cache.tiers.findFarther(primary, exchange, patienceOf(visit)), visit);
  const later = far.entry !== undefined && far.entry.receivedMs > (near.entry?.receivedMs ?? -1);
  const candidate: Candidate | undefined = later
    ? { entry: far.entry!, tier: far.tier! }
    : near.entry && { entry: near.entry, tier: "isolate" };
  if (later && isUsable(candidate!.entry, visit)) {
    // Over before it is used: its refresh is a flight of its own, for the same key.
    land(cache, visit, { ...candidate!, upstream: undefined });
    return use(cache, visit, candidate!)!;
  }
  return ask(cache, visit, far.others || far.part !== undefined || far.uncacheable ? far : near, candidate);
};
