/** Which bytes of the whole a stored 206 holds, by its Content-Range, and whether the end was what was asked for. */
export interface Part {
  readonly first: number;
  readonly last: number;
  readonly complete: number;
  readonly fromEnd: boolean;
}

/** By what a purge takes an entry away, and which purges it knows of. */
export interface Labels {
  readonly authority: string;
  readonly path: string;
  /** In the form of a cache key. */
  readonly query: string;
  readonly tags: readonly string[];
  /** The last purge that was known when the upstream was asked: a later one may take the entry away. */
  readonly asOf: number;
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
  /** How long the upstream took for it; absent where that was not measured. */
  readonly fetchMs?: number;
  /** Absent for a whole one. */
  readonly part?: Part;
  /** Absent where nothing can be purged. */
  readonly labels?: Labels;
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

/** What an index takes, and what a response does without its texts and bytes: on workerd, Headers are most of it. */
const INDEX_BYTES = 512;
const RESPONSE_BYTES = 2048;
const FIELD_BYTES = 160;
const NAME_BYTES = 64;

/** An upper estimate of what an entry takes in memory, in bytes. */
export const weightOf = (key: string, stored: Stored): number => {
  let weight = 2 * key.length;
  for (const name of stored.names) weight += NAME_BYTES + 2 * name.length;
  if (stored.kind === "variants") return weight + INDEX_BYTES;
  weight += RESPONSE_BYTES + 2 * stored.variant.length + weightOfLabels(stored.labels);
  for (const [name, value] of stored.headers) weight += FIELD_BYTES + 2 * (name.length + value.length);
  return weight + (stored.body?.byteLength ?? 0);
};

const weightOfLabels = (labels: Labels | undefined): number => {
  if (labels === undefined) return 0;
  const { authority, path, query, tags } = labels;
  let weight = 2 * NAME_BYTES + 2 * (authority.length + path.length + query.length);
  for (const tag of tags) weight += NAME_BYTES + 2 * tag.length;
  return weight;
};

const DAY_MS = 86_400_000;

/** For how long an entry is worth keeping at all: while it is fresh, may be used stale, or can be revalidated. */
export const keepMsOf = (entry: StoredResponse): number => {
  const fresh = Math.max(0, entry.lifetimeMs - entry.initialAgeMs);
  const checkable = entry.headers.has("etag") || entry.headers.has("last-modified");
  return fresh + Math.max(entry.staleWhileRevalidateMs, entry.staleIfErrorMs, checkable ? DAY_MS : 0);
};
