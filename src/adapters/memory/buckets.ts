import type { Limit } from "../../core/ports.ts";

/** The units of one key against one limit. Times are milliseconds since the epoch; a clock that steps back frees nothing. */
export interface Bucket {
  /** How many units may be taken at this moment. */
  available(now: number): number;
  /** Takes units that `available` has just said are there. */
  charge(cost: number, now: number): void;
  /** Milliseconds until so many units are there, all of them where there are not so many; called after `available`. */
  msUntil(units: number, now: number): number;
  /** When all units are there again, so that nothing is lost by forgetting the bucket. */
  readonly expiresAt: number;
}

/** A full bucket for a limit. */
export const fullBucket = (limit: Limit): Bucket => {
  switch (limit.algorithm) {
    case "fixedWindow":
      return new FixedWindow(limit);
    case "slidingWindow":
      return new SlidingWindow(limit);
    case "tokenBucket":
      return new TokenBucket(limit);
  }
};

/** Windows that follow each other from the epoch on: cheapest, and twice the quantity may pass around an edge. */
class FixedWindow implements Bucket {
  readonly #limit: Limit;
  #used = 0;
  expiresAt = 0;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  available(now: number): number {
    if (now >= this.expiresAt) {
      const { windowMs } = this.#limit;
      this.expiresAt = now - (now % windowMs) + windowMs;
      this.#used = 0;
    }
    return this.#limit.quantity - this.#used;
  }

  charge(cost: number): void {
    this.#used += cost;
  }

  msUntil(units: number, now: number): number {
    return this.#limit.quantity - this.#used >= units ? 0 : this.expiresAt - now;
  }
}

/** Into how many runs a sliding window is divided: what a key may cost in memory, and how late units come back. */
const RUNS = 16;

/**
 * A log of the window in runs: units that are taken in the same sixteenth of a window are kept as one run, and count until
 * the last of them is a whole window old. So no window of any position holds more than the quantity, which two weighted
 * counters do not give (nearly twice the quantity may pass them); a unit comes back at most a sixteenth of the window late.
 */
class SlidingWindow implements Bucket {
  readonly #limit: Limit;
  /** Pairs, the oldest first: when the run's last unit was taken, and how many units it holds. Flat, to be small. */
  readonly #runs: number[] = [];
  #used = 0;

  constructor(limit: Limit) {
    this.#limit = limit;
  }

  available(now: number): number {
    const runs = this.#runs;
    const gone = now - this.#limit.windowMs;
    let ended = 0;
    while (ended < runs.length && runs[ended]! <= gone) {
      this.#used -= runs[ended + 1]!;
      ended += 2;
    }
    if (ended > 0) runs.splice(0, ended);
    return this.#limit.quantity - this.#used;
  }

  charge(cost: number, now: number): void {
    const runs = this.#runs;
    const slice = this.#limit.windowMs / RUNS;
    const at = runs.length - 2;
    this.#used += cost;
    if (at >= 0 && Math.floor(runs[at]! / slice) >= Math.floor(now / slice)) {
      runs[at] = Math.max(runs[at]!, now);
      runs[at + 1]! += cost;
    } else runs.push(now, cost);
  }

  msUntil(units: number, now: number): number {
    const runs = this.#runs;
    let there = this.#limit.quantity - this.#used;
    let wait = 0;
    for (let at = 0; at < runs.length && there < units; at += 2) {
      there += runs[at + 1]!;
      wait = runs[at]! + this.#limit.windowMs - now;
    }
    return wait;
  }

  get expiresAt(): number {
    const last = this.#runs[this.#runs.length - 2];
    return last === undefined ? 0 : last + this.#limit.windowMs;
  }
}

/**
 * Tokens that drip in evenly, up to the burst. The level is kept in tokens times milliseconds of the window, so that every
 * number is an integer: a millisecond adds `quantity`, a token costs `windowMs`.
 */
class TokenBucket implements Bucket {
  readonly #limit: Limit;
  readonly #capacity: number;
  #level: number;
  #at = 0;

  constructor(limit: Limit) {
    this.#limit = limit;
    this.#capacity = (limit.burst ?? limit.quantity) * limit.windowMs;
    this.#level = this.#capacity;
  }

  available(now: number): number {
    if (now > this.#at) {
      // Compared first: the product of a long absence need not be a safe integer.
      this.#level =
        now >= this.expiresAt ? this.#capacity : this.#level + (now - this.#at) * this.#limit.quantity;
      this.#at = now;
    }
    return Math.floor(this.#level / this.#limit.windowMs);
  }

  charge(cost: number): void {
    this.#level -= cost * this.#limit.windowMs;
  }

  msUntil(units: number, now: number): number {
    const missing = Math.min(units * this.#limit.windowMs, this.#capacity) - this.#level;
    return missing <= 0 ? 0 : this.#at + Math.ceil(missing / this.#limit.quantity) - now;
  }

  get expiresAt(): number {
    return this.#at + Math.ceil((this.#capacity - this.#level) / this.#limit.quantity);
  }
}
