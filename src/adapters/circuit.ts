import type { Clock } from "../core/ports.ts";

/** So many failures in a row open it. */
const FAILURES = 3;
/** While it is open, one call in so long is let through, to see. */
const OPEN_MS = 2000;

/**
 * Keeps calls from a store that fails. It counts no calls under way: a request whose client has gone may never tell how its call
 * ended.
 */
export class Circuit {
  readonly #clock: Clock;
  #failures = 0;
  #opensAgainMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a call may be made now; the caller then makes it. */
  admits(): boolean {
    if (this.#failures < FAILURES) return true;
    const nowMs = this.#clock.now();
    if (nowMs < this.#opensAgainMs) return false;
    this.#opensAgainMs = nowMs + OPEN_MS;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Answers whether this is the failure that opens it. */
  failed(): boolean {
    this.#failures++;
    if (this.#failures < FAILURES) return false;
    this.#opensAgainMs = this.#clock.now() + OPEN_MS;
    return this.#failures === FAILURES;
  }
}
