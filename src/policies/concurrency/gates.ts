import { Leases } from "../../lib/leases.ts";

/**
 * Counts what is under way by key, in the isolate's memory. Keys of which nothing is under way are forgotten at once, or, where
 * the end was never told, when one more key would exceed the bound and the time of their leases is over. Where that is not
 * enough the oldest keys go (a 64th of all at a time), and are then counted from nothing.
 */
export class Gates {
  readonly #maxKeys: number;
  /** In the order in which they became busy. */
  readonly #busy = new Map<string, Leases>();
  #addedSinceSweep = 0;

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#busy.size;
  }

  /** How much is under way of a key. */
  count(key: string, nowMs: number): number {
    return this.#busy.get(key)?.count(nowMs) ?? 0;
  }

  /** Something of a key begins that is forgotten after `withinMs`. Answers the function that ends it, to be called once. */
  begin(key: string, nowMs: number, withinMs: number): () => void {
    const leases = this.#busy.get(key) ?? this.#add(key, nowMs);
    const lease = leases.begin(nowMs, withinMs);
    return () => {
      leases.end(lease);
      if (leases.isEmpty && this.#busy.get(key) === leases) this.#busy.delete(key);
    };
  }

  #add(key: string, nowMs: number): Leases {
    if (this.#busy.size >= this.#maxKeys) this.#makeRoom(nowMs);
    const leases = new Leases();
    this.#busy.set(key, leases);
    this.#addedSinceSweep++;
    return leases;
  }

  #makeRoom(nowMs: number): void {
    // A sweep looks at every key: one for each eighth of the keys that were added keeps its share of an addition constant.
    if (this.#addedSinceSweep >= this.#maxKeys >> 3) {
      this.#addedSinceSweep = 0;
      for (const [key, leases] of this.#busy) if (leases.count(nowMs) === 0) this.#busy.delete(key);
    }
    let excess = this.#busy.size - this.#maxKeys + 1;
    if (excess > 0) excess += this.#maxKeys >> 6;
    for (const key of this.#busy.keys()) {
      if (excess-- <= 0) break;
      this.#busy.delete(key);
    }
  }
}
