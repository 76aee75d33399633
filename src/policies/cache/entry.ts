/** Which bytes of the whole a stored 206 holds, by its Content-Range, and whether the end was what was asked for. */
export interface Part {
  readonly first: number;
  readonly last: number;
  readonly complete: number;
  readonly fromEnd: boolean;
}

/** A response as a tier keeps it: complete, and with all that is needed to decide about it later. */
export interface StoredResponse {
  readonly kind: "response";
  /** Which variant of its key it is; compared whole with what a request selects. */
  readonly variant: string;
  /** Fields that Vary named, in lower case and sorted. */
  readonly names: readonly string[];
  readonly status: number;
  readonly headers: Headers;
  /** Without content coding: the runtime decodes what is read, and encodes what is sent by Content-Encoding. */
  readonly body: ArrayBuffer | null;
  /** When its header arrived, and how old it was then (RFC 9111 section 4.2.3). */
  readonly receivedMs: number;
  readonly initialAgeMs: number;
  /** Up to which age it is fresh (RFC 9111 section 4.2.1). */
  readonly lifetimeMs: number;
  /** For how long after that it may be used while it is revalidated, or when that fails (RFC 5861). */
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** `no-cache`: it is never used without asking first. */
  readonly noCache: boolean;
  /** It is never used when stale, whoever would allow it (RFC 9111 section 4.2.4). */
  readonly mustRevalidate: boolean;
  /** Absent for a whole one. */
  readonly part?: Part;
}

/** Stands under the key of a target that has several variants, and tells how to find them. */
export interface VariantIndex {
  readonly kind: "variants";
  /** All the fields that Vary named so far, in lower case and sorted. */
  readonly names: readonly string[];
  /** Part of the variants' keys: when the index goes, all of them are out of reach at once. */
  readonly generation: string;
}

export type Stored = StoredResponse | VariantIndex;

const OBJECT_BYTES = 512;
const FIELD_BYTES = 64;

/** An upper estimate of what an entry takes in memory, in bytes. */
export const weightOf = (key: string, stored: Stored): number => {
  let weight = OBJECT_BYTES + 2 * key.length;
  if (stored.kind === "variants") {
    for (const name of stored.names) weight += FIELD_BYTES + 2 * name.length;
    return weight;
  }
  weight += 2 * stored.variant.length + (stored.body?.byteLength ?? 0);
  for (const [name, value] of stored.headers) weight += FIELD_BYTES + 2 * (name.length + value.length);
  return weight;
};

const DAY_MS = 86_400_000;

/** For how long an entry is worth keeping at all: while it is fresh, may be used stale, or can be revalidated. */
export const keepMsOf = (entry: StoredResponse): number => {
  const fresh = Math.max(0, entry.lifetimeMs - entry.initialAgeMs);
  const checkable = entry.headers.has("etag") || entry.headers.has("last-modified");
  return fresh + Math.max(entry.staleWhileRevalidateMs, entry.staleIfErrorMs, checkable ? DAY_MS : 0);
};
