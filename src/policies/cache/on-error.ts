import { problem } from "../../core/problem.ts";
import { answerFrom } from "./answer.ts";
import type { StoredResponse } from "./entry.ts";
import type { Candidate } from "./forward.ts";
import { ageMs, isFresh, mayBeStale } from "./freshness.ts";
import { land } from "./landing.ts";
import { type LinkedCache, marked, record, type Visit } from "./linked.ts";
import { type Forwarded, forwardStatus } from "./status.ts";

/** The errors that RFC 5861 section 4 speaks of. */
const ON_ERROR = new Set([500, 502, 503, 504]);

/**
 * Whether an entry may stand in for an upstream that failed, by the origin's word, the policy's or the client's (RFC 5861
 * section 4). One error is no better than another.
 */
export const mayReplaceError = (entry: StoredResponse, visit: Visit, nowMs: number): boolean => {
  const asked = (visit.wish?.staleIfError ?? 0) * 1000;
  return !ON_ERROR.has(entry.status) && mayBeStale(entry, nowMs, Math.max(entry.staleIfErrorMs, asked));
};

/** What is answered in place of an error of the origin, or of the way there, where something is stored. */
export const insteadOfError = (
  cache: LinkedCache,
  visit: Visit,
  why: Forwarded,
  response: Response,
  { entry, tier }: Candidate,
): Response | undefined => {
  const { exchange } = visit;
  const nowMs = cache.ports.clock.now();
  if (!ON_ERROR.has(response.status)) return undefined;
  if (!mayReplaceError(entry, visit, nowMs))
    return isFresh(entry, nowMs) ? undefined : cutOff(cache, visit, why, response);
  land(cache, visit, "failed");
  discard(response);
  exchange.problemCode = undefined;
  record(cache, exchange, "stale", tier);
  const left = Math.floor((entry.lifetimeMs - ageMs(entry, nowMs)) / 1000);
  const forwarded = forwardStatus(why, { upstream: response.status, collapsed: visit.collapsed });
  return answerFrom(entry, exchange, nowMs, `${forwarded}; ttl=${left}; detail=${tier}`);
};

/**
 * What is stored must not be used any more, and its origin could not be reached: 504, whatever the gateway's own words for that
 * were (RFC 9111 section 5.2.2.2). What the origin itself says is passed on. Proxy-Status still tells what was wrong with the
 * way there.
 */
const cutOff = (
  cache: LinkedCache,
  visit: Visit,
  why: Forwarded,
  response: Response,
): Response | undefined => {
  const { exchange } = visit;
  if (exchange.problemCode === undefined || response.status === 504) return undefined;
  const proxyError = /error=([a-z_]+)/.exec(response.headers.get("proxy-status") ?? "")?.[1];
  if (proxyError === undefined) return undefined;
  land(cache, visit, "failed");
  discard(response);
  record(cache, exchange, "miss");
  const retryAfter = response.headers.get("retry-after");
  const answer = problem(exchange, {
    status: 504,
    code: "not-revalidated",
    title: "Gateway timeout",
    detail: "What is stored is too old to be used, and the service could not be asked about it.",
    ...(retryAfter !== null && { headers: { "retry-after": retryAfter } }),
    proxyError,
  });
  return marked(exchange, answer, forwardStatus(why, { collapsed: visit.collapsed }));
};

/** Tells the platform that a body will not be read: one that is left alone holds its connection. */
export const discard = (response: Response): void => {
  void response.body?.cancel().catch(() => undefined);
};
