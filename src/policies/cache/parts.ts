import type { Exchange } from "../../core/exchange.ts";
import { singleRange } from "../../lib/http/byte-ranges.ts";
import type { Part, StoredResponse } from "./entry.ts";
import { type Arrival, isFresh } from "./freshness.ts";
import { isRangeOf } from "./validation.ts";
import { sentHeader } from "./vary.ts";

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i;

/**
 * Which bytes a 206 brings (RFC 9110 section 14.4). Undefined where it cannot be kept: nobody asked for a range, there are
 * several parts, their total is unknown, or the body is coded, which the runtime decodes while ranges count coded bytes.
 */
export const partIn = (exchange: Exchange, { headers }: Arrival): Part | undefined => {
  const asked = sentHeader(exchange, "range");
  const found = CONTENT_RANGE.exec(headers.get("content-range") ?? "");
  if (asked === null || found === null || headers.has("content-encoding")) return undefined;
  const [first, last, complete] = [Number(found[1]), Number(found[2]), Number(found[3])];
  if (first > last || last >= complete) return undefined;
  return { first, last, complete, fromEnd: isSuffix(asked) };
};

const isSuffix = (range: string): boolean => range.includes("=-");

/** Bytes of a stored part, and where they stand in the whole. */
export interface Slice {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentRange: string;
}

/**
 * What of a stored part answers a Range field; undefined where it does not hold all of it. An origin may send less than its
 * Content-Range says. Then the bytes count from the first one, and from the last one only where the end was what was asked.
 */
export const sliceOf = ({ part, body }: StoredResponse, field: string): Slice | undefined => {
  if (part === undefined || body === null) return undefined;
  const range = singleRange(field, part.complete);
  if (range === undefined || range === "unsatisfiable" || range.last > part.last) return undefined;
  const { first, last } = range;
  const size = body.byteLength;
  const wanted = last - first + 1;
  const offset = part.fromEnd && isSuffix(field) ? size - wanted : first - part.first;
  const length = Math.min(wanted, size - offset);
  if (offset < 0 || length <= 0) return undefined;
  return {
    bytes: new Uint8Array(body, offset, length),
    contentRange: `bytes ${first}-${first + length - 1}/${part.complete}`,
  };
};

/**
 * Whether an entry can answer a request at all. A part does so only while it is fresh, and only for a GET of a range that lies
 * within it and asks nothing else (RFC 9111 section 3.3).
 */
export const answers = (entry: StoredResponse, exchange: Exchange, nowMs: number): boolean => {
  if (entry.part === undefined) return true;
  const { headers } = exchange.request;
  const range = headers.get("range");
  return (
    range !== null &&
    exchange.method === "GET" &&
    isFresh(entry, nowMs) &&
    !headers.has("if-none-match") &&
    !headers.has("if-modified-since") &&
    isRangeOf(headers, entry, nowMs) &&
    sliceOf(entry, range) !== undefined
  );
};
