import type { Redis } from "@upstash/redis/cloudflare";
import type { Ports, Store } from "../../core/ports.ts";
import type { RedisSettings } from "../../core/redis.ts";
import { decodeBase64, encodeBase64 } from "../../lib/base64.ts";
import { Circuit } from "../circuit.ts";
import { redisClient } from "./client.ts";
import { settingsOf, type UpstashSettings } from "./ports.ts";

/** A request does not wait for a look-up for longer than this. */
export const LOOK_UP_MS = 50;
/** Nobody waits for a write; but a call that never ends would keep a request alive, and one of its few connections. */
export const WRITE_MS = 2000;
/** With base64 around it, a longer value would exceed the 1 MiB that the vendor takes as one request. */
const MOST_BYTES = 750_000;
/**
 * Part of every key: entries of a version that writes them in another form are never read, and end by themselves. To be raised
 * with the form of the values.
 */
const VERSION = 1;

/** Who holds a lease, in a form that is no base64, and so no bytes. */
const heldBy = (holder: string): string => (holder === "" ? "" : `!${holder}`);

/** In one step, or a lease could end, and begin anew, between the look and the deletion. */
const RELEASE_SCRIPT = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0`;

type RedisCommand<T> = (redis: Redis, name: string) => Promise<T>;

/**
 * Redis as a place for bytes. There are two circuits: a Redis that is full takes no values, and still answers and deletes.
 */
export class UpstashStore implements Store {
  readonly #settings: UpstashSettings;
  readonly #lookUpMs: number;
  readonly #prefix: string;
  readonly #calls: Circuit;
  readonly #puts: Circuit;
  /** Made when they are first needed. */
  #reader: Redis | undefined;
  #writer: Redis | undefined;

  constructor(settings: UpstashSettings, lookUpMs = LOOK_UP_MS) {
    this.#settings = settings;
    this.#lookUpMs = lookUpMs;
    this.#prefix = `postern:${settings.gateway}:${VERSION}:`;
    this.#calls = new Circuit(settings.clock);
    this.#puts = new Circuit(settings.clock);
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const value = await this.#lookUp(key, (redis, name) => redis.get<string>(name));
    return typeof value === "string" ? decodeBase64(value) : undefined;
  }

  async put(key: string, bytes: Uint8Array, ttlMs: number): Promise<void> {
    const px = Math.floor(ttlMs);
    if (!isLifetime(px) || bytes.byteLength > MOST_BYTES) return;
    await this.#write(this.#puts, key, (redis, name) => redis.set(name, encodeBase64(bytes), { px }));
  }

  async delete(key: string): Promise<void> {
    await this.#write(this.#calls, key, (redis, name) => redis.del(name));
  }

  async claim(key: string, ttlMs: number, holder = ""): Promise<boolean> {
    const px = Math.max(1, Math.floor(ttlMs));
    // Without an answer it is undefined; null says that somebody else has it.
    return (
      (await this.#lookUp(key, (redis, name) => redis.set(name, heldBy(holder), { px, nx: true }))) !== null
    );
  }

  async release(key: string, holder: string): Promise<void> {
    await this.#write(this.#calls, key, (redis, name) =>
      redis.eval(RELEASE_SCRIPT, [name], [heldBy(holder)]),
    );
  }

  #lookUp<T>(key: string, command: RedisCommand<T>): Promise<T | undefined> {
    this.#reader ??= redisClient(this.#settings.access, this.#lookUpMs);
    return this.#run(this.#calls, this.#reader, key, command);
  }

  #write<T>(circuit: Circuit, key: string, command: RedisCommand<T>): Promise<T | undefined> {
    this.#writer ??= redisClient(this.#settings.access, WRITE_MS);
    return this.#run(circuit, this.#writer, key, command);
  }

  /** What a command comes to; undefined where it fails, or where it is not tried. */
  async #run<T>(
    circuit: Circuit,
    redis: Redis,
    key: string,
    command: RedisCommand<T>,
  ): Promise<T | undefined> {
    // In UTF-8, a key with half a surrogate pair would be the same as another.
    if (!key.isWellFormed() || !circuit.admits()) return undefined;
    try {
      const value = await command(redis, this.#prefix + key);
      circuit.succeeded();
      return value;
    } catch (error) {
      if (circuit === this.#calls && isNoFailure(String(error))) circuit.succeeded();
      else if (circuit.failed())
        this.#tell(circuit === this.#puts ? "it takes no values" : "it does not answer");
      return undefined;
    }
  }

  /** No more is told: messages of the SDK may quote the command, and with it what is stored. */
  #tell(how: string): void {
    this.#settings.log.write({ level: "warn", message: `Redis fails, and is spared for a while: ${how}.` });
  }
}

/** Somebody else's value of another type, or no room for a lease: Redis itself is well, and answers. */
const isNoFailure = (error: string): boolean => /\b(?:WRONGTYPE|OOM)\b/.test(error);

/** Whether Redis takes a number as a lifetime in milliseconds. */
const isLifetime = (px: number): boolean => Number.isSafeInteger(px) && px >= 1;

/** The port for an entry whose plan needs it. */
export const storePort =
  (settings: RedisSettings) =>
  (_env: unknown, ports: Ports): Pick<Ports, "store"> => ({
    store: new UpstashStore(settingsOf(settings, ports)),
  });
