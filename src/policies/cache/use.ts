import { answerFrom } from "./answer.ts";
import type { RequestDirectives } from "./directives.ts";
import type { StoredResponse } from "./entry.ts";
import type { Candidate } from "./forward.ts";
import type { Found } from "./found.ts";
import { isFresh, mayBeStale, suitsClient } from "./freshness.ts";
import { type LinkedCache, record, type Visit } from "./linked.ts";
import { answers } from "./parts.ts";
import { refresh } from "./refresh.ts";
import { isNearEnd, refreshByChance } from "./refresh-ahead.ts";
import { type Forwarded, hitStatus } from "./status.ts";

/** What a look-up brought, and why the request has to go on where that is a part that cannot answer it. */
export type Fitting = Found & { readonly part?: Forwarded };

export const fitting = (found: Found, { exchange, nowMs }: Visit): Fitting => {
  const { entry, others } = found;
  if (entry === undefined || answers(entry, exchange, nowMs)) return found;
  return { entry: undefined, others, part: isFresh(entry, nowMs) ? "partial" : "stale" };
};

/** The answer from an entry that may be used without asking first; undefined where it may not. */
export const use = (cache: LinkedCache, visit: Visit, candidate: Candidate): Response | undefined => {
  const { entry, tier } = candidate;
  const { exchange, nowMs, wish } = visit;
  const fresh = isFresh(entry, nowMs);
  if (wish === undefined ? !fresh : !suitsClient(entry, nowMs, wish)) {
    if (!mayBeStale(entry, nowMs, entry.staleWhileRevalidateMs) || isPicky(wish)) return undefined;
    refresh(cache, visit, candidate);
  } else if (fresh && isNearEnd(entry, nowMs)) refreshByChance(cache, visit, candidate);
  record(cache, exchange, fresh ? "hit" : "stale", tier);
  return answerFrom(entry, exchange, nowMs, hitStatus(entry, nowMs, tier));
};

/** Whether an entry may be used for a request without asking first. */
export const isUsable = (entry: StoredResponse, { nowMs, wish }: Visit): boolean =>
  (wish === undefined ? isFresh(entry, nowMs) : suitsClient(entry, nowMs, wish)) ||
  (!isPicky(wish) && mayBeStale(entry, nowMs, entry.staleWhileRevalidateMs));

/** Whether a client asked for something newer than what may be used without its asking. */
export const isPicky = (wish: RequestDirectives | undefined): boolean =>
  wish !== undefined && (wish.noCache || wish.maxAge !== undefined || wish.minFresh !== undefined);
