import type { Defer, Store } from "../../core/ports.ts";
import { within } from "../../lib/within.ts";
import type { Stored } from "./entry.ts";
import { entryOf, readMetadata, writeMetadata } from "./entry-form.ts";
import type { FarTier, Uncacheable } from "./far-tier.ts";

/** Whoever waits for a deletion waits no longer than for a look-up, in milliseconds. */
const WAIT_MS = 50;

/** Keys of the cache among those of others in the same store. */
export const storeKey = (key: string): string => `cache:${key}`;

/** Entries in Redis, which isolates everywhere share. */
export class RedisTier implements FarTier {
  readonly name = "redis";
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async get(key: string): Promise<Stored | Uncacheable | undefined> {
    const bytes = await this.#store.get(storeKey(key));
    return bytes && fromBytes(bytes);
  }

  async put(key: string, stored: Stored, keepMs: number): Promise<void> {
    const bytes = toBytes(stored);
    if (bytes !== undefined) await this.#store.put(storeKey(key), bytes, keepMs);
  }

  async delete(key: string, defer: Defer): Promise<void> {
    const work = this.#store.delete(storeKey(key));
    defer.waitUntil(work);
    await within(WAIT_MS, () => work).catch(() => undefined);
  }
}

/** First byte of the binary form; to be raised when it changes, and then what others wrote is not read. */
const VERSION = 1;
/** The version, and the length of the metadata in four bytes. */
const HEAD_BYTES = 5;
const UNCACHEABLE: Uncacheable = { kind: "uncacheable" };

/** An entry in its binary form: version, length of the metadata, metadata, body. Undefined where the metadata is too long. */
export const toBytes = (stored: Stored): Uint8Array<ArrayBuffer> | undefined => {
  const json = writeMetadata(stored);
  if (json === undefined) return undefined;
  const body = stored.kind === "variants" ? null : stored.body;
  const bytes = new Uint8Array(HEAD_BYTES + json.length + (body?.byteLength ?? 0));
  bytes[0] = VERSION;
  new DataView(bytes.buffer).setUint32(1, json.length);
  new TextEncoder().encodeInto(json, bytes.subarray(HEAD_BYTES));
  if (body !== null) bytes.set(new Uint8Array(body), HEAD_BYTES + json.length);
  return bytes;
};

/** What bytes stand for: an entry; a mark, which has no bytes; undefined where they are not ours, or not whole. */
export const fromBytes = (bytes: Uint8Array<ArrayBuffer>): Stored | Uncacheable | undefined => {
  if (bytes.byteLength === 0) return UNCACHEABLE;
  if (bytes.byteLength < HEAD_BYTES || bytes[0] !== VERSION) return undefined;
  const end = HEAD_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  if (end > bytes.byteLength) return undefined;
  const metadata = readMetadata(new TextDecoder().decode(bytes.subarray(HEAD_BYTES, end)));
  if (metadata === undefined || "kind" in metadata) return end === bytes.byteLength ? metadata : undefined;
  const isBodiless = metadata.length === null && end === bytes.byteLength;
  return entryOf(metadata, isBodiless ? null : bytes.slice(end).buffer);
};
