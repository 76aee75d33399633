/** About what an entry takes beside its text. */
const ENTRY_BYTES = 120;

/**
 * Signatures that were good once, until they are too old anyway. In the isolate's memory: another isolate has a table of its own,
 * and a full one forgets the oldest, so that whoever repeats a request is caught as a rule and not always.
 */
export class SeenSignatures {
  readonly #untilMs = new Map<string, number>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Whether a signature is new; it is not any more afterwards. */
  isNew(signature: string, untilMs: number, nowMs: number): boolean {
    this.#makeRoom(nowMs);
    const known = this.#untilMs.get(signature);
    if (known !== undefined && nowMs < known) return false;
    if (known === undefined) this.#bytes += sizeOf(signature);
    this.#untilMs.set(signature, untilMs);
    return true;
  }

  /** Bytes in use, as estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries end about in the order in which they came; one that ends earlier waits for those before it. */
  #makeRoom(nowMs: number): void {
    for (const [signature, untilMs] of this.#untilMs) {
      if (nowMs < untilMs && this.#bytes < this.#mostBytes) return;
      this.#untilMs.delete(signature);
      this.#bytes -= sizeOf(signature);
    }
  }
}

const sizeOf = (signature: string): number => signature.length * 2 + ENTRY_BYTES;
