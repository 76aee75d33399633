const SECOND_MS = 1000;

/**
 * Counts work under way that may never say that it ended: where a client goes away the platform may end a request's context,
 * and its promises and timers with it. Each piece has a lease and is forgotten when that is over, a second late at most.
 * No timer and no list: what ends in the same second is counted together.
 */
export class Leases {
  /** How many leases are over with each second, counted from the epoch. */
  readonly #overAt = new Map<number, number>();
  #count = 0;
  #second = 0;

  /** A piece of work begins that is over after `withinMs` at the latest. Answers its lease. */
  begin(nowMs: number, withinMs: number): number {
    const lease = Math.ceil((nowMs + withinMs) / SECOND_MS);
    this.#overAt.set(lease, (this.#overAt.get(lease) ?? 0) + 1);
    this.#count++;
    return lease;
  }

  /** The work with this lease ended, which counts once; nothing happens where it was forgotten before. */
  end(lease: number): void {
    const count = this.#overAt.get(lease);
    if (count === undefined) return;
    if (count === 1) this.#overAt.delete(lease);
    else this.#overAt.set(lease, count - 1);
    this.#count--;
  }

  /** Whether none is left, as far as was counted: what is over may be among it until `count` is asked. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** How many pieces are under way. */
  count(nowMs: number): number {
    const second = Math.floor(nowMs / SECOND_MS);
    if (second !== this.#second) this.#forget(second);
    return this.#count;
  }

  /** Once a second, and over no more entries than a lease has seconds. */
  #forget(second: number): void {
    this.#second = second;
    for (const [lease, count] of this.#overAt) {
      if (lease > second) continue;
      this.#overAt.delete(lease);
      this.#count -= count;
    }
  }
}
