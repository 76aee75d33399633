import type { Purges } from "../../core/purge.ts";
import { hash32 } from "../../lib/hash.ts";
import { type Stored, weightOf } from "./entry.ts";
import { isPurged } from "./purged.ts";

interface Slot {
  readonly stored: Stored;
  readonly weight: number;
  /** Uses since it was last looked at for eviction, at most 3. */
  uses: number;
  /** The last purge that is known to have left it in place. */
  purgesSeen: number;
}

/** The part of the memory in which newcomers must show that they are asked for again. */
const PROBATION_PART = 0.1;
/** One entry takes at most this part, so that it cannot push out everything else. */
const LARGEST_PART = 0.25;
const MOST_USES = 3;
/** How many keys are remembered that left the probation unused; a number each. */
const REMEMBERED = 4096;
const REMEMBERED_BYTES = REMEMBERED * 40;

/**
 * Entries in the memory of the isolate, bounded by bytes. S3-FIFO (Yang et al., SOSP 2023): newcomers pass a short queue,
 * only those that were used there, or come back soon after, enter the long one; a use sets a counter and moves nothing. So
 * a look-up is one or two look-ups in a Map, and a flood of keys that are asked for once leaves what is used in place.
 */
export class IsolateTier {
  readonly #limit: number;
  readonly #purges: Purges | undefined;
  readonly #probation = new Map<string, Slot>();
  readonly #main = new Map<string, Slot>();
  readonly #left = new Set<number>();
  #probationBytes = 0;
  #mainBytes = 0;

  /** `limitBytes` bounds the sum of the estimated weights of all entries. */
  constructor(limitBytes: number, purges?: Purges) {
    this.#purges = purges;
    this.#limit = Math.max(0, limitBytes - REMEMBERED_BYTES);
  }

  /** Estimated bytes in use. */
  get bytes(): number {
    return this.#probationBytes + this.#mainBytes + REMEMBERED_BYTES;
  }

  /** What is kept under a key, unless a purge has taken it away. */
  get(key: string): Stored | undefined {
    const slot = this.#main.get(key) ?? this.#probation.get(key);
    if (slot === undefined) return undefined;
    const purges = this.#purges;
    if (purges !== undefined && slot.purgesSeen !== purges.last && this.#isPurged(key, slot))
      return undefined;
    if (slot.uses < MOST_USES) slot.uses++;
    return slot.stored;
  }

  /** Keeps an entry in place of the one under the same key. One that is too large is not kept. */
  put(key: string, stored: Stored): void {
    const weight = weightOf(key, stored);
    const old = this.#remove(key);
    if (weight > this.#limit * LARGEST_PART) return;
    const slot: Slot = { stored, weight, uses: old?.uses ?? 0, purgesSeen: -1 };
    if (old !== undefined || this.#left.delete(hash32(key))) this.#addToMain(key, slot);
    else {
      this.#probation.set(key, slot);
      this.#probationBytes += weight;
    }
    while (this.#probationBytes + this.#mainBytes > this.#limit) this.#evict();
  }

  delete(key: string): void {
    this.#remove(key);
  }

  /** Looks once for each purge. An index only leads to entries, which have to stand by themselves. */
  #isPurged(key: string, slot: Slot): boolean {
    const { stored } = slot;
    if (stored.kind === "response" && isPurged(this.#purges, stored)) {
      this.#remove(key);
      return true;
    }
    slot.purgesSeen = this.#purges!.last;
    return false;
  }

  #addToMain(key: string, slot: Slot): void {
    this.#main.set(key, slot);
    this.#mainBytes += slot.weight;
  }

  #remove(key: string): Slot | undefined {
    const main = this.#main.get(key);
    if (main !== undefined) {
      this.#main.delete(key);
      this.#mainBytes -= main.weight;
      return main;
    }
    const probation = this.#probation.get(key);
    if (probation !== undefined) {
      this.#probation.delete(key);
      this.#probationBytes -= probation.weight;
    }
    return probation;
  }

  #evict(): void {
    if (this.#probationBytes > this.#limit * PROBATION_PART || this.#main.size === 0) this.#endProbation();
    else this.#turnMain();
  }

  /** The oldest newcomer enters the long queue when it was used, else it goes, and its key is remembered. */
  #endProbation(): void {
    const [key, slot] = this.#probation.entries().next().value!;
    this.#remove(key);
    if (slot.uses > 0) {
      slot.uses--;
      this.#addToMain(key, slot);
      return;
    }
    this.#left.add(hash32(key));
    if (this.#left.size > REMEMBERED) this.#left.delete(this.#left.values().next().value!);
  }

  /** The oldest of the long queue goes round once more for each of its uses, else it goes. */
  #turnMain(): void {
    const [key, slot] = this.#main.entries().next().value!;
    this.#remove(key);
    if (slot.uses === 0) return;
    slot.uses--;
    this.#addToMain(key, slot);
  }
}
