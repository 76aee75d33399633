import type { Clock, Counter, Limit, LimitState } from "../../core/ports.ts";
import { type Bucket, fullBucket } from "./buckets.ts";

/**
 * Counts in the isolate's memory: exact for the requests of this isolate, and blind to those of others. A key belongs to one
 * limit for as long as the counter lives. Memory is bounded by the number of keys (100,000 by default, of 200 to 450 bytes each):
 * where one more would exceed it, keys whose bucket is full again go first, then those that were used least recently (a 64th of
 * all at a time), so that a caller who is being refused cannot push out their own bucket. There are no timers.
 *
 * A cost of 0 asks without charging: `allowed` then tells whether a unit is there.
 */
export class MemoryCounter implements Counter {
  readonly #clock: Clock;
  readonly #maxKeys: number;
  /** In the order of their last use, the oldest first. */
  readonly #buckets = new Map<string, Bucket>();
  #addedSinceSweep = 0;

  constructor(clock: Clock, options: { readonly maxKeys?: number } = {}) {
    this.#clock = clock;
    this.#maxKeys = options.maxKeys ?? 100_000;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  take(keys: readonly string[], limits: readonly Limit[], cost: number): readonly LimitState[] {
    const now = this.#clock.now();
    const needed = Math.max(cost, 1);
    const buckets: Bucket[] = [];
    let passed = true;
    for (let index = 0; index < keys.length; index++) {
      const bucket = this.#bucket(keys[index]!, limits[index]!);
      buckets.push(bucket);
      if (bucket.available(now) < needed) passed = false;
    }
    if (passed && cost > 0) this.#charge(keys, buckets, cost, now);
    return buckets.map((bucket, index) => stateOf(bucket, limits[index]!, passed ? 0 : needed, now));
  }

  /** The bucket of a key; a new one is remembered only when something is charged to it. */
  #bucket(key: string, limit: Limit): Bucket {
    const known = this.#buckets.get(key);
    if (known === undefined) return fullBucket(limit);
    this.#buckets.delete(key);
    this.#buckets.set(key, known);
    return known;
  }

  #charge(keys: readonly string[], buckets: readonly Bucket[], cost: number, now: number): void {
    for (let index = 0; index < buckets.length; index++) {
      const bucket = buckets[index]!;
      bucket.charge(cost, now);
      if (this.#buckets.has(keys[index]!)) continue;
      if (this.#buckets.size >= this.#maxKeys) this.#makeRoom(now);
      this.#buckets.set(keys[index]!, bucket);
      this.#addedSinceSweep++;
    }
  }

  #makeRoom(now: number): void {
    // A sweep looks at every key: one for each eighth of the keys that were added keeps its share of an addition constant.
    if (this.#addedSinceSweep >= this.#maxKeys >> 3) {
      this.#addedSinceSweep = 0;
      for (const [key, bucket] of this.#buckets) if (bucket.expiresAt <= now) this.#buckets.delete(key);
    }
    // Some at a time: a Map finds its first key only past the places of all that were deleted before it.
    let excess = this.#buckets.size - this.#maxKeys + 1;
    if (excess > 0) excess += this.#maxKeys >> 6;
    for (const key of this.#buckets.keys()) {
      if (excess-- <= 0) break;
      this.#buckets.delete(key);
    }
  }
}

/** The state after the decision; `needed` units were asked for in vain, or 0 where the request passed. */
const stateOf = (bucket: Bucket, limit: Limit, needed: number, now: number): LimitState => {
  const remaining = bucket.available(now);
  const allowed = remaining >= needed;
  const all = limit.algorithm === "tokenBucket" ? (limit.burst ?? limit.quantity) : limit.quantity;
  const waitMs = bucket.msUntil(allowed ? all : needed, now);
  return { remaining, resetSeconds: Math.max(allowed ? 0 : 1, Math.ceil(waitMs / 1000)), allowed };
};
