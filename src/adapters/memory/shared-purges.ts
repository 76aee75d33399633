import type { Clock, Defer } from "../../core/ports.ts";
import type { PurgeLog, PurgeScope, Purges } from "../../core/purge.ts";
import { SingleFlight } from "../../lib/single-flight.ts";
import { PurgeTable, UNITS_A_MS } from "./purges.ts";

/** What is known is no older than that when it is used: elsewhere a purge counts within this time. */
const OLD_MS = 5000;
/** From this age on it is brought up to date beside requests, so that under steady traffic none has to wait. */
const AGING_MS = 2500;
/** No request waits for longer than this. */
const WAIT_MS = 50;
/** A reading counts as lost after that; the log has to bound its answers to less. */
const LEASE_MS = 1500;
/** After so many failures in turn, nobody waits before one has succeeded. */
const FAILURES = 3;
/**
 * Purges of all isolates that share a log. The log numbers them one after the other, so that none can come to stand below one
 * that was read: to read on from the last number that was read misses nothing. The number of a purge of this isolate is no
 * such number, for others may have purged in between.
 *
 * Until the log has numbered a purge of this isolate, it stands just above all that is known: were it given a time by the clock
 * here, and that clock ran ahead, then what is stored after it would look newer than purges that are yet to come elsewhere.
 */
export class SharedPurges implements Purges {
  readonly #log: PurgeLog;
  readonly #clock: Clock;
  readonly #table = new PurgeTable();
  readonly #flight = new SingleFlight(LEASE_MS);
  /** Up to here the log was read. */
  #readTo = 0;
  /** When the reading began that brought what is known. */
  #knownAtMs = Number.NEGATIVE_INFINITY;
  #begunAtMs = 0;
  #failures = 0;

  constructor(log: PurgeLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  get last(): number {
    return this.#table.last;
  }

  lastOf(scopes: readonly PurgeScope[]): number {
    return this.#table.lastOf(scopes);
  }

  catchUp(defer: Defer): Promise<void> | undefined {
    const nowMs = this.#clock.now();
    const ageMs = nowMs - this.#knownAtMs;
    // A clock that was put back must not keep us from reading.
    if (ageMs >= 0 && ageMs < AGING_MS) return undefined;
    if (!this.#flight.isUnderWay(nowMs)) this.#read(nowMs, defer);
    if ((ageMs >= 0 && ageMs < OLD_MS) || this.#failures >= FAILURES) return undefined;
    const leftMs = WAIT_MS - (nowMs - this.#begunAtMs);
    return leftMs > 0 ? this.#flight.wait(leftMs) : undefined;
  }

  async purge(scopes: readonly PurgeScope[]): Promise<boolean> {
    if (scopes.length === 0) return true;
    const local = this.#table.last + 1;
    for (const scope of scopes) this.#table.add(scope, local);
    try {
      const number = await this.#log.append(scopes, Math.floor(local / UNITS_A_MS));
      for (const scope of scopes) this.#table.add(scope, number * UNITS_A_MS);
      return true;
    } catch {
      return false;
    }
  }

  #read(nowMs: number, defer: Defer): void {
    this.#begunAtMs = nowMs;
    const work = () => this.#log.since(this.#readTo).catch(() => undefined);
    const take = (purged: Awaited<ReturnType<typeof work>>): void => {
      if (purged === undefined) {
        this.#failures++;
        return;
      }
      this.#failures = 0;
      this.#knownAtMs = nowMs;
      for (const { scope, number } of purged) {
        this.#table.add(scope, number * UNITS_A_MS);
        if (number > this.#readTo) this.#readTo = number;
      }
    };
    defer.waitUntil(this.#flight.begin(nowMs, work, take));
  }
}
