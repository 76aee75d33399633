import type { Clock, ConsumerKeyStore, Defer, Ports, StoredKey } from "../../core/ports.ts";
import type { RedisSettings } from "../../core/redis.ts";
import { SingleFlight } from "../../lib/single-flight.ts";
import { redisClient } from "./client.ts";

/** Names in Redis: each gateway has its own keys. */
export const recordName = (gateway: string, sha256: string): string => `postern:${gateway}:key:${sha256}`;
export const indexName = (gateway: string): string => `postern:${gateway}:keys`;

/** A request does not wait for longer than this. */
const TIMEOUT_MS = 800;
/** For how long it is known that nobody has a key: one that was just made is good after that at the latest. */
const NOBODY_MS = 10_000;
/** How many of them are known, and how many questions are under way. */
const MOST = 1000;
/** After a failure, nobody is asked for so long: a store that is away must not make every caller wait. */
const REST_MS = 1000;

/** A question under way, and what came of it. */
interface Flight {
  readonly single: SingleFlight;
  answer: Answer | undefined;
}

type Answer = { readonly key: StoredKey | undefined } | "away";

/**
 * Keys in a store, asked for one at a time each: many requests with one new key are one question. What nobody has is known for
 * ten seconds; what somebody has, the caller remembers.
 */
export class SharedKeys implements ConsumerKeyStore {
  readonly #ask: (sha256: string) => Promise<StoredKey | undefined>;
  readonly #clock: Clock;
  /** Digests of nobody's keys, and until when that is known. */
  readonly #nobodys = new Map<string, number>();
  readonly #flights = new Map<string, Flight>();
  #restsUntilMs = 0;

  constructor(ask: (sha256: string) => Promise<StoredKey | undefined>, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  async find(sha256: string, defer: Defer): Promise<StoredKey | undefined> {
    const nowMs = this.#clock.now();
    if (nowMs < (this.#nobodys.get(sha256) ?? 0)) return undefined;
    if (nowMs < this.#restsUntilMs) throw new Error("the store is away");
    const other = this.#flights.get(sha256);
    const isUnderWay = other?.single.isUnderWay(nowMs) === true;
    const flight = isUnderWay ? other : this.#begin(sha256, nowMs, defer);
    await flight.single.wait();
    // Without an answer, the request that asked was over before it came.
    const { answer = "away" } = flight;
    if (answer === "away") throw new Error("the store is away");
    return answer.key;
  }

  #begin(sha256: string, nowMs: number, defer: Defer): Flight {
    const flight: Flight = { single: new SingleFlight(TIMEOUT_MS + 200), answer: undefined };
    this.#flights.set(sha256, flight);
    dropOldest(this.#flights);
    const work = (): Promise<Answer> =>
      this.#ask(sha256).then(
        (key) => ({ key }),
        () => "away" as const,
      );
    const take = (answer: Answer): void => {
      flight.answer = answer;
      this.#flights.delete(sha256);
      if (answer === "away") this.#restsUntilMs = this.#clock.now() + REST_MS;
      else if (answer.key === undefined) this.#nobodys.set(sha256, this.#clock.now() + NOBODY_MS);
      dropOldest(this.#nobodys);
    };
    defer.waitUntil(flight.single.begin(nowMs, work, take));
    return flight;
  }
}

/** Whoever tries many keys pushes out what is known of them, and nothing else. */
const dropOldest = (map: Map<string, unknown>): void => {
  if (map.size > MOST) for (const oldest of map.keys()) return void map.delete(oldest);
};

/** The keys that a gateway has in Redis; `get` answers the text under a name. */
export const redisKeys = (
  gateway: string,
  get: (name: string) => Promise<unknown>,
  clock: Clock,
): ConsumerKeyStore =>
  new SharedKeys(async (sha256) => {
    const text = await get(recordName(gateway, sha256));
    return typeof text === "string" ? readRecord(text) : undefined;
  }, clock);

/** A record as `postern key new` writes it; one that cannot be read is a fault of the store, and lets nobody in. */
const readRecord = (text: string): StoredKey => {
  const { consumer, expiresMs } = JSON.parse(text) as Partial<StoredKey>;
  if (typeof consumer !== "string" || !(expiresMs === undefined || Number.isFinite(expiresMs)))
    throw new Error("a record of a key cannot be read");
  return expiresMs === undefined ? { consumer } : { consumer, expiresMs };
};

/** The port of a gateway whose consumers' keys are in Redis. Its address is the operator's, and may be a private one. */
export const consumerKeysPort =
  ({ gateway, url, token }: RedisSettings) =>
  (_env: unknown, { secrets, fetch, clock }: Ports): Pick<Ports, "consumerKeys"> => {
    const access = {
      fetcher: fetch.open({ network: "private" }),
      url: secrets.get(url) ?? "",
      token: secrets.get(token) ?? "",
    };
    const client = redisClient(access, TIMEOUT_MS);
    return { consumerKeys: redisKeys(gateway, (name) => client.get(name), clock) };
  };
