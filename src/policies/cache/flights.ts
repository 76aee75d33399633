import type { Random } from "../../core/ports.ts";
import { hash32 } from "../../lib/hash.ts";
import type { StoredResponse } from "./entry.ts";
import type { Lease } from "./lease.ts";
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
  /** Whether the upstream has answered, and the body is on its way. */
  hasAnswer: boolean;
  /** The lease by which other isolates know of it; undefined while it has none. */
  lease: Lease | undefined;
}

/** A flight counts as lost after this time: its request ended, and took its I/O along. */
export const LOST_MS = 30_000;

const NEW = { isOver: false, hasAnswer: false, lease: undefined };

/** Beyond it, what was lost is cleared away; where nothing was, nobody waits for anybody. */
const MOST_FLIGHTS = 4096;

/** How many keys are remembered of which something is known, and for how long; a number each. */
const MOST_KNOWN = 4096;
const KNOWN_MS = 60_000;

/**
 * The requests to upstreams that are under way in this isolate, one for each key, and the keys for which nobody should wait.
 *
 * On workerd I/O belongs to the request that began it, and a request whose client leaves may end with all of its promises
 * unsettled. So nobody awaits a promise of another request: who waits makes a promise and a timer of its own, and who leads works
 * under `waitUntil`, and wakes the others. What is handed over is plain: bytes, and headers without a body behind them.
 */
export class Flights {
  readonly #flights = new Map<string, Flight>();
  /** Until when it is known of keys that nobody should wait, and that somebody asked about a copy alone. */
  readonly #alone = new Map<number, number>();
  readonly #copies = new Map<number, number>();
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
    return { key, startedAtMs: nowMs, mark, waiting: [], leads: false, end, ...NEW };
  }

  /** Whether what came for a key last served nobody else, so that to wait for it is in vain. */
  isAlone(key: string, nowMs: number): boolean {
    if (this.#alone.size === 0) return false;
    const until = this.#alone.get(this.#hash(key));
    return until !== undefined && until > nowMs;
  }

  /** Notes that nobody should wait for what comes for a key. */
  leaveAlone(key: string, nowMs: number): void {
    this.#note(this.#alone, key, nowMs);
  }

  /** Notes that somebody asks about a copy of its own alone, and answers whether somebody else did so a short while ago. */
  asksAboutCopy(key: string, nowMs: number): boolean {
    const until = this.#copies.get(this.#hash(key));
    this.#note(this.#copies, key, nowMs);
    return until !== undefined && until > nowMs;
  }

  /** Ends a flight and wakes those who wait. Later calls for the same flight do nothing. */
  land(flight: Flight, nowMs: number, outcome: Outcome): void {
    if (flight.isOver) return;
    flight.isOver = true;
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
    if (outcome === "alone") this.leaveAlone(flight.key, nowMs);
    else if (typeof outcome !== "string" && this.#alone.size > 0) this.#alone.delete(this.#hash(flight.key));
    for (const wake of flight.waiting) wake(outcome);
    flight.end();
  }

  #note(known: Map<number, number>, key: string, nowMs: number): void {
    const hash = this.#hash(key);
    known.delete(hash);
    if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!);
    known.set(hash, nowMs + KNOWN_MS);
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
