import type { Random, Store } from "../../core/ports.ts";
import { storeKey } from "./redis-tier.ts";

/** A lease ends by itself after this time: whoever took it may be gone. */
const LEASE_MS = 5_000;

/** For how long it is known that what a key's origin answers cannot be stored. */
const UNCACHEABLE_MS = 30_000;

/** What tells who has a lease. */
export type Lease = string;

/**
 * Agreements between isolates about one key, through Redis: who asks the origin, and that asking in turn is in vain. Both only
 * save work: without Redis, or without an answer of it in time, everybody may ask.
 */
export class Leases {
  readonly #store: Store | undefined;
  readonly #random: Random;

  constructor(store: Store | undefined, random: Random) {
    this.#store = store;
    this.#random = random;
  }

  /** Whether there is anybody to agree with; without, `claim` answers at once. */
  get areShared(): boolean {
    return this.#store !== undefined;
  }

  /**
   * Takes the lease of a key: of all who ask, one gets it until it is released, or for five seconds; the others get undefined.
   * Never rejects.
   */
  claim(key: string): Lease | Promise<Lease | undefined> {
    if (this.#store === undefined) return "";
    const lease = this.#random.uuid();
    return this.#store.claim(leaseKey(key), LEASE_MS, lease).then((granted) => (granted ? lease : undefined));
  }

  /**
   * Gives a lease back, unless its time was over and somebody else has the next; nobody waits for that, but to keep the work
   * alive.
   */
  release(key: string, lease: Lease): Promise<void> | undefined {
    return this.#store?.release(leaseKey(key), lease);
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
