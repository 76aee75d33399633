import type { Exchange } from "../../core/exchange.ts";
import type { Ports } from "../../core/ports.ts";
import { fetchKeySet, PATIENCE_MS } from "./fetch-key-set.ts";
import type { RemoteJwksPlan } from "./issuer-plan.ts";
import { candidates, type VerifyKey } from "./verify-key.ts";

/** The keys that may have signed a token (none is an answer), or that nobody can say now. */
export type Found = { readonly keys: readonly VerifyKey[] } | { readonly retryAfterSeconds: number };

/** Where the keys of an issuer come from. */
export interface KeySet {
  /** Whether what is known may be relied on now; when not, `find` looks first. Starts a refresh when one is due. */
  current(exchange: Exchange): boolean;
  /** Keys for an algorithm and a `kid`. Never rejects. */
  find(algorithm: string, kid: string | undefined, exchange: Exchange): Found | Promise<Found>;
}

/** How long a caller is asked to wait for an issuer that no time will bring back: its keys are missing here. */
const MISSING_RETRY_SECONDS = 60;

/** Keys that are here from the start; `undefined` when they should be, and are not. */
export const fixedKeySet = (keys: readonly VerifyKey[] | undefined): KeySet => ({
  current: () => true,
  find: (algorithm, kid) =>
    keys === undefined
      ? { retryAfterSeconds: MISSING_RETRY_SECONDS }
      : { keys: candidates(keys, algorithm, kid) },
});

/** A fetch under way, and how to wake those who wait for it. */
interface Flight {
  readonly startedAtMs: number;
  readonly waiting: (() => void)[];
}

/** After this a flight counts as lost: its request ended, and took its I/O along. */
const LEASE_MS = PATIENCE_MS + 1000;
/** The part of its life after which a set is refreshed, while it is still used. */
const REFRESH_AT = 0.8;

/**
 * The keys of an issuer from its address. Kept for `maxAge` and refreshed in the background before that is over; while the
 * issuer is away the last good set is used without limit, and asked for again once per cooldown. A `kid` that is not in the
 * set causes one fetch per cooldown; a set that was never there cannot judge anybody.
 *
 * One fetch at a time, also on Workers, where I/O belongs to the request that began it. Tried on workerd 1.20261023.1: a
 * promise of one request that another awaits never settles when the first is over before its I/O is; there is no error,
 * the second hangs. A promise of one's own that the other's code resolves is continued in the right request, but without
 * I/O of one's own under way workerd ends the request at once ("your Worker's code had hung"). So: who waits makes its own
 * promise, with a timer of its own beside it, and who fetches does so under `waitUntil`, and wakes them in the end.
 */
export class RemoteKeySet implements KeySet {
  readonly #name: string;
  readonly #plan: RemoteJwksPlan;
  readonly #ports: Ports;
  #keys: readonly VerifyKey[] | undefined;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  /** When a token last named a key that a fresh look did not find. */
  #missedAtMs = Number.NEGATIVE_INFINITY;
  #flight: Flight | undefined;

  constructor(name: string, plan: RemoteJwksPlan, ports: Ports) {
    this.#name = name;
    this.#plan = plan;
    this.#ports = ports;
  }

  current(exchange: Exchange): boolean {
    const nowMs = this.#ports.clock.now();
    const { maxAgeMs } = this.#plan;
    if (nowMs - this.#fetchedAtMs < maxAgeMs * REFRESH_AT) return true;
    // Nobody has looked for a whole life, such as in an isolate that slept: a key may have been withdrawn.
    if (this.#keys === undefined || nowMs - Math.max(this.#fetchedAtMs, this.#failedAtMs) >= maxAgeMs)
      return false;
    if (!this.#isFlying(nowMs) && !this.#isCooling(this.#failedAtMs, nowMs)) this.#fly(exchange, nowMs);
    return true;
  }

  find(algorithm: string, kid: string | undefined, exchange: Exchange): Found | Promise<Found> {
    const look = (): Found => this.#find(algorithm, kid);
    if (!this.current(exchange)) return this.#ask(exchange).then(() => this.#settle(look()));
    const found = look();
    if ("retryAfterSeconds" in found || found.keys.length > 0) return found;
    const nowMs = this.#ports.clock.now();
    if (this.#isCooling(this.#missedAtMs, nowMs)) return this.#settle(found);
    return this.#ask(exchange).then(() => this.#settle(look()));
  }

  #find(algorithm: string, kid: string | undefined): Found {
    if (this.#keys !== undefined) return { keys: candidates(this.#keys, algorithm, kid) };
    const readyAtMs = this.#failedAtMs + this.#plan.cooldownMs;
    const seconds = Math.ceil((readyAtMs - this.#ports.clock.now()) / 1000);
    return { retryAfterSeconds: Math.max(1, seconds) };
  }

  /** After a look: a key that is not there is known to be missing, unless the issuer could not be asked. */
  #settle(found: Found): Found {
    if (!("keys" in found) || found.keys.length > 0) return found;
    const nowMs = this.#ports.clock.now();
    if (this.#failedAtMs > this.#fetchedAtMs)
      return {
        retryAfterSeconds: Math.max(1, Math.ceil((this.#failedAtMs + this.#plan.cooldownMs - nowMs) / 1000)),
      };
    if (!this.#isCooling(this.#missedAtMs, nowMs)) this.#missedAtMs = nowMs;
    return found;
  }

  /** Waits for the fetch under way, or fetches, or does nothing when the issuer failed a moment ago. */
  #ask(exchange: Exchange): Promise<void> {
    const nowMs = this.#ports.clock.now();
    if (this.#isFlying(nowMs)) return waitFor(this.#flight!);
    if (this.#isCooling(this.#failedAtMs, nowMs)) return Promise.resolve();
    return this.#fly(exchange, nowMs);
  }

  #isFlying(nowMs: number): boolean {
    return this.#flight !== undefined && nowMs - this.#flight.startedAtMs < LEASE_MS;
  }

  #isCooling(sinceMs: number, nowMs: number): boolean {
    return nowMs - sinceMs < this.#plan.cooldownMs;
  }

  #fly(exchange: Exchange, nowMs: number): Promise<void> {
    const flight: Flight = { startedAtMs: nowMs, waiting: [] };
    this.#flight = flight;
    const work = fetchKeySet(this.#plan, this.#ports)
      .then(
        (keys) => this.#land(flight, keys),
        (error: unknown) => this.#crash(flight, error),
      )
      .then(() => {
        for (const wake of flight.waiting) wake();
      });
    exchange.defer.waitUntil(work);
    return work;
  }

  /** Takes a fetched set; a key that was there before stays the same object, and with it the tokens that it verified. */
  #land(flight: Flight, fetched: readonly VerifyKey[]): void {
    if (this.#flight !== flight) return;
    const before = new Map(this.#keys?.map((key) => [key.fingerprint, key]));
    const keys = fetched.map((key) => before.get(key.fingerprint) ?? key);
    for (const key of before.values()) key.alive = keys.includes(key);
    this.#keys = keys;
    this.#fetchedAtMs = this.#ports.clock.now();
    this.#flight = undefined;
  }

  #crash(flight: Flight, error: unknown): void {
    if (this.#flight !== flight) return;
    this.#failedAtMs = this.#ports.clock.now();
    this.#flight = undefined;
    this.#ports.log.write({
      level: "warn",
      message: "The key set of an issuer could not be fetched.",
      issuer: this.#name,
      reason: error instanceof Error ? error.message : String(error),
      keptKeys: this.#keys?.length ?? 0,
    });
  }
}

/** Waits for another request's fetch, at most as long as it may take; the timer is cleared in the request that set it. */
const waitFor = (flight: Flight): Promise<void> => {
  let timer: ReturnType<typeof setTimeout>;
  return new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LEASE_MS);
    flight.waiting.push(resolve);
  }).then(() => clearTimeout(timer));
};
