import { parseHttpDate } from "../../lib/http/dates.ts";
import type { RequestDirectives, ResponseDirectives } from "./directives.ts";
import type { StoredResponse } from "./entry.ts";

/** What the policy says about lifetimes, in milliseconds; null where it says nothing. */
export interface LifetimePolicy {
  readonly ttlMs: number | null;
  readonly override: boolean;
  readonly staleWhileRevalidateMs: number | null;
  readonly staleIfErrorMs: number | null;
}

/** A response whose header has arrived, and when it was asked for. */
export interface Arrival {
  readonly status: number;
  readonly headers: Headers;
  readonly requestedMs: number;
  readonly receivedMs: number;
}

export interface Freshness {
  readonly initialAgeMs: number;
  readonly lifetimeMs: number;
  /** Who set the lifetime; `nobody` where it is 0 for want of a reason to have one. */
  readonly source: "origin" | "policy" | "heuristic" | "nobody";
}

/** Status codes that may be reused without the origin having said so (RFC 9110 section 15.1). */
const HEURISTIC = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

/** Whether a response may be stored although the origin says nothing of its lifetime (RFC 9111 section 3). */
export const isPresumable = (status: number, { isPublic }: ResponseDirectives): boolean =>
  HEURISTIC.has(status) || isPublic;

const HEURISTIC_PART = 0.1;
const HEURISTIC_MOST_MS = 86_400_000;

/**
 * How old a response was when it arrived (RFC 9111 section 4.2.3). Of several values in Age the first counts, and what is
 * no number does not count (section 5.1); a Date that cannot be read counts as now.
 */
export const initialAgeMs = ({ headers, requestedMs, receivedMs }: Arrival): number => {
  const apparent = Math.max(0, receivedMs - dateOf(headers, receivedMs));
  const [first] = (headers.get("age") ?? "").split(",");
  const age = /^\d+$/.test(first!.trim()) ? Math.min(Number(first), 2 ** 31) * 1000 : 0;
  return Math.max(apparent, age + Math.max(0, receivedMs - requestedMs));
};

const dateOf = (headers: Headers, receivedMs: number): number => {
  const date = headers.get("date");
  return (date === null ? undefined : parseHttpDate(date, receivedMs)) ?? receivedMs;
};

/**
 * Up to which age a response is fresh (RFC 9111 section 4.2.1): what the origin says, else the policy's `ttl`, else a part
 * of the time since it was last modified. With `override` the policy comes first. A `ttl` counts from the arrival.
 */
export const freshnessOf = (
  arrival: Arrival,
  directives: ResponseDirectives,
  policy: LifetimePolicy,
): Freshness => {
  const age = initialAgeMs(arrival);
  const heuristic = isPresumable(arrival.status, directives);
  const byPolicy: Freshness | undefined =
    heuristic && policy.ttlMs !== null
      ? { initialAgeMs: age, lifetimeMs: age + policy.ttlMs, source: "policy" }
      : undefined;
  if (policy.override && byPolicy !== undefined) return byPolicy;
  const explicit = explicitLifetimeMs(arrival, directives);
  if (explicit !== undefined) return { initialAgeMs: age, lifetimeMs: explicit, source: "origin" };
  if (byPolicy !== undefined) return byPolicy;
  const modified = heuristic ? arrival.headers.get("last-modified") : null;
  const modifiedMs = modified === null ? undefined : parseHttpDate(modified, arrival.receivedMs);
  if (modifiedMs === undefined) return { initialAgeMs: age, lifetimeMs: 0, source: "nobody" };
  const unchangedMs = Math.max(0, dateOf(arrival.headers, arrival.receivedMs) - modifiedMs);
  const lifetimeMs = Math.min(unchangedMs * HEURISTIC_PART, HEURISTIC_MOST_MS);
  return { initialAgeMs: age, lifetimeMs, source: "heuristic" };
};

/** The origin's word; an Expires that cannot be read lies in the past (RFC 9111 section 5.3). */
const explicitLifetimeMs = (
  { headers, receivedMs }: Arrival,
  { sharedMaxAge, maxAge, heedsExpires }: ResponseDirectives,
): number | undefined => {
  const seconds = sharedMaxAge ?? maxAge;
  if (seconds !== undefined) return seconds * 1000;
  const expires = heedsExpires ? headers.get("expires") : null;
  if (expires === null) return undefined;
  const expiresMs = parseHttpDate(expires, receivedMs);
  return expiresMs === undefined ? 0 : Math.max(0, expiresMs - dateOf(headers, receivedMs));
};

export interface StaleUse {
  readonly mustRevalidate: boolean;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
}

/**
 * How a response may be used once it is stale. The origin's own windows come before the policy's, unless that overrides
 * it; `must-revalidate` and `no-cache` forbid it whoever asks. So does an s-maxage (RFC 9111 section 5.2.2.10), unless the
 * same response gives a window, which is then the later word of the same origin.
 */
export const staleUseOf = (
  directives: ResponseDirectives,
  { source }: Freshness,
  policy: LifetimePolicy,
): StaleUse => {
  const { staleWhileRevalidate, staleIfError } = directives;
  const bound = directives.sharedMaxAge !== undefined && source === "origin";
  const window = (own: number | undefined, ours: number | null): number => {
    const ownMs = own === undefined ? undefined : own * 1000;
    if (bound) return ownMs ?? 0;
    return (source === "policy" && policy.override ? (ours ?? ownMs) : (ownMs ?? ours)) ?? 0;
  };
  const forbidden = bound && staleWhileRevalidate === undefined && staleIfError === undefined;
  return {
    mustRevalidate: directives.mustRevalidate || directives.noCache || forbidden,
    staleWhileRevalidateMs: window(staleWhileRevalidate, policy.staleWhileRevalidateMs),
    staleIfErrorMs: window(staleIfError, policy.staleIfErrorMs),
  };
};

/** The age of an entry now (RFC 9111 section 4.2.3), in milliseconds. */
export const ageMs = (entry: StoredResponse, nowMs: number): number =>
  entry.initialAgeMs + Math.max(0, nowMs - entry.receivedMs);

/** Whether an entry may be used without asking anybody (RFC 9111 section 4.2). */
export const isFresh = (entry: StoredResponse, nowMs: number): boolean =>
  !entry.noCache && entry.lifetimeMs > ageMs(entry, nowMs);

/** Whether an entry may be used for `windowMs` after it became stale. */
export const mayBeStale = (entry: StoredResponse, nowMs: number, windowMs: number): boolean =>
  !entry.mustRevalidate && ageMs(entry, nowMs) - entry.lifetimeMs <= windowMs && windowMs > 0;

/** Whether an entry may be used for what a client asks, fresh or stale (RFC 9111 section 5.2.1). */
export const suitsClient = (entry: StoredResponse, nowMs: number, wish: RequestDirectives): boolean => {
  const age = ageMs(entry, nowMs);
  if (wish.noCache || entry.noCache) return false;
  if (wish.maxAge !== undefined && age > wish.maxAge * 1000) return false;
  const left = entry.lifetimeMs - age;
  if (wish.minFresh !== undefined && left < wish.minFresh * 1000) return false;
  if (left > 0) return true;
  return !entry.mustRevalidate && wish.maxStale !== undefined && -left <= wish.maxStale * 1000;
};
