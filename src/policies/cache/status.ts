import type { StoredResponse } from "./entry.ts";
import { ageMs } from "./freshness.ts";

/** The tiers by their names in Cache-Status and metrics. */
export type TierName = "isolate" | "edge" | "redis";

/** Why a request went on to the upstream (RFC 9211 section 2.2). */
export type Forwarded = "bypass" | "method" | "request" | "partial" | "miss" | "vary-miss" | "stale";

/** Cache-Status of an answer from an entry; the time to live is negative where it is stale (RFC 9211 section 2.4). */
export const hitStatus = (entry: StoredResponse, nowMs: number, tier: TierName): string =>
  `postern; hit; ttl=${Math.floor((entry.lifetimeMs - ageMs(entry, nowMs)) / 1000)}; detail=${tier}`;

export interface ForwardDetail {
  /** The upstream's status, where it differs from that of the answer (RFC 9211 section 2.3). */
  readonly upstream?: number;
  readonly stored?: boolean;
  /** Whether another request's answer served; false where it was waited for in vain (RFC 9211 section 2.6). */
  readonly collapsed?: boolean | undefined;
  readonly detail?: string;
}

/** Cache-Status of an answer for which the upstream was asked (RFC 9211 section 2). */
export const forwardStatus = (
  why: Forwarded,
  { upstream, stored, collapsed, detail }: ForwardDetail = {},
): string =>
  `postern; fwd=${why}` +
  (upstream === undefined ? "" : `; fwd-status=${upstream}`) +
  (stored ? "; stored" : "") +
  (collapsed === undefined ? "" : collapsed ? "; collapsed" : "; collapsed=?0") +
  (detail === undefined ? "" : `; detail=${detail}`);
