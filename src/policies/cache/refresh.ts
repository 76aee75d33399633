import type { Exchange } from "../../core/exchange.ts";
import { store } from "./capture.ts";
import type { StoredResponse } from "./entry.ts";
import { beginCall, type Candidate, freshen, limitQuery, saysNothing } from "./forward.ts";
import { isFresh } from "./freshness.ts";
import { land } from "./landing.ts";
import type { LinkedCache, Visit } from "./linked.ts";
import { discard } from "./on-error.ts";
import { readInTime } from "./read-in-time.ts";
import { draftOf } from "./storability.ts";
import { askAbout, isCheckable, speaksOf } from "./validation.ts";

/**
 * Revalidates an entry while the client already has its answer (RFC 5861 section 3). One at a time for each entry of this
 * isolate, and of all isolates that share leases. A HEAD does not start one: its answer would bring no body.
 */
export const refresh = (cache: LinkedCache, visit: Visit, candidate: Candidate): void => {
  const { exchange, primary, nowMs } = visit;
  if (exchange.method !== "GET") return;
  const { flights, tiers } = cache;
  const key = primary + candidate.entry.variant;
  const before = flights.find(key, nowMs);
  if (before !== undefined && !tiers.isOutdated(primary, exchange, before.mark)) return;
  const flight = flights.begin(key, nowMs, tiers.mark(), () => undefined);
  const own: Visit = { ...visit, exchange: asideOf(exchange), flight };
  const over = (): void => land(cache, own, "failed");
  exchange.defer.waitUntil(run(cache, own, candidate).then(over, over));
};

const run = async (cache: LinkedCache, visit: Visit, { entry, tier }: Candidate): Promise<void> => {
  const { leases, ports, tiers } = cache;
  const flight = visit.flight!;
  limitQuery(cache, visit);
  if (tier === "isolate" && tiers.hasFarther) {
    const { entry: newer, tier: where } = await tiers.findFarther(visit.primary, visit.exchange);
    if (newer !== undefined && newer.receivedMs > entry.receivedMs && isFresh(newer, ports.clock.now())) {
      land(cache, visit, { entry: newer, tier: where, upstream: undefined });
      return;
    }
  }
  if (leases.areShared) flight.lease = await leases.claim(flight.key);
  if (leases.areShared && flight.lease === undefined) land(cache, visit, "nothing");
  else await revalidate(cache, visit, entry);
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
  if (saysNothing(status)) return discard(response);
  if (typeof draft === "string") {
    discard(response);
    land(cache, visit, "alone");
    await cache.tiers.drop(primary, exchange);
    return;
  }
  const body = response.body === null ? null : await readInTime(response.body, cache.step.maxBody);
  if (typeof body === "string") await cache.tiers.drop(primary, exchange);
  else await store(cache, visit, { draft, ...call }, body === null ? null : body.buffer);
};

/** What a client asked of its own copy, or for a part of it; the cache wants the whole. */
const CLIENTS_OWN = ["if-none-match", "if-modified-since", "if-range", "range"] as const;

/** Another exchange for a call of our own, so that neither the log nor the answer of this one learns of the call. */
const asideOf = (exchange: Exchange): Exchange => {
  const aside = exchange.fork();
  for (const name of CLIENTS_OWN) aside.requestEdits.push({ op: "remove", name });
  return aside;
};
