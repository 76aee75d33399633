import type { Cache } from "../../core/ports.ts";
import type { Stored, StoredResponse } from "./entry.ts";

/** The field that carries an entry's metadata, as JSON in ASCII. */
const FIELD = "postern-entry";

/** Longer metadata is not stored: platforms bound the fields of what they cache. */
const MOST_METADATA = 16_384;

type Metadata = Omit<StoredResponse, "kind" | "headers" | "body"> & {
  readonly fields: readonly (readonly [string, string])[];
  /** Length of the body; null for none, so that an empty one is told from it. */
  readonly length: number | null;
};

/**
 * Entries in the data centre's cache. It is a place to put bytes: the entry's fields and metadata travel in a field of
 * ours, and what the platform thinks of Vary, Age or lifetimes has no say.
 */
export class EdgeTier {
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
    const response = written(stored);
    if (response !== undefined) await this.#cache.put(this.#prefix + key, response, keepMs);
  }

  async delete(key: string): Promise<void> {
    await this.#cache.delete(this.#prefix + key);
  }
}

const written = (stored: Stored): Response | undefined => {
  if (stored.kind === "variants") return carrying(stored, null);
  const { kind: _kind, headers, body, ...rest } = stored;
  const metadata: Metadata = { ...rest, fields: [...headers], length: body?.byteLength ?? null };
  return carrying(metadata, body);
};

const carrying = (metadata: object, body: ArrayBuffer | null): Response | undefined => {
  const json = JSON.stringify(metadata).replace(
    /[^\x20-\x7e]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
  if (json.length > MOST_METADATA) return undefined;
  return new Response(body, { headers: { [FIELD]: json, "content-type": "application/octet-stream" } });
};

/** The entry; undefined where the metadata is not ours or the body is not whole. */
const read = async (response: Response): Promise<Stored | undefined> => {
  const json = response.headers.get(FIELD);
  if (json === null) return undefined;
  try {
    const metadata = JSON.parse(json) as Metadata | Stored;
    if ("kind" in metadata) return metadata;
    const { fields, length, ...rest } = metadata;
    const body = length === null ? null : await response.arrayBuffer();
    if (body !== null && body.byteLength !== length) return undefined;
    return { kind: "response", ...rest, headers: new Headers(fields as [string, string][]), body };
  } catch {
    return undefined;
  }
};
