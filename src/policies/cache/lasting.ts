import type { LinkedCache } from "./linked.ts";
import type { Draft } from "./storability.ts";

/**
 * A draft as it is stored: with the time that its upstream took, which says how early it is worth refreshing, and its freshness
 * shortened by chance, up to the policy's share, so that what was stored together does not end together.
 */
export const lasting = (
  { step: { jitter }, ports }: LinkedCache,
  draft: Draft,
  requestedMs: number | undefined,
): Draft => {
  const leftMs = draft.lifetimeMs - draft.initialAgeMs;
  const early = jitter > 0 && leftMs > 0 ? leftMs * jitter * ports.random.number() : 0;
  const fetchMs = requestedMs === undefined ? 0 : ports.clock.now() - requestedMs;
  return { ...draft, lifetimeMs: draft.lifetimeMs - early, ...(fetchMs > 0 && { fetchMs }) };
};
