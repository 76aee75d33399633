import { after } from "../../lib/after.ts";
import { forwardedQuery } from "../../lib/http/query-members.ts";
import { answerFrom } from "./answer.ts";
import { capture } from "./capture.ts";
import type { StoredResponse } from "./entry.ts";
import { land, landEntry } from "./landing.ts";
import { lasting } from "./lasting.ts";
import { keepAlive, type LinkedCache, marked, record, type Visit } from "./linked.ts";
import { insteadOfError } from "./on-error.ts";
import { type Forwarded, forwardStatus, type TierName } from "./status.ts";
import { draftOf } from "./storability.ts";
import type { Mark } from "./tiers.ts";
import { askAbout, confirmedByHead, isCheckable, refreshedHeaders, speaksOf } from "./validation.ts";

/** A stored response that cannot be used as it is, and where it was found. */
export interface Candidate {
  readonly entry: StoredResponse;
  readonly tier: TierName;
}

/** One call of what comes after the cache: when it was made, and what was known of invalidations and purges. */
export interface Call {
  readonly requestedMs: number;
  readonly mark: Mark;
}

/** Asks the upstream, about the candidate where it can be checked, else for a new response. */
export const forward = (
  cache: LinkedCache,
  visit: Visit,
  why: Forwarded,
  candidate?: Candidate,
): Response | Promise<Response> => {
  limitQuery(cache, visit);
  if (candidate === undefined || !isCheckable(candidate.entry))
    return fetchAnew(cache, visit, why, candidate);
  return revalidate(cache, visit, why, candidate);
};

/** What does not count for the key must not count for the upstream either. */
export const limitQuery = (cache: LinkedCache, { exchange }: Visit): void => {
  const query = exchange.upstreamQuery ?? exchange.query;
  const limited = forwardedQuery(query, cache.queryNames);
  if (limited !== query) exchange.upstreamQuery = limited;
};

export const beginCall = (cache: LinkedCache): Call => ({
  requestedMs: cache.ports.clock.now(),
  mark: cache.tiers.mark(),
});

const fetchAnew = (
  cache: LinkedCache,
  visit: Visit,
  why: Forwarded,
  candidate?: Candidate,
): Response | Promise<Response> => {
  const call = beginCall(cache);
  return after(visit.next(visit.exchange), (response) =>
    received(cache, visit, why, response, call, candidate),
  );
};

const revalidate = async (
  cache: LinkedCache,
  visit: Visit,
  why: Forwarded,
  candidate: Candidate,
): Promise<Response> => {
  const { exchange, next, primary } = visit;
  const undo = askAbout(exchange, candidate.entry);
  const call = beginCall(cache);
  const response = await next(exchange);
  undo();
  if (response.status !== 304) return received(cache, visit, why, response, call, candidate);
  if (!speaksOf(response.headers, candidate.entry)) {
    await cache.tiers.drop(primary, exchange);
    return fetchAnew(cache, visit, why);
  }
  const { entry, stored } = freshen(cache, visit, candidate.entry, response.headers, call);
  record(cache, exchange, "revalidated", candidate.tier);
  const status = forwardStatus(why, { upstream: 304, stored, collapsed: visit.collapsed });
  return answerFrom(entry, exchange, cache.ports.clock.now(), status);
};

/**
 * Brings an entry up to date with what the origin said of it (RFC 9111 section 4.3.4). Where it may not be stored any more,
 * it answers this one request, which it was confirmed for, and goes.
 */
export const freshen = (
  cache: LinkedCache,
  visit: Visit,
  old: StoredResponse,
  newer: Headers,
  { requestedMs, mark }: Call,
): { entry: StoredResponse; stored: boolean } => {
  const { exchange, primary, shared } = visit;
  const headers = refreshedHeaders(old, newer);
  const arrival = { status: old.status, headers, requestedMs, receivedMs: cache.ports.clock.now() };
  const draft = draftOf(exchange, arrival, shared, cache.step);
  if (typeof draft === "string") {
    land(cache, visit, "alone");
    keepAlive(exchange, cache.tiers.drop(primary, exchange));
    return { entry: { ...old, headers, receivedMs: arrival.receivedMs, initialAgeMs: 0 }, stored: false };
  }
  const { body, variant, labels } = old;
  const entry = { ...lasting(cache, draft, requestedMs), body, variant, ...(labels && { labels }) };
  const stored = cache.tiers.put(primary, entry, exchange, mark);
  keepAlive(exchange, stored);
  landEntry(cache, visit, entry, 304, stored);
  return { entry, stored: true };
};

/** Decides about a response that is not a 304 to a question of ours. */
const received = (
  cache: LinkedCache,
  visit: Visit,
  why: Forwarded,
  response: Response,
  call: Call,
  candidate?: Candidate,
): Response | Promise<Response> => {
  const { exchange, primary } = visit;
  if (response.status === 101) return response;
  if (response.status >= 500 && candidate !== undefined) {
    const instead = insteadOfError(cache, visit, why, response, candidate);
    if (instead !== undefined) return instead;
  }
  if (exchange.method === "HEAD") {
    if (candidate !== undefined) heardOf(cache, visit, response, call, candidate.entry);
    record(cache, exchange, "miss");
    return marked(exchange, response, forwardStatus(why, { collapsed: visit.collapsed }));
  }
  const { status, headers } = response;
  const arrival = { status, headers, requestedMs: call.requestedMs, receivedMs: cache.ports.clock.now() };
  const draft = draftOf(exchange, arrival, visit.shared, cache.step);
  // A part that takes the place of a whole, or of another part, would lose more than it brings.
  const loses = typeof draft !== "string" && draft.part !== undefined && candidate !== undefined;
  if (typeof draft !== "string" && !loses) return capture(cache, visit, { response, draft, why, ...call });
  land(cache, visit, saysNothing(status) ? "failed" : "alone");
  if (candidate !== undefined && status !== 304 && !saysNothing(status)) {
    keepAlive(exchange, cache.tiers.drop(primary, exchange));
  }
  record(cache, exchange, "miss");
  const detail = typeof draft === "string" ? draft : "status";
  return marked(exchange, response, forwardStatus(why, { collapsed: visit.collapsed, detail }));
};

/** Whether a status is about the moment, and not about what the target holds: an entry stays where it is. */
export const saysNothing = (status: number): boolean =>
  status >= 500 || status === 408 || status === 425 || status === 429;

/** The answer to a HEAD confirms what a GET would bring, or shows that it is no more (RFC 9111 section 4.3.5). */
const heardOf = (
  cache: LinkedCache,
  visit: Visit,
  { status, headers }: Response,
  call: Call,
  entry: StoredResponse,
): void => {
  if (status !== 200) return;
  if (confirmedByHead(headers, entry)) freshen(cache, visit, entry, headers, call);
  else keepAlive(visit.exchange, cache.tiers.drop(visit.primary, visit.exchange));
};
