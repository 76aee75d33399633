import type { Random } from "../../core/ports.ts";
import { hash32 } from "../../lib/hash.ts";
import type { StoredResponse } from "./entry.ts";
import type { TierName } from "./status.ts";
import type { Mark } from "./tiers.ts";

/** An entry that one request brought, for all who waited for it. */
export interface Landed {
  readonly entry: StoredResponse;
  /** Status of the upstream's answer; undefined where the entry came from a tier that another isolate had filled. */
  readonly upstream: number | undefined;
  /** Where it was found, where it was not the upstream that was asked. */
  readonly tier: TierName | undefined;
}

/**
 * What a flight came to: an entry; `alone`, when what came answers nobody but the request that it was asked for; `failed`, when
 * the upstream did; `nothing`, when it was not asked.
 */
export type Outcome = Landed | "alone" | "failed" | "nothing";

/** One request's work for a key, and how to wake those who wait for it. */
export interface Flight {
  readonly key: string;
  readonly startedAtMs: number;
  /** What was known of invalidations and purges when it began: it is not for those who ask after later ones. */
  readonly mark: Mark;
  readonly waiting: ((outcome: Outcome) => void)[];
  /** Whether others may wait for it; else it only tells what became of its key. */
  readonly leads: boolean;
  /** Lets its own request go. */
  readonly end: () => void;
  isOver: boolean;
  /** Whether it has the lease by which other isolates know of it. */
  hasLease: boolean;
}

/** A flight counts as lost after this time: its request ended, and took its I/O along. */
export const LOST_MS = 30_000;

/** Beyond it, what was lost is cleared away; where nothing was, nobody waits for anybody. */
const MOST_FLIGHTS = 4096;

/** How many keys are remembered whose answers do not serve others, and for how long; a number each. */
const MOST_ALONE = 4096;
const ALONE_MS = 60_000;

/**
 * The requests to upstreams that are under way in this isolate, one for each key, and the keys for which nobody should wait.
 *
 * On workerd I/O belongs to the request that began it, and a request whose client leaves may end with all of its promises
 * unsettled. So nobody awaits a promise of another request: who waits makes a promise and a timer of its own, and who leads works
 * under `waitUntil`, and wakes the others. What is handed over is plain: bytes, and headers without a body behind them.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  readonly #alone = new Map<number, number>();
  readonly #random: Random;
  /** Nobody can choose keys that are taken for others. */
  #seed: number | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The flight for a key that may still come to an end. */
  find(key: string, nowMs: number): Flight | undefined {
    const flight = this.#flights.get(key);
    return flight !== undefined && nowMs - flight.startedAtMs < LOST_MS ? flight : undefined;
  }

  /** Begins a flight in place of whatever is under the key. Where there are too many, nobody finds it. */
  begin(key: string, nowMs: number, mark: Mark, end: () => void): Flight {
    if (this.#flights.size >= MOST_FLIGHTS) this.#dropLost(nowMs);
    const flight: Flight = { ...this.scout(key, nowMs, mark), leads: true, end };
    if (this.#flights.size < MOST_FLIGHTS || this.#flights.has(key)) this.#flights.set(key, flight);
    return flight;
  }

  /** A flight that nobody waits for: it only tells what became of its key. */
  scout(key: string, nowMs: number, mark: Mark): Flight {
    const end = (): void => undefined;
    return { key, startedAtMs: nowMs, mark, waiting: [], leads: false, end, isOver: false, hasLease: false };
  }

  /** Whether what came for a key last served nobody else, so that to wait for it is in vain. */
  isAlone(key: string, nowMs: number): boolean {
    if (this.#alone.size === 0) return false;
    const until = this.#alone.get(this.#hash(key));
    return until !== undefined && until > nowMs;
  }

  /** Ends a flight and wakes those who wait. Later calls for the same flight do nothing. */
  land(flight: Flight, nowMs: number, outcome: Outcome): void {
    if (flight.isOver) return;
    flight.isOver = true;
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
    if (outcome === "alone") this.#note(flight.key, nowMs);
    else if (typeof outcome !== "string" && this.#alone.size > 0) this.#alone.delete(this.#hash(flight.key));
    for (const wake of flight.waiting) wake(outcome);
    flight.end();
  }

  #note(key: string, nowMs: number): void {
    const hash = this.#hash(key);
    this.#alone.delete(hash);
    if (this.#alone.size >= MOST_ALONE) this.#alone.delete(this.#alone.keys().next().value!);
    this.#alone.set(hash, nowMs + ALONE_MS);
  }

  #hash(key: string): number {
    this.#seed ??= Math.floor(this.#random.number() * 2 ** 32);
    return hash32(key, this.#seed);
  }

  #dropLost(nowMs: number): void {
    for (const [key, { startedAtMs }] of this.#flights)
      if (nowMs - startedAtMs >= LOST_MS) this.#flights.delete(key);
  }
}

/**
 * Waits for another request's flight, at most so many milliseconds; undefined when that is over first. The timer belongs to the
 * request that waits, and keeps it from looking as if nothing could ever wake it.
 */
export const waitFor = (flight: Flight, atMostMs: number): Promise<Outcome | undefined> => {
  let timer: ReturnType<typeof setTimeout>;
  return new Promise<Outcome | undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), atMostMs);
    flight.waiting.push(resolve);
  }).then((outcome) => {
    clearTimeout(timer);
    return outcome;
  });
};
