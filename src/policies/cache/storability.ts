import type { Exchange } from "../../core/exchange.ts";
import { formatHttpDate } from "../../lib/http/dates.ts";
import { removeHopByHop } from "../../lib/http/hop-by-hop.ts";
import { type ResponseDirectives, readDirectives } from "./directives.ts";
import type { StoredResponse } from "./entry.ts";
import {
  type Arrival,
  type Freshness,
  freshnessOf,
  isPresumable,
  type LifetimePolicy,
  staleUseOf,
} from "./freshness.ts";
import { partIn } from "./parts.ts";
import { sentHeader, varyNames } from "./vary.ts";

/** Why a response is not stored; shown in Cache-Status. */
export type Refusal =
  | "status"
  | "stream"
  | "no-store"
  | "private"
  | "authorization"
  | "set-cookie"
  | "vary"
  | "no-freshness"
  | "no-transform"
  | "too-large";

/** All of an entry but its body and its variant. */
export type Draft = Omit<StoredResponse, "body" | "variant">;

/** Answers about one request alone, or about the state of a connection; two of them a cache must not store (RFC 6585). */
const NEVER = new Set([304, 407, 408, 412, 413, 416, 417, 421, 425, 426, 428, 429, 431, 511]);

/** Final status codes whose meaning for caches we know, for `must-understand` (RFC 9111 section 5.2.2.3). */
const UNDERSTOOD = new Set([
  200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 409,
  410, 411, 414, 415, 422, 451, 500, 501, 502, 503, 504, 505,
]);

/**
 * Whether a response may be stored, by the rules of a shared cache or of a private one (RFC 9111 section 3), and if so,
 * what is stored; else why not. Looks at everything but the body.
 */
export const draftOf = (
  exchange: Exchange,
  arrival: Arrival,
  shared: boolean,
  policy: LifetimePolicy,
): Draft | Refusal => {
  const directives = readDirectives(arrival.headers, shared);
  const freshness = freshnessOf(arrival, directives, policy);
  const stale = staleUseOf(directives, freshness, policy);
  const names = varyNames(arrival.headers);
  const part = arrival.status === 206 ? partIn(exchange, arrival) : undefined;
  const refusal =
    (arrival.status === 206 && part === undefined ? "status" : undefined) ??
    refusalOf(exchange, arrival, directives, freshness, shared) ??
    (names === undefined ? "vary" : undefined) ??
    (isOfUse(arrival, directives, freshness, stale) ? undefined : "no-freshness");
  if (refusal !== undefined) return refusal;
  return {
    kind: "response",
    names: names!,
    status: arrival.status,
    headers: storedHeaders(arrival, directives),
    receivedMs: arrival.receivedMs,
    initialAgeMs: freshness.initialAgeMs,
    lifetimeMs: freshness.lifetimeMs,
    noCache: directives.noCache,
    ...stale,
    ...(part !== undefined && { part }),
  };
};

const refusalOf = (
  exchange: Exchange,
  { status, headers }: Arrival,
  directives: ResponseDirectives,
  { source }: Freshness,
  shared: boolean,
): Refusal | undefined => {
  if (status < 200 || NEVER.has(status)) return "status";
  if (directives.mustUnderstand && !UNDERSTOOD.has(status)) return "status";
  if (directives.noStore && !directives.mustUnderstand) return "no-store";
  if (directives.isPrivate) return "private";
  // Coded content is decoded when it is read, and would be coded anew (section 5.2.2.6).
  if (directives.noTransform && (headers.get("content-encoding") ?? "identity") !== "identity")
    return "no-transform";
  if (headers.get("content-type")?.toLowerCase().startsWith("text/event-stream") === true) return "stream";
  // A cookie is set for one caller. It may come again to that caller, where the origin itself says for how long.
  if (headers.has("set-cookie") && (shared || source !== "origin")) return "set-cookie";
  return shared && sentHeader(exchange, "authorization") !== null && !opensAuthorized(directives)
    ? "authorization"
    : undefined;
};

/** What lets a shared cache store the answer to a request with Authorization (RFC 9111 section 3.5). */
const opensAuthorized = (directives: ResponseDirectives): boolean =>
  directives.isPublic || directives.mustRevalidate || directives.sharedMaxAge !== undefined;

/** Storing pays when the entry can be used without asking, or when asking about it can save the body. */
const isOfUse = (
  { status, headers }: Arrival,
  directives: ResponseDirectives,
  { lifetimeMs, initialAgeMs, source }: Freshness,
  stale: Pick<StoredResponse, "mustRevalidate" | "staleWhileRevalidateMs" | "staleIfErrorMs">,
): boolean => {
  if (source === "nobody" && !isPresumable(status, directives)) return false;
  if (headers.has("etag") || headers.has("last-modified")) return true;
  if (source === "nobody") return false;
  if (lifetimeMs > initialAgeMs) return !directives.noCache;
  return !stale.mustRevalidate && (stale.staleWhileRevalidateMs > 0 || stale.staleIfErrorMs > 0);
};

/**
 * The fields of a response that are stored (RFC 9111 section 3.1). Not those of the connection, those that its directives
 * withhold, CORS fields, which belong to whoever asks, and Content-Length, which follows from the body. A response
 * without Date gets that of its arrival (RFC 9110 section 6.6.1).
 */
const storedHeaders = ({ headers, receivedMs }: Arrival, { withheld }: ResponseDirectives): Headers => {
  const kept = new Headers(headers);
  removeHopByHop(kept);
  for (const name of withheld) kept.delete(name);
  for (const name of headers.keys()) if (name.startsWith("access-control-")) kept.delete(name);
  kept.delete("content-length");
  kept.delete("age");
  if (!kept.has("date")) kept.set("date", formatHttpDate(receivedMs));
  return kept;
};
