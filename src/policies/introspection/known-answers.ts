/** An answer that is believed for a time. */
interface Known<V> {
  readonly value: V;
  readonly untilMs: number;
  readonly bytes: number;
}

/** Answers by their whole tokens: a digest or a prefix would let one token speak for another (S15). The oldest go when it is full. */
export class KnownAnswers<V> {
  readonly #answers = new Map<string, Known<V>>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** What is known of a token at a time in milliseconds. */
  get(token: string, nowMs: number): V | undefined {
    const known = this.#answers.get(token);
    if (known === undefined) return undefined;
    if (nowMs < known.untilMs) return known.value;
    this.#remove(token, known);
    return undefined;
  }

  /** Remembers an answer; `bytes` is about what it takes beside its token. */
  set(token: string, value: V, untilMs: number, bytes: number): void {
    const before = this.#answers.get(token);
    if (before !== undefined) this.#remove(token, before);
    const known = { value, untilMs, bytes: bytes + token.length * 2 };
    this.#answers.set(token, known);
    this.#bytes += known.bytes;
    for (const [oldest, entry] of this.#answers) {
      if (this.#bytes <= this.#mostBytes) return;
      this.#remove(oldest, entry);
    }
  }

  /** Bytes in use, as estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  #remove(token: string, known: Known<V>): void {
    this.#answers.delete(token);
    this.#bytes -= known.bytes;
  }
}
