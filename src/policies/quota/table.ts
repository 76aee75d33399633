/** How much a request would take, and of what. */
export interface Charge {
  readonly key: string;
  readonly quantity: number;
  readonly cost: number;
  /** When the period ends in which it is charged. */
  readonly endMs: number;
}

interface Used {
  units: number;
  endMs: number;
}

/**
 * What was used of quotas in their present periods, in the isolate's memory. It is bounded by the number of keys: where one more
 * would exceed it, keys whose period is over go first, then those that were used least recently (a 64th of all at a time), and
 * what they had used is forgotten. There are no timers.
 */
export class QuotaTable {
  readonly #maxKeys: number;
  /** In the order of their last use, the oldest first. */
  readonly #used = new Map<string, Used>();
  #addedSinceSweep = 0;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#used.size;
  }

  /** Makes all charges, or none where one of them is over its quota. Answers whether it made them. */
  take(charges: readonly Charge[], nowMs: number): boolean {
    let passes = true;
    for (const { key, quantity, cost, endMs } of charges)
      if (this.#unitsOf(key, endMs) + cost > quantity) passes = false;
    if (passes) for (const charge of charges) this.#charge(charge, nowMs);
    return passes;
  }

  /** How many units are left in the period of a charge. */
  left({ key, quantity, endMs }: Charge): number {
    const used = this.#used.get(key);
    return used === undefined || used.endMs < endMs ? quantity : quantity - used.units;
  }

  /** Counts as a use, so that a caller who is being refused does not fall out of the table. */
  #unitsOf(key: string, endMs: number): number {
    const used = this.#used.get(key);
    if (used === undefined) return 0;
    this.#used.delete(key);
    this.#used.set(key, used);
    if (used.endMs >= endMs) return used.units;
    used.units = 0;
    used.endMs = endMs;
    return 0;
  }

  #charge({ key, cost, endMs }: Charge, nowMs: number): void {
    const used = this.#used.get(key);
    if (used !== undefined) {
      used.units += cost;
      return;
    }
    if (this.#used.size >= this.#maxKeys) this.#makeRoom(nowMs);
    this.#used.set(key, { units: cost, endMs });
    this.#addedSinceSweep++;
  }

  #makeRoom(nowMs: number): void {
    // A sweep looks at every key: one for each eighth of the keys that were added keeps its share of an addition constant.
    if (this.#addedSinceSweep >= this.#maxKeys >> 3) {
      this.#addedSinceSweep = 0;
      for (const [key, { endMs }] of this.#used) if (endMs <= nowMs) this.#used.delete(key);
    }
    // Some at a time: a Map finds its first key only past the places of all that were deleted before it.
    let excess = this.#used.size - this.#maxKeys + 1;
    if (excess > 0) excess += this.#maxKeys >> 6;
    for (const key of this.#used.keys()) {
      if (excess-- <= 0) break;
      this.#used.delete(key);
    }
  }
}
