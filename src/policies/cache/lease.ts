import type { Store } from "../../core/ports.ts";
import { storeKey } from "./redis-tier.ts";

/** A lease ends by itself after this time: whoever took it may be gone. */
const LEASE_MS = 5_000;

/** For how long it is known that what a key's origin answers cannot be stored. */
const UNCACHEABLE_MS = 30_000;

/**
 * Agreements between isolates about one key, through Redis: who asks the origin, and that asking in turn is in vain. Both only
 * save work: without Redis, or without an answer of it in time, everybody may ask.
 */
export class Leases {
  readonly #store: Store | undefined;

  constructor(store: Store | undefined) {
    this.#store = store;
  }

  /** Whether there is anybody to agree with; without, `claim` is always true. */
  get areShared(): boolean {
    return this.#store !== undefined;
  }

  /** Takes the lease of a key: of all who ask, one gets `true` until it is released, or for five seconds. Never rejects. */
  claim(key: string): true | Promise<boolean> {
    return this.#store === undefined || this.#store.claim(leaseKey(key), LEASE_MS);
  }

  /** Gives a lease back; nobody waits for that, but to keep the work alive. */
  release(key: string): Promise<void> | undefined {
    return this.#store?.delete(leaseKey(key));
  }

  /**
   * Notes for half a minute that the answers for a primary key cannot be stored, unless something is stored there; a look-up then
   * tells (`Found.uncacheable`). An entry that is stored after all takes its place.
   */
  markUncacheable(primary: string): Promise<unknown> | undefined {
    return this.#store?.claim(storeKey(primary), UNCACHEABLE_MS);
  }
}

/** Leases lie beside the entries, under keys that no entry has. */
const leaseKey = (key: string): string => storeKey(`L${key}`);
