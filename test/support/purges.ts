import type { PurgeScope, Purges } from "../../src/core/purge.ts";

/** Purges of a test: known here at once, or when the test lets them be learned. */
export class FakePurges implements Purges {
  last = 0;
  /** What a request has to wait for before it knows; undefined for nothing. */
  pending: Promise<void> | undefined;
  /** How often somebody asked what is new, and for a purge of scopes. */
  asked = 0;
  looked = 0;
  /** What was purged, in order. */
  readonly purged: PurgeScope[] = [];
  /** Whether others can be told of purges. */
  isTold = true;
  readonly #numbers = new Map<PurgeScope, number>();

  lastOf(scopes: readonly PurgeScope[]): number {
    this.looked++;
    return Math.max(0, ...scopes.map((scope) => this.#numbers.get(scope) ?? 0));
  }

  catchUp(): Promise<void> | undefined {
    this.asked++;
    return this.pending;
  }

  async purge(scopes: readonly PurgeScope[]): Promise<boolean> {
    this.last++;
    this.purged.push(...scopes);
    for (const scope of scopes) this.#numbers.set(scope, this.last);
    return this.isTold;
  }
}
