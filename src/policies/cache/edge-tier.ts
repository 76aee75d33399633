import type { Cache } from "../../core/ports.ts";
import type { Stored } from "./entry.ts";
import { entryOf, readMetadata, writeMetadata } from "./entry-form.ts";
import type { FarTier } from "./far-tier.ts";

/** The field that carries an entry's metadata. */
const FIELD = "postern-entry";

/**
 * Entries in the data centre's cache. It is a place to put bytes: the entry's fields and metadata travel in a field of
 * ours, and what the platform thinks of Vary, Age or lifetimes has no say.
 */
export class EdgeTier implements FarTier {
  readonly name = "edge";
  readonly #cache: Cache;
  readonly #prefix: string;

  /** The gateway's name keeps its entries apart from another's in the same cache. */
  constructor(cache: Cache, gatewayName: string) {
    this.#cache = cache;
    this.#prefix = `${gatewayName.length}:${gatewayName}`;
  }

  async get(key: string): Promise<Stored | undefined> {
    const response = await this.#cache.get(this.#prefix + key);
    if (response === undefined) return undefined;
    const stored = await read(response);
    if (stored === undefined) void response.body?.cancel().catch(() => undefined);
    return stored;
  }

  async put(key: string, stored: Stored, keepMs: number): Promise<void> {
    const metadata = writeMetadata(stored);
    if (metadata === undefined) return;
    const headers = { [FIELD]: metadata, "content-type": "application/octet-stream" };
    const body = stored.kind === "variants" ? null : stored.body;
    await this.#cache.put(this.#prefix + key, new Response(body, { headers }), keepMs);
  }

  async delete(key: string): Promise<void> {
    await this.#cache.delete(this.#prefix + key);
  }
}

/** The entry; undefined where the metadata is not ours or the body is not whole. */
const read = async (response: Response): Promise<Stored | undefined> => {
  const json = response.headers.get(FIELD);
  const metadata = json === null ? undefined : readMetadata(json);
  if (metadata === undefined || "kind" in metadata) return metadata;
  try {
    return entryOf(metadata, metadata.length === null ? null : await response.arrayBuffer());
  } catch {
    return undefined;
  }
};
