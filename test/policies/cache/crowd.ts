import { vi } from "vitest";
import { answer, type Fields, Gateway, type Origin, type RequestOptions, type Seen } from "./harness.ts";

export const LIVE = { "cache-control": "max-age=600" };

/**
 * A gateway whose origin answers when the test says so, in the order of the requests; what changes something is answered at once.
 * Timers have to be faked.
 */
export class Crowd extends Gateway {
  readonly #waiting: ((response: Response) => void)[] = [];
  override origin: Origin = (sent) =>
    sent.method === "POST" ? answer({}, "done") : new Promise((resolve) => void this.#waiting.push(resolve));

  ask(options: RequestOptions = {}, target = "/a"): Promise<Seen> {
    return this.send(target, options);
  }

  /** Requests that the origin has not answered. */
  get open(): number {
    return this.#waiting.length;
  }

  /** Answers the oldest request, and lets all that comes of it run. */
  async answer(fields: Fields = LIVE, body: string | null = "body", status = 200): Promise<void> {
    this.#waiting.shift()!(answer(fields, body, status));
    await this.wait(0);
  }

  async wait(ms: number): Promise<void> {
    // What needs no time comes first.
    await vi.advanceTimersByTimeAsync(0);
    this.ports.clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
  }
}

export const texts = async (asked: readonly Promise<Seen>[]): Promise<string[]> =>
  (await Promise.all(asked)).map(({ text }) => text);
