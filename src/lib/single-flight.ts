/** Work under way, and how to wake those who wait for it. */
interface Flight {
  readonly startedAtMs: number;
  readonly waiting: (() => void)[];
}

/**
 * Keeps one piece of work under way at a time for all requests of an isolate, also on workerd, where I/O belongs to the
 * request that began it: a promise of one request that another awaits never settles when the first is over before its I/O is,
 * and a request that awaits without I/O of its own is ended at once. So who waits makes a promise of its own, with a timer
 * beside it, and who works does so under `waitUntil`, and wakes the others in the end.
 */
export class SingleFlight {
  readonly #leaseMs: number;
  #flight: Flight | undefined;

  /** After `leaseMs`, work counts as lost with its request; it has to bound itself to less. */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  isUnderWay(nowMs: number): boolean {
    return this.#flight !== undefined && nowMs - this.#flight.startedAtMs < this.#leaseMs;
  }

  /**
   * Begins work that never rejects; `take` gets its result unless other work was begun meanwhile. The promise is to be put
   * under the beginning request's `waitUntil`, and settles when the result is taken.
   */
  begin<T>(nowMs: number, work: () => Promise<T>, take: (result: T) => void): Promise<void> {
    const flight: Flight = { startedAtMs: nowMs, waiting: [] };
    this.#flight = flight;
    return work().then((result) => {
      if (this.#flight === flight) {
        this.#flight = undefined;
        take(result);
      }
      for (const wake of flight.waiting) wake();
    });
  }

  /**
   * Waits for the work of another request, or until it counts as lost, at most so many milliseconds. At once where there is
   * none.
   */
  wait(atMostMs = this.#leaseMs): Promise<void> {
    const flight = this.#flight;
    if (flight === undefined) return Promise.resolve();
    let timer: ReturnType<typeof setTimeout>;
    return new Promise<void>((resolve) => {
      timer = setTimeout(resolve, atMostMs);
      flight.waiting.push(resolve);
    }).then(() => clearTimeout(timer));
  }
}
