import type { Redis } from "@upstash/redis/cloudflare";
import type { Ports } from "../../core/ports.ts";
import type { PurgeLog, PurgeScope } from "../../core/purge.ts";
import type { RedisSettings } from "../../core/redis.ts";
import { Circuit } from "../circuit.ts";
import { SharedPurges } from "../memory/shared-purges.ts";
import { redisClient } from "./client.ts";
import { settingsOf, type UpstashSettings } from "./ports.ts";

/** Nobody waits for so long, but a new isolate reads the whole log, which may be some hundred kilobytes. */
export const READ_MS = 1000;
/** Who purges by a control route waits for so long at most. */
export const APPEND_MS = 2000;
/** Part of the key; to be raised with the form of what the script writes. */
const VERSION = 1;

/**
 * Reads and appends; it runs alone in Redis, so that numbers grow strictly, and are there for all who read later. KEYS: a sorted
 * set of scopes by the number of the last purge of each. ARGV: a number up to which the caller knows the log, or above which it
 * wants one, then the scopes to append. Answers their number, or, without scopes, the scopes since that number with theirs.
 *
 * A log that has less than the caller knows has lost something, and nobody can say what: everything counts as purged. So does it
 * where there is no log yet. Of more than 8,192 scopes the oldest go, and what is older than these counts as purged too.
 */
export const PURGE_SCRIPT = `local key, known = KEYS[1], math.floor(tonumber(ARGV[1]))
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local last = tonumber(redis.call("ZREVRANGE", key, 0, 0, "WITHSCORES")[2] or 0)
local number = string.format("%.0f", math.max(last + 1, known + 1, now))
if last == 0 or last < known then redis.call("ZADD", key, number, "*") end
if #ARGV == 1 then
  return redis.call("ZRANGE", key, string.format("%.0f", known), "+inf", "BYSCORE", "WITHSCORES")
end
for at = 2, #ARGV do
  redis.call("ZADD", key, number, ARGV[at])
  if ARGV[at] == "*" then redis.call("ZREMRANGEBYSCORE", key, "-inf", "(" .. number) end
end
local over = redis.call("ZCARD", key) - 8192
if over > 0 then
  local floor = redis.call("ZRANGE", key, over - 1, over - 1, "WITHSCORES")[2]
  redis.call("ZREMRANGEBYRANK", key, 0, over - 1)
  redis.call("ZADD", key, "GT", floor, "*")
end
return number
`;

/**
 * The log of purges in Redis. Rejects where Redis does not answer in time, and for a while at once where it did not several
 * times; a Redis that takes no values can still be read.
 */
export class UpstashPurgeLog implements PurgeLog {
  readonly #settings: UpstashSettings;
  readonly #key: string;
  readonly #reads: Circuit;
  readonly #appends: Circuit;
  /** Made when they are first needed. */
  #reader: Redis | undefined;
  #writer: Redis | undefined;

  constructor(settings: UpstashSettings) {
    this.#settings = settings;
    this.#key = `postern:${settings.gateway}:purges:${VERSION}`;
    this.#reads = new Circuit(settings.clock);
    this.#appends = new Circuit(settings.clock);
  }

  async append(scopes: readonly PurgeScope[], above: number): Promise<number> {
    this.#writer ??= redisClient(this.#settings.access, APPEND_MS);
    return await this.#run(this.#appends, this.#writer, [above, ...scopes], readNumber, "it takes no purges");
  }

  async since(number: number): ReturnType<PurgeLog["since"]> {
    this.#reader ??= redisClient(this.#settings.access, READ_MS);
    return await this.#run(this.#reads, this.#reader, [number], readPurges, "purges elsewhere are not known");
  }

  async #run<T>(
    circuit: Circuit,
    redis: Redis,
    parts: (string | number)[],
    read: (answer: unknown) => T,
    how: string,
  ): Promise<T> {
    if (!circuit.admits()) throw new Error("Redis is spared for a while");
    try {
      const answer = read(await redis.eval(PURGE_SCRIPT, [this.#key], parts));
      circuit.succeeded();
      return answer;
    } catch {
      const message = `Redis fails, and is spared for a while: ${how}.`;
      if (circuit.failed()) this.#settings.log.write({ level: "warn", message });
      // The SDK's own message may quote what is purged.
      throw new Error("Redis has no answer");
    }
  }
}

const readNumber = (answer: unknown): number => {
  const number = Number(answer);
  if (!(number > 0 && Number.isFinite(number))) throw new Error("this is not a number of the script");
  return number;
};

const readPurges = (answer: unknown): { scope: PurgeScope; number: number }[] => {
  if (!Array.isArray(answer)) throw new Error("this is not an answer of the script");
  const purges: { scope: PurgeScope; number: number }[] = [];
  for (let at = 0; at < answer.length; at += 2)
    purges.push({ scope: String(answer[at]), number: readNumber(answer[at + 1]) });
  return purges;
};

/** The port for an entry whose plan purges. */
export const purgeLogPort =
  (settings: RedisSettings) =>
  (_env: unknown, ports: Ports): Pick<Ports, "purges"> => ({
    purges: new SharedPurges(new UpstashPurgeLog(settingsOf(settings, ports)), ports.clock),
  });
