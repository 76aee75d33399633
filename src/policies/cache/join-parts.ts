import { stronglyEqual } from "../../lib/http/entity-tags.ts";
import type { StoredResponse } from "./entry.ts";
import type { Unplaced } from "./tiers.ts";
import { refreshedHeaders } from "./validation.ts";

/** A part whose body is as long as its Content-Range says. */
type Exact = Unplaced & { readonly part: NonNullable<Unplaced["part"]>; readonly body: ArrayBuffer };

const isExact = (entry: Unplaced): entry is Exact =>
  entry.part !== undefined && entry.body?.byteLength === entry.part.last - entry.part.first + 1;

/** Only a strong validator says that both are cut from the same bytes (RFC 9111 section 3.4). */
const areOfOne = (one: Unplaced, other: Unplaced): boolean => {
  const [tag, otherTag] = [one.headers.get("etag"), other.headers.get("etag")];
  return (
    tag !== null &&
    otherTag !== null &&
    stronglyEqual(tag, otherTag) &&
    one.part?.complete === other.part?.complete
  );
};

/**
 * A new part together with the one that is stored, where they may be combined, touch, and are `most` bytes at most; else
 * the new one alone. It is whole, and status 200, where nothing is missing. The newer fields replace the stored ones
 * (RFC 9111 section 3.4).
 */
export const joinParts = (stored: StoredResponse | undefined, newer: Unplaced, most: number): Unplaced => {
  if (stored === undefined || !isExact(stored) || !isExact(newer) || !areOfOne(stored, newer)) return newer;
  const first = Math.min(stored.part.first, newer.part.first);
  const last = Math.max(stored.part.last, newer.part.last);
  const { complete } = newer.part;
  const apart = newer.part.first > stored.part.last + 1 || stored.part.first > newer.part.last + 1;
  if (apart || last - first >= most) return newer;
  const bytes = new Uint8Array(last - first + 1);
  for (const { body, part } of [stored, newer]) bytes.set(new Uint8Array(body), part.first - first);
  const headers = refreshedHeaders(stored, newer.headers);
  const body = bytes.buffer;
  // Both are as long as they say, so bytes count from the first one as well as from the last.
  if (bytes.byteLength < complete) {
    return { ...newer, headers, body, part: { first, last, complete, fromEnd: false } };
  }
  headers.delete("content-range");
  const { part: _part, ...whole } = newer;
  return { ...whole, status: 200, headers, body };
};
