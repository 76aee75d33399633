import type { Outcome } from "./flights.ts";
import { isFresh, mayBeStale } from "./freshness.ts";
import { variantOf } from "./key.ts";
import { keepAlive, type LinkedCache, type Visit } from "./linked.ts";
import type { Unplaced } from "./tiers.ts";

/**
 * Ends the flight of a visit, where it has one: wakes those who wait, and gives the lease back when `stored`, the work of
 * storing, is done. What is called later for the same flight does nothing.
 */
export const land = (cache: LinkedCache, visit: Visit, outcome: Outcome, stored?: Promise<unknown>): void => {
  const { flight, primary, exchange } = visit;
  if (flight === undefined || flight.isOver) return;
  const { flights, leases, ports } = cache;
  flights.land(flight, ports.clock.now(), outcome);
  const { lease } = flight;
  if (lease === undefined) return;
  const done = outcome === "alone" ? leases.markUncacheable(primary) : stored;
  const release = (): Promise<void> | undefined => leases.release(flight.key, lease);
  keepAlive(exchange, done === undefined ? release() : done.then(release, release));
};

/**
 * Ends the flight of a visit with an entry. Where that must not be used without asking first, it answers nobody else (RFC 9111
 * section 4): then the others, and those who come soon after, had better not wait.
 */
export const landEntry = (
  cache: LinkedCache,
  visit: Visit,
  unplaced: Unplaced,
  upstream: number,
  stored: Promise<unknown> | undefined,
): void => {
  const { flight, exchange } = visit;
  if (flight === undefined || flight.isOver) return;
  const nowMs = cache.ports.clock.now();
  const entry = { ...unplaced, variant: variantOf(exchange, cache.step, unplaced.names) };
  const serves = isFresh(entry, nowMs) || mayBeStale(entry, nowMs, entry.staleWhileRevalidateMs);
  land(cache, visit, serves ? { entry, upstream, tier: undefined } : "alone", stored);
};
