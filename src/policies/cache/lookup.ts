import type { Exchange } from "../../core/exchange.ts";
import type { Handler } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";
import { after } from "../../lib/after.ts";
import { answerFrom } from "./answer.ts";
import { type RequestDirectives, readRequestDirectives } from "./directives.ts";
import { type Candidate, forward } from "./forward.ts";
import { isFresh, mayBeStale, suitsClient } from "./freshness.ts";
import { ownerOf, primaryKey } from "./key.ts";
import { type LinkedCache, marked, record, type Visit } from "./linked.ts";
import { answers } from "./parts.ts";
import { keyedQuery } from "./query.ts";
import { refresh } from "./refresh.ts";
import { type Forwarded, forwardStatus, hitStatus } from "./status.ts";
import type { Found } from "./tiers.ts";

/** Answers a GET or HEAD: from the isolate's memory at once, else from the data centre, else from the upstream. */
export const lookUp = (
  cache: LinkedCache,
  exchange: Exchange,
  next: Handler,
): Response | Promise<Response> => {
  const { step, ports, tiers } = cache;
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
  const found = fitting(tiers.find(primary, exchange), visit);
  const candidate: Candidate | undefined = found.entry && { entry: found.entry, tier: "isolate" };
  const answer = candidate && use(cache, visit, candidate);
  if (answer !== undefined) return answer;
  return tiers.hasEdge ? lookAtEdge(cache, visit, found) : ask(cache, visit, found, candidate);
};

/** What a look-up brought, and why the request has to go on where that is a part that cannot answer it. */
type Fitting = Found & { readonly part?: Forwarded };

const fitting = (found: Found, { exchange, nowMs }: Visit): Fitting => {
  const { entry, others } = found;
  if (entry === undefined || answers(entry, exchange, nowMs)) return found;
  return { entry: undefined, others, part: isFresh(entry, nowMs) ? "partial" : "stale" };
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

const lookAtEdge = async (cache: LinkedCache, visit: Visit, near: Fitting): Promise<Response> => {
  const far = fitting(await cache.tiers.findAtEdge(visit.primary, visit.exchange), visit);
  const later = far.entry !== undefined && far.entry.receivedMs > (near.entry?.receivedMs ?? -1);
  const candidate: Candidate | undefined = later
    ? { entry: far.entry!, tier: "edge" }
    : near.entry && { entry: near.entry, tier: "isolate" };
  const answer = later ? use(cache, visit, candidate!) : undefined;
  return answer ?? ask(cache, visit, far.others || far.part !== undefined ? far : near, candidate);
};

/** The answer from an entry that may be used without asking first; undefined where it may not. */
const use = (cache: LinkedCache, visit: Visit, candidate: Candidate): Response | undefined => {
  const { entry, tier } = candidate;
  const { exchange, nowMs, wish } = visit;
  const fresh = isFresh(entry, nowMs);
  if (wish === undefined ? !fresh : !suitsClient(entry, nowMs, wish)) {
    if (!mayBeStale(entry, nowMs, entry.staleWhileRevalidateMs) || isPicky(wish)) return undefined;
    refresh(cache, visit, candidate);
  }
  record(cache, exchange, fresh ? "hit" : "stale", tier);
  return answerFrom(entry, exchange, nowMs, hitStatus(entry, nowMs, tier));
};

/** Whether a client asked for something newer than what may be used without its asking. */
const isPicky = (wish: RequestDirectives | undefined): boolean =>
  wish !== undefined && (wish.noCache || wish.maxAge !== undefined || wish.minFresh !== undefined);

const ask = (
  cache: LinkedCache,
  visit: Visit,
  found: Fitting,
  candidate: Candidate | undefined,
): Response | Promise<Response> => {
  const { exchange, nowMs, wish } = visit;
  if (wish?.onlyIfCached) {
    record(cache, exchange, "miss");
    return problem(exchange, {
      status: 504,
      code: "not-cached",
      title: "Gateway timeout",
      detail: "Nothing is stored that could answer this request, and it asked not to go further.",
    });
  }
  if (candidate === undefined)
    return forward(cache, visit, found.part ?? (found.others ? "vary-miss" : "miss"));
  return forward(cache, visit, isFresh(candidate.entry, nowMs) ? "request" : "stale", candidate);
};
