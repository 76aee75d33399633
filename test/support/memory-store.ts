import type { Clock, Store } from "../../src/core/ports.ts";

interface Entry {
  /** Undefined for a lease with a holder. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  readonly holder?: string;
  readonly untilMs: number;
}

/** A store of a test: as Redis is, without Redis. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read(key)?.bytes?.slice();
  }

  async put(key: string, bytes: Uint8Array, ttlMs: number): Promise<void> {
    if (key.isWellFormed() && ttlMs >= 1 && Number.isFinite(ttlMs))
      this.#set(key, { bytes: Uint8Array.from(bytes) }, ttlMs);
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  async claim(key: string, ttlMs: number, holder?: string): Promise<boolean> {
    if (!key.isWellFormed()) return true;
    if (this.#read(key) !== undefined) return false;
    const held = holder === undefined ? { bytes: new Uint8Array() } : { bytes: undefined, holder };
    this.#set(key, held, Math.max(1, ttlMs));
    return true;
  }

  async release(key: string, holder: string): Promise<void> {
    if (this.#read(key)?.holder === holder) this.#entries.delete(key);
  }

  #read(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.untilMs ? entry : undefined;
  }

  #set(key: string, entry: Omit<Entry, "untilMs">, ttlMs: number): void {
    this.#entries.set(key, { ...entry, untilMs: this.#clock.now() + Math.floor(ttlMs) });
  }
}
