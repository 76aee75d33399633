import type { Exchange } from "../../core/exchange.ts";
import { readWithin, store } from "./capture.ts";
import type { StoredResponse } from "./entry.ts";
import { beginCall, type Candidate, discard, freshen, limitQuery, saysNothing } from "./forward.ts";
import { isFresh } from "./freshness.ts";
import type { LinkedCache, Visit } from "./linked.ts";
import { draftOf } from "./storability.ts";
import { askAbout, isCheckable, speaksOf } from "./validation.ts";

/** After this time a revalidation counts as lost: the platform ends what runs on for longer after the answer. */
const LOST_MS = 30_000;

/**
 * Revalidates an entry while the client already has its answer (RFC 5861 section 3). One at a time for each entry of this
 * isolate. A HEAD does not start one: its answer would bring no body.
 */
export const refresh = (cache: LinkedCache, visit: Visit, candidate: Candidate): void => {
  const { exchange, primary, nowMs } = visit;
  if (exchange.method !== "GET") return;
  const { underway } = cache;
  const flight = primary + candidate.entry.variant;
  const since = underway.get(flight);
  if (since !== undefined && nowMs - since < LOST_MS) return;
  if (underway.size >= MOST_UNDERWAY) dropLost(underway, nowMs);
  underway.set(flight, nowMs);
  const over = (): void => {
    if (underway.get(flight) === nowMs) underway.delete(flight);
  };
  exchange.defer.waitUntil(run(cache, visit, candidate).then(over, over));
};

/** Beyond it, what was lost is cleared away. */
const MOST_UNDERWAY = 1024;

const dropLost = (underway: Map<string, number>, nowMs: number): void => {
  for (const [flight, since] of underway) if (nowMs - since >= LOST_MS) underway.delete(flight);
};

const run = async (cache: LinkedCache, visit: Visit, { entry, tier }: Candidate): Promise<void> => {
  const own: Visit = { ...visit, exchange: asideOf(visit.exchange) };
  limitQuery(cache, own);
  if (tier === "isolate" && cache.tiers.hasEdge) {
    const { entry: newer } = await cache.tiers.findAtEdge(visit.primary, visit.exchange);
    if (newer !== undefined && isFresh(newer, cache.ports.clock.now())) return;
  }
  await revalidate(cache, own, entry);
};

const revalidate = async (cache: LinkedCache, visit: Visit, entry: StoredResponse): Promise<void> => {
  const { exchange, next, primary, shared } = visit;
  const checkable = isCheckable(entry);
  const undo = checkable ? askAbout(exchange, entry) : undefined;
  const call = beginCall(cache);
  const response = await next(exchange);
  undo?.();
  const { status, headers } = response;
  if (status === 304) {
    if (checkable && speaksOf(headers, entry)) freshen(cache, visit, entry, headers, call);
    else await cache.tiers.drop(primary, exchange);
    return;
  }
  const arrival = { status, headers, requestedMs: call.requestedMs, receivedMs: cache.ports.clock.now() };
  const draft = draftOf(exchange, arrival, shared, cache.step);
  // An error leaves the entry where it is: its window says for how long it may still be used.
  if (saysNothing(status) || typeof draft === "string") {
    discard(response);
    if (!saysNothing(status)) await cache.tiers.drop(primary, exchange);
    return;
  }
  const body = response.body === null ? null : await readWithin(response.body, cache.step.maxBody);
  if (body === undefined) await cache.tiers.drop(primary, exchange);
  else await store(cache, visit, { draft, mark: call.mark }, body);
};

/** What a client asked of its own copy, or for a part of it; the cache wants the whole. */
const CLIENTS_OWN = ["if-none-match", "if-modified-since", "if-range", "range"] as const;

/** Another exchange for a call of our own, so that neither the log nor the answer of this one learns of the call. */
const asideOf = (exchange: Exchange): Exchange => {
  const aside = exchange.fork();
  for (const name of CLIENTS_OWN) aside.requestEdits.push({ op: "remove", name });
  return aside;
};
