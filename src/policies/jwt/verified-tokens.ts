import type { Verdict } from "../../core/identity.ts";
import type { Caller } from "./claims.ts";
import type { VerifyKey } from "./verify-key.ts";

/** A token that was verified, under the key that verified it. */
export interface VerifiedToken {
  readonly caller: Caller;
  readonly key: VerifyKey;
  /** What each policy made of it: scopes, audiences and claims differ from route to route. */
  readonly verdicts: Map<object, Verdict>;
}

interface Remembered extends VerifiedToken {
  bytes: number;
  used: boolean;
}

/**
 * What an entry takes in memory at most: its text, its parsed claims (they came from less than half of that text), its objects.
 * 5,000 tokens of 607 characters with a verdict each took 1,700 bytes a token in V8; this says 1,982.
 */
const sizeOf = (token: string): number => token.length * 2 + 512;
const VERDICT_BYTES = 256;

/**
 * Tokens of one issuer that were verified already, by their whole text: a prefix, a signature or a digest would let one
 * token speak for another. An entry ends with the token, and with the key that verified it. When the table is full, the
 * oldest that was not used since it was last looked at goes: a hit costs one assignment, not a move in a list.
 */
export class VerifiedTokens {
  readonly #tokens = new Map<string, Remembered>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The entry of a token that still holds at a time in milliseconds. */
  get(token: string, nowMs: number): VerifiedToken | undefined {
    const found = this.#tokens.get(token);
    if (found === undefined) return undefined;
    if (nowMs < found.caller.expiresAtMs && found.key.alive) {
      found.used = true;
      return found;
    }
    this.#remove(token, found);
    return undefined;
  }

  /** Remembers a token. */
  add(token: string, verified: VerifiedToken): void {
    const known = this.#tokens.get(token);
    if (known !== undefined) this.#remove(token, known);
    const entry = { ...verified, bytes: sizeOf(token), used: false };
    this.#tokens.set(token, entry);
    this.#bytes += entry.bytes;
    this.#makeRoom();
  }

  /** Remembers a policy's verdict with its token. */
  addVerdict(token: string, policy: object, verdict: Verdict): void {
    const entry = this.#tokens.get(token);
    if (entry === undefined) return;
    entry.verdicts.set(policy, verdict);
    entry.bytes += VERDICT_BYTES;
    this.#bytes += VERDICT_BYTES;
    this.#makeRoom();
  }

  /** Bytes in use, as estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  #makeRoom(): void {
    for (const [token, entry] of this.#tokens) {
      if (this.#bytes <= this.#mostBytes) return;
      this.#remove(token, entry);
      if (!entry.used) continue;
      // A second chance: it goes to the end of the line, which this loop reaches once all before it had theirs.
      entry.used = false;
      this.#tokens.set(token, entry);
      this.#bytes += entry.bytes;
    }
  }

  #remove(token: string, entry: Remembered): void {
    this.#tokens.delete(token);
    this.#bytes -= entry.bytes;
  }
}
