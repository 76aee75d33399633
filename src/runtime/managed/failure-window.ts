const PARTS = 10;

/** Counts requests and failures of the last `windowMs`, which slides by tenths. */
export class FailureWindow {
  total = 0;
  failed = 0;
  readonly #partMs: number;
  readonly #totals = new Int32Array(PARTS);
  readonly #failures = new Int32Array(PARTS);
  /** The number of the tenth that is counted in, from the epoch. */
  #part = 0;

  constructor(windowMs: number) {
    this.#partMs = windowMs / PARTS;
  }

  record(nowMs: number, failed: boolean): void {
    this.#slide(Math.floor(nowMs / this.#partMs));
    const at = this.#part % PARTS;
    this.#totals[at]!++;
    this.total++;
    if (!failed) return;
    this.#failures[at]!++;
    this.failed++;
  }

  clear(): void {
    this.#totals.fill(0);
    this.#failures.fill(0);
    this.total = 0;
    this.failed = 0;
  }

  #slide(part: number): void {
    if (part - this.#part >= PARTS) this.clear();
    else {
      for (let past = this.#part + 1; past <= part; past++) {
        const at = past % PARTS;
        this.total -= this.#totals[at]!;
        this.failed -= this.#failures[at]!;
        this.#totals[at] = 0;
        this.#failures[at] = 0;
      }
    }
    this.#part = Math.max(this.#part, part);
  }
}
