import type { StoredResponse } from "./entry.ts";
import type { Candidate } from "./forward.ts";
import { ageMs } from "./freshness.ts";
import type { LinkedCache, Visit } from "./linked.ts";
import { refresh } from "./refresh.ts";

/** So many times as long as it took to fetch it, an entry is near its end: before that, chance would hardly ever choose it. */
const NEAR = 10;

/** Whether a fresh entry is so near its end that it may be refreshed ahead. False where it is not known how long that takes. */
export const isNearEnd = (entry: StoredResponse, nowMs: number): boolean =>
  entry.lifetimeMs - ageMs(entry, nowMs) <= NEAR * (entry.fetchMs ?? 0);

/**
 * Refreshes an entry before it ends, by chance: the more likely the nearer the end is and the longer the upstream takes. The more
 * often an entry is asked for, the surer one of those requests is early enough, and nobody waits for the next one (XFetch:
 * Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015, with beta 1).
 */
export const refreshByChance = (cache: LinkedCache, visit: Visit, candidate: Candidate): void => {
  const { entry } = candidate;
  if (entry.part !== undefined) return;
  const leftMs = entry.lifetimeMs - ageMs(entry, visit.nowMs);
  const earlyMs = (entry.fetchMs ?? 0) * -Math.log(cache.ports.random.number());
  if (earlyMs >= leftMs) refresh(cache, visit, candidate);
};
