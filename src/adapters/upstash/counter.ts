import type { Redis } from "@upstash/redis/cloudflare";
import type { Counter, Limit, LimitState, Ports } from "../../core/ports.ts";
import type { RedisSettings } from "../../core/redis.ts";
import { Circuit } from "../circuit.ts";
import { redisClient } from "./client.ts";
import { COUNTER_SCRIPT, COUNTER_SCRIPT_SHA1 } from "./counter-script.ts";
import { settingsOf, type UpstashSettings } from "./ports.ts";

/** A decision that takes longer is none. */
export const COUNT_MS = 500;
/** Part of every key; to be raised with the form of what the script writes. */
const VERSION = 1;

/**
 * Counts in Redis: exact for all isolates, by the clock of Redis, one script a decision. Rejects where no decision comes in time,
 * and for a while at once where several did not. A limit that is changed begins anew: its numbers are part of the key.
 */
export class UpstashCounter implements Counter {
  readonly #settings: UpstashSettings;
  readonly #circuit: Circuit;
  /** Made when it is first needed. */
  #redis: Redis | undefined;

  constructor(settings: UpstashSettings) {
    this.#settings = settings;
    this.#circuit = new Circuit(settings.clock);
  }

  async take(
    keys: readonly string[],
    limits: readonly Limit[],
    cost: number,
  ): Promise<readonly LimitState[]> {
    if (!this.#circuit.admits()) throw new Error("Redis is spared for a while");
    const names = keys.map((key, index) => this.#nameOf(key, limits[index]!));
    const parts = limits.flatMap((limit) => [
      limit.algorithm,
      limit.quantity,
      limit.windowMs,
      burstOf(limit),
    ]);
    try {
      const states = readStates(await this.#run(names, [cost, ...parts]), keys.length);
      this.#circuit.succeeded();
      return states;
    } catch {
      const isNews = this.#circuit.failed();
      const message = "Redis does not count, and is spared for a while.";
      if (isNews) this.#settings.log.write({ level: "warn", message });
      // The SDK's own message may quote keys.
      throw new Error("Redis does not count");
    }
  }

  /** By the script's digest; Redis gets the text where it does not know it. */
  async #run(names: string[], parts: (string | number)[]): Promise<unknown> {
    this.#redis ??= redisClient(this.#settings.access, COUNT_MS);
    const redis = this.#redis;
    try {
      return await redis.evalsha(COUNTER_SCRIPT_SHA1, names, parts);
    } catch (error) {
      if (!String(error).includes("NOSCRIPT")) throw error;
      return await redis.eval(COUNTER_SCRIPT, names, parts);
    }
  }

  #nameOf(key: string, limit: Limit): string {
    const numbers = `${limit.algorithm}:${limit.quantity}:${limit.windowMs}:${burstOf(limit)}`;
    return `postern:${this.#settings.gateway}:count:${VERSION}:${numbers}:${key}`;
  }
}

const burstOf = ({ burst, quantity }: Limit): number => burst ?? quantity;

/** Throws at what the script would not have answered. */
const readStates = (answer: unknown, limits: number): LimitState[] => {
  if (!Array.isArray(answer) || answer.length !== limits * 3 || !answer.every(Number.isFinite))
    throw new Error("this is not an answer of the script");
  const numbers = answer as readonly number[];
  return Array.from({ length: limits }, (_, index) => {
    const [remaining, waitMs, allowed] = numbers.slice(index * 3) as [number, number, number];
    const resetSeconds = Math.max(allowed === 1 ? 0 : 1, Math.ceil(waitMs / 1000));
    return { remaining, resetSeconds, allowed: allowed === 1 };
  });
};

/** The port for an entry whose plan needs it. */
export const storeCounterPort =
  (settings: RedisSettings) =>
  (_env: unknown, ports: Ports): Pick<Ports, "storeCounter"> => ({
    storeCounter: new UpstashCounter(settingsOf(settings, ports)),
  });
