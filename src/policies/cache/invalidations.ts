/** How many keys are remembered one by one. */
const REMEMBERED = 4096;

/**
 * Which keys were invalidated while responses for them were on their way: what was asked for before an unsafe request
 * succeeded must not be stored after it. Counts events instead of looking at a clock that may stand still.
 */
export class Invalidations {
  readonly #last = new Map<string, number>();
  #now = 0;
  /** Everything before it counts as invalidated: what is known of single keys does not reach further back. */
  #floor = 0;

  /** The point after which an invalidation concerns what the caller is about to ask the upstream. */
  mark(): number {
    return this.#now;
  }

  add(key: string): void {
    this.#last.delete(key);
    this.#last.set(key, ++this.#now);
    if (this.#last.size <= REMEMBERED) return;
    const [oldest, at] = this.#last.entries().next().value!;
    this.#last.delete(oldest);
    this.#floor = at;
  }

  /** Whether a key was invalidated after the mark. */
  since(key: string, mark: number): boolean {
    return mark < this.#floor || (this.#last.get(key) ?? 0) > mark;
  }
}
