import type { Exchange } from "../../core/exchange.ts";
import type { EdgeTier } from "./edge-tier.ts";
import { keepMsOf, type Stored, type StoredResponse, type VariantIndex } from "./entry.ts";
import type { Invalidations } from "./invalidations.ts";
import type { IsolateTier } from "./isolate-tier.ts";
import { type KeyParts, variantKey, variantOf } from "./key.ts";

/** What a look-up came to: the entry, and whether there were others under the key. */
export interface Found {
  readonly entry: StoredResponse | undefined;
  readonly others: boolean;
}

/** An entry before it is known among which variants it takes its place. */
export type Unplaced = Omit<StoredResponse, "variant">;

const NOTHING: Found = { entry: undefined, others: false };
const OTHERS: Found = { entry: undefined, others: true };

/**
 * The tiers of one policy, and how variants lie in them: a target with one variant has its entry under the primary key; one
 * with several, or with a Vary, has an index there, and the entries under keys of their own.
 */
export class Tiers {
  readonly #isolate: IsolateTier | undefined;
  readonly #edge: EdgeTier | undefined;
  readonly #parts: KeyParts;
  readonly #plain: boolean;
  readonly #invalidations: Invalidations;
  readonly #uuid: () => string;

  constructor(
    isolate: IsolateTier | undefined,
    edge: EdgeTier | undefined,
    parts: KeyParts,
    invalidations: Invalidations,
    uuid: () => string,
  ) {
    this.#isolate = isolate;
    this.#edge = edge;
    this.#parts = parts;
    this.#plain = parts.headers.length + parts.cookies.length + parts.claims.length === 0;
    this.#invalidations = invalidations;
    this.#uuid = uuid;
  }

  get hasEdge(): boolean {
    return this.#edge !== undefined;
  }

  /** Looks into the isolate's memory, without waiting. */
  find(primary: string, exchange: Exchange): Found {
    const stored = this.#isolate?.get(primary);
    if (stored?.kind !== "variants") return this.#matching(stored, exchange);
    const { entry } = this.#matching(this.#isolate?.get(this.#keyIn(stored, primary, exchange)), exchange);
    return entry === undefined ? OTHERS : { entry, others: true };
  }

  /** Looks into the data centre's cache, and brings what it finds into the isolate's memory. */
  async findAtEdge(primary: string, exchange: Exchange): Promise<Found> {
    const mark = this.mark();
    const stored = await this.#edge?.get(primary);
    let key = primary;
    let found = this.#matching(stored, exchange);
    if (stored?.kind === "variants") {
      key = this.#keyIn(stored, primary, exchange);
      const { entry } = this.#matching(await this.#edge?.get(key), exchange);
      found = entry === undefined ? OTHERS : { entry, others: true };
    }
    if (this.#invalidations.since(primary, mark)) return NOTHING;
    if (stored?.kind === "variants") this.#isolate?.put(primary, stored);
    if (found.entry !== undefined) this.#bringNear(key, found.entry);
    return found;
  }

  /** What the isolate has from later stays. */
  #bringNear(key: string, entry: StoredResponse): void {
    const near = this.#isolate?.get(key);
    if (near?.kind !== "response" || near.receivedMs < entry.receivedMs) this.#isolate?.put(key, entry);
  }

  /** A point in time for `put`: what was asked for before an invalidation is not stored after it. */
  mark(): number {
    return this.#invalidations.mark();
  }

  /**
   * Keeps an entry in all tiers, unless its key was invalidated since the mark. The promise is that of the edge.
   */
  put(primary: string, entry: Unplaced, exchange: Exchange, mark: number): Promise<unknown> | undefined {
    if (this.#invalidations.since(primary, mark)) return undefined;
    if (this.#isolate !== undefined) {
      return this.#place(primary, this.#isolate.get(primary), entry, exchange);
    }
    return this.#edge?.get(primary).then((known) => this.#place(primary, known, entry, exchange));
  }

  /** Takes one variant away: what came in its place cannot be stored. */
  async drop(primary: string, exchange: Exchange): Promise<void> {
    const known = this.#isolate?.get(primary) ?? (await this.#edge?.get(primary));
    const key = known?.kind === "variants" ? this.#keyIn(known, primary, exchange) : primary;
    this.#isolate?.delete(key);
    await this.#edge?.delete(key);
  }

  /** Forgets every variant of a key, and those that are on their way. */
  async forget(primary: string): Promise<void> {
    this.#invalidations.add(primary);
    this.#isolate?.delete(primary);
    await this.#edge?.delete(primary);
  }

  #place(
    primary: string,
    known: Stored | undefined,
    unplaced: Unplaced,
    exchange: Exchange,
  ): Promise<unknown> | undefined {
    const variant = variantOf(exchange, this.#parts, unplaced.names);
    const alone = this.#plain && unplaced.names.length === 0;
    if (alone && (known === undefined || (known.kind === "response" && known.variant === variant))) {
      return this.#write(primary, { ...unplaced, variant });
    }
    const index = indexWith(known, unplaced.names, this.#uuid);
    const entry = { ...unplaced, names: index.names, variant: variantOf(exchange, this.#parts, index.names) };
    this.#isolate?.put(primary, index);
    const edge = this.#edge?.put(primary, index, INDEX_MS);
    return Promise.all([edge, this.#write(variantKey(primary, index.generation, entry.variant), entry)]);
  }

  #write(key: string, entry: StoredResponse): Promise<unknown> | undefined {
    this.#isolate?.put(key, entry);
    return this.#edge?.put(key, entry, keepMsOf(entry));
  }

  #keyIn(index: VariantIndex, primary: string, exchange: Exchange): string {
    return variantKey(primary, index.generation, variantOf(exchange, this.#parts, index.names));
  }

  /** What lies under a key, where it is the entry that a request selects. */
  #matching(stored: Stored | undefined, exchange: Exchange): Found {
    if (stored?.kind !== "response") return stored === undefined ? NOTHING : OTHERS;
    const selected = variantOf(exchange, this.#parts, stored.names) === stored.variant;
    return selected ? { entry: stored, others: false } : OTHERS;
  }
}

/** How long an index stays: as long as any entry may. */
const INDEX_MS = 365 * 86_400_000;

/** An index for entries that vary by these names too; the same one where it knows them. */
const indexWith = (known: Stored | undefined, names: readonly string[], uuid: () => string): VariantIndex => {
  if (known?.kind !== "variants") return { kind: "variants", names, generation: uuid() };
  if (names.every((name) => known.names.includes(name))) return known;
  return { ...known, names: [...new Set([...known.names, ...names])].sort() };
};
