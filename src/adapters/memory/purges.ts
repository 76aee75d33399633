import type { Clock, Ports } from "../../core/ports.ts";
import { EVERYTHING, type PurgeScope, type Purges } from "../../core/purge.ts";

/**
 * Numbers of purges count parts of a millisecond, so that there is room between two of the log for such as it has not numbered.
 * They are whole, and stay so for two hundred years.
 */
export const UNITS_A_MS = 1024;

/** So many scopes are known one by one. */
const MOST_SCOPES = 8192;

/**
 * Numbers of purges by scope, bounded: where there are too many, the oldest goes, and whatever it could have spoken of counts as
 * purged.
 */
export class PurgeTable {
  readonly #numbers = new Map<PurgeScope, number>();
  #everything = 0;
  #last = 0;

  /** The greatest number of all. */
  get last(): number {
    return this.#last;
  }

  /** The greatest number of any of the scopes, and of a purge of everything. */
  lastOf(scopes: readonly PurgeScope[]): number {
    let last = this.#everything;
    if (this.#numbers.size === 0) return last;
    for (const scope of scopes) {
      const number = this.#numbers.get(scope);
      if (number !== undefined && number > last) last = number;
    }
    return last;
  }

  /** Learns of a purge; of two of one scope the greater number counts. */
  add(scope: PurgeScope, number: number): void {
    if (number > this.#last) this.#last = number;
    if (number <= this.#everything) return;
    if (scope === EVERYTHING) this.#addEverything(number);
    else this.#addScope(scope, number);
  }

  #addEverything(number: number): void {
    this.#everything = number;
    // What came before says nothing more.
    for (const [scope, earlier] of this.#numbers) if (earlier <= number) this.#numbers.delete(scope);
  }

  #addScope(scope: PurgeScope, number: number): void {
    const known = this.#numbers.get(scope);
    if (known !== undefined && known >= number) return;
    this.#numbers.delete(scope);
    this.#numbers.set(scope, number);
    if (this.#numbers.size <= MOST_SCOPES) return;
    const [oldest, itsNumber] = this.#numbers.entries().next().value!;
    this.#numbers.delete(oldest);
    if (itsNumber > this.#everything) this.#everything = itsNumber;
  }
}

/**
 * Purges of one isolate, of which others do not learn. Their numbers are times, so that what is kept outside of this isolate
 * is older than a purge of a later one too.
 */
export class IsolatePurges implements Purges {
  readonly #table = new PurgeTable();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get last(): number {
    return this.#table.last;
  }

  lastOf(scopes: readonly PurgeScope[]): number {
    return this.#table.lastOf(scopes);
  }

  catchUp(): undefined {
    return undefined;
  }

  /** Always `true`: there is nobody who would have to be told. */
  async purge(scopes: readonly PurgeScope[]): Promise<boolean> {
    const number = Math.max(this.#table.last + 1, Math.floor(this.#clock.now()) * UNITS_A_MS);
    for (const scope of scopes) this.#table.add(scope, number);
    return true;
  }
}

/** The port for an entry whose plan purges, and has no place for what others have to learn. */
export const isolatePurgesPort = (_env: unknown, { clock }: Ports): Pick<Ports, "purges"> => ({
  purges: new IsolatePurges(clock),
});
