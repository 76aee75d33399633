import type { Exchange } from "../../core/exchange.ts";
import { parseHttpDate } from "../../lib/http/dates.ts";
import { noneMatchNames, stronglyEqual, weaklyEqual } from "../../lib/http/entity-tags.ts";
import { removeHopByHop } from "../../lib/http/hop-by-hop.ts";
import type { StoredResponse } from "./entry.ts";

/** What a client asks about a copy of its own. */
export const CONDITIONS = ["if-none-match", "if-modified-since"] as const;

/** Whether the origin can be asked if an entry is still good. */
export const isCheckable = (entry: StoredResponse): boolean =>
  entry.headers.has("etag") || entry.headers.has("last-modified");

/**
 * Makes the request to the upstream ask about an entry, in place of what the client asked about a copy of its own
 * (RFC 9111 section 4.3.1). Answers what takes the edits away again.
 */
export const askAbout = (exchange: Exchange, entry: StoredResponse): (() => void) => {
  const edits = exchange.requestEdits;
  const before = edits.length;
  const tag = entry.headers.get("etag");
  const modified = entry.headers.get("last-modified");
  edits.push(
    tag === null ? { op: "remove", name: "if-none-match" } : { op: "set", name: "if-none-match", value: tag },
    modified === null
      ? { op: "remove", name: "if-modified-since" }
      : { op: "set", name: "if-modified-since", value: modified },
  );
  return () => {
    edits.length = before;
  };
};

/**
 * Whether a 304 speaks of an entry (RFC 9111 section 4.3.4): a strong tag must be the entry's own, a weak one its like, and
 * without a tag Last-Modified must be; without either it speaks of the only entry that was asked about.
 */
export const speaksOf = (headers: Headers, entry: StoredResponse): boolean => {
  const tag = headers.get("etag");
  if (tag === null) {
    const modified = headers.get("last-modified");
    return modified === null || modified === entry.headers.get("last-modified");
  }
  const stored = entry.headers.get("etag");
  if (stored === null) return false;
  return tag.startsWith("W/") ? weaklyEqual(tag, stored) : stronglyEqual(tag, stored);
};

/** Whether the answer to a HEAD shows that an entry is still what a GET would bring (RFC 9111 section 4.3.5). */
export const confirmedByHead = (headers: Headers, entry: StoredResponse): boolean => {
  for (const name of ["etag", "last-modified"]) {
    const received = headers.get(name);
    if (received !== null && received !== entry.headers.get(name)) return false;
  }
  const length = headers.get("content-length");
  const coded = entry.headers.has("content-encoding") || headers.has("content-encoding");
  return length === null || coded || Number(length) === (entry.body?.byteLength ?? 0);
};

/**
 * Fields that say how the stored bytes are to be read, and so stay as they were. The bytes are kept decoded, which is why
 * Content-Encoding is one of them.
 */
const BOUND_TO_BODY = new Set(["content-encoding", "content-length", "content-range"]);

/**
 * An entry's fields with those of a 304, or of the answer to a HEAD, in their place (RFC 9111 section 3.2). Age and Date
 * are the newer one's or none: they say when it was sent.
 */
export const refreshedHeaders = (entry: StoredResponse, newer: Headers): Headers => {
  const incoming = new Headers(newer);
  removeHopByHop(incoming);
  const merged = new Headers(entry.headers);
  merged.delete("date");
  for (const name of incoming.keys()) if (!BOUND_TO_BODY.has(name)) merged.delete(name);
  for (const [name, value] of incoming) if (!BOUND_TO_BODY.has(name)) merged.append(name, value);
  return merged;
};

/**
 * Whether the client's copy is still good, so that 304 is the answer (RFC 9111 section 4.3.2). If-None-Match comes before
 * If-Modified-Since, which looks at Date where Last-Modified is missing.
 */
export const isUnchangedFor = (request: Headers, entry: StoredResponse, nowMs: number): boolean => {
  const noneMatch = request.get("if-none-match");
  if (noneMatch !== null) return noneMatchNames(noneMatch, entry.headers.get("etag"));
  const since = request.get("if-modified-since");
  if (since === null) return false;
  const sinceMs = parseHttpDate(since, nowMs);
  const modified = entry.headers.get("last-modified") ?? entry.headers.get("date");
  const modifiedMs = modified === null ? undefined : parseHttpDate(modified, nowMs);
  return sinceMs !== undefined && modifiedMs !== undefined && modifiedMs <= sinceMs;
};

/**
 * Whether the client may have a part of an entry (RFC 9110 section 13.1.5): without If-Range, or when that names the very
 * same representation. A date must be Last-Modified exactly, and strong: older than Date by a second.
 */
export const isRangeOf = (request: Headers, entry: StoredResponse, nowMs: number): boolean => {
  const condition = request.get("if-range");
  if (condition === null) return true;
  const tag = entry.headers.get("etag");
  if (condition.includes('"')) return tag !== null && stronglyEqual(condition.trim(), tag);
  const modified = entry.headers.get("last-modified");
  if (modified === null || condition.trim() !== modified) return false;
  const modifiedMs = parseHttpDate(modified, nowMs);
  const dateMs = parseHttpDate(entry.headers.get("date") ?? "", nowMs);
  return modifiedMs !== undefined && dateMs !== undefined && modifiedMs <= dateMs - 1000;
};
