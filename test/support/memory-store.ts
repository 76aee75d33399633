import type { Clock, Store } from "../../src/core/ports.ts";

/** A store of a test: as Redis is, without Redis. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #entries = new Map<
    string,
    { readonly bytes: Uint8Array<ArrayBuffer>; readonly untilMs: number }
  >();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read(key)?.slice();
  }

  async put(key: string, bytes: Uint8Array, ttlMs: number): Promise<void> {
    if (key.isWellFormed() && ttlMs >= 1 && Number.isFinite(ttlMs)) this.#set(key, bytes, ttlMs);
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }

  async claim(key: string, ttlMs: number): Promise<boolean> {
    if (!key.isWellFormed()) return true;
    if (this.#read(key) !== undefined) return false;
    this.#set(key, new Uint8Array(), Math.max(1, ttlMs));
    return true;
  }

  #read(key: string): Uint8Array<ArrayBuffer> | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() < entry.untilMs ? entry.bytes : undefined;
  }

  #set(key: string, bytes: Uint8Array, ttlMs: number): void {
    this.#entries.set(key, { bytes: Uint8Array.from(bytes), untilMs: this.#clock.now() + Math.floor(ttlMs) });
  }
}
