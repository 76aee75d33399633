import type { Exchange } from "../../core/exchange.ts";
import { singleRange } from "../../lib/http/byte-ranges.ts";
import type { StoredResponse } from "./entry.ts";
import { ageMs } from "./freshness.ts";
import { type Slice, sliceOf } from "./parts.ts";
import { isRangeOf, isUnchangedFor } from "./validation.ts";

/** Fields that describe a body, which 304 does not have (RFC 9110 section 15.4.5). */
const OF_A_BODY = ["content-type", "content-encoding", "content-language", "content-range"];

/**
 * Answers a request from an entry: whole, as 304 where the client's copy is good, as 206 or 416 where it asks for a range,
 * without body for HEAD. `status` is what goes into Cache-Status (RFC 9211).
 */
export const answerFrom = (
  entry: StoredResponse,
  exchange: Exchange,
  nowMs: number,
  status: string,
): Response => {
  if (entry.status === 200) {
    const request = exchange.request.headers;
    if (isUnchangedFor(request, entry, nowMs)) return notModified(entry, nowMs, status);
    if (exchange.method === "HEAD") return headOf(entry, nowMs, status);
    const range = request.get("range");
    if (range !== null) {
      const part = partOf(entry, range, request, nowMs, status);
      if (part !== undefined) return part;
    }
  }
  if (entry.part !== undefined) {
    const slice = sliceOf(entry, exchange.request.headers.get("range") ?? "");
    if (slice !== undefined) return ofPart(entry, slice, nowMs, status);
  }
  return built(entry, exchange.method === "HEAD" ? null : entry.body, entry.status, nowMs, status);
};

/** One Response with one copy of the headers: what costs on workerd are these two. */
const built = (
  entry: StoredResponse,
  body: ArrayBuffer | Uint8Array<ArrayBuffer> | null,
  code: number,
  nowMs: number,
  status: string,
): Response => {
  const response = new Response(body, { status: code, headers: entry.headers });
  response.headers.set("age", String(Math.floor(ageMs(entry, nowMs) / 1000)));
  response.headers.append("cache-status", status);
  return response;
};

const notModified = (entry: StoredResponse, nowMs: number, status: string): Response => {
  const response = built(entry, null, 304, nowMs, status);
  for (const name of OF_A_BODY) response.headers.delete(name);
  return response;
};

const headOf = (entry: StoredResponse, nowMs: number, status: string): Response => {
  const response = built(entry, null, 200, nowMs, status);
  if (!entry.headers.has("content-encoding")) {
    response.headers.set("content-length", String(entry.body?.byteLength ?? 0));
  }
  return response;
};

const ofPart = (entry: StoredResponse, slice: Slice, nowMs: number, status: string): Response => {
  const response = built(entry, slice.bytes, 206, nowMs, status);
  response.headers.set("content-range", slice.contentRange);
  return response;
};

/** A range of what is stored (RFC 9110 section 14). Of a coded body there is none: ranges count the coded bytes. */
const partOf = (
  entry: StoredResponse,
  field: string,
  request: Headers,
  nowMs: number,
  status: string,
): Response | undefined => {
  if (entry.body === null || entry.headers.has("content-encoding")) return undefined;
  const size = entry.body.byteLength;
  const range = isRangeOf(request, entry, nowMs) ? singleRange(field, size) : undefined;
  if (range === undefined) return undefined;
  if (range === "unsatisfiable") {
    const response = built(entry, null, 416, nowMs, status);
    for (const name of OF_A_BODY) response.headers.delete(name);
    response.headers.set("content-range", `bytes */${size}`);
    return response;
  }
  const bytes = new Uint8Array(entry.body, range.first, range.last - range.first + 1);
  return ofPart(entry, { bytes, contentRange: `bytes ${range.first}-${range.last}/${size}` }, nowMs, status);
};
