import { redisClient } from "../adapters/upstash/client.ts";
import { indexName, recordName } from "../adapters/upstash/consumer-keys.ts";
import type { RedisSettings } from "../core/redis.ts";
import { CommandFailed } from "./failure.ts";

/** A key in the store, by what is known of it: the key itself is nowhere. */
export interface StoredEntry {
  readonly consumer: string;
  readonly id: string;
  readonly sha256: string;
  /** The last day on which it is good. */
  readonly expires?: string;
}

/** The store of a gateway's keys, for those who make and revoke them. Fails with 2 where it cannot be reached. */
export interface KeyStore {
  /** Puts a key in; false where its consumer has one of that id. */
  put(entry: StoredEntry): Promise<boolean>;
  /** All keys, by consumer and id. */
  list(): Promise<readonly StoredEntry[]>;
  /** Takes a key out; false where there is none. */
  revoke(consumer: string, id: string): Promise<boolean>;
}

const DAY_MS = 86_400_000;

/** Opens the store of a gateway with the secrets that the gateway itself uses. */
export const openKeyStore = (
  { gateway, ...names }: RedisSettings,
  secret: (name: string) => string | undefined,
): KeyStore => {
  const [url, token] = [names.url, names.token].map((name) => {
    const value = secret(name);
    if (value !== undefined && value !== "") return value;
    throw new CommandFailed(
      2,
      `The keys are in Redis, and the secret ${name} is not set.`,
      `Give it with --var ${name}=… or in the environment.`,
    );
  }) as [string, string];
  const network = { fetch: (address: string, init?: RequestInit) => fetch(address, init) };
  const redis = redisClient({ fetcher: network, url, token }, 5000);
  const run = async (...command: [string, ...string[]]): Promise<unknown> => {
    try {
      return await redis.exec<unknown>(command);
    } catch {
      throw new CommandFailed(
        2,
        "Redis does not answer, or does not let us in.",
        "See whether the secrets are right.",
      );
    }
  };
  const index = indexName(gateway);
  return {
    put: async ({ consumer, id, sha256, expires }) => {
      const entry = JSON.stringify({ sha256, ...(expires !== undefined && { expires }) });
      if ((await run("HSETNX", index, `${consumer}/${id}`, entry)) !== 1) return false;
      const expiresMs = expires === undefined ? {} : { expiresMs: Date.parse(expires) + DAY_MS };
      await run("SET", recordName(gateway, sha256), JSON.stringify({ consumer, ...expiresMs }));
      return true;
    },
    list: async () => {
      const pairs = (await run("HGETALL", index)) as readonly string[];
      const entries: StoredEntry[] = [];
      for (let at = 0; at + 1 < pairs.length; at += 2) {
        const [consumer = "", id = ""] = pairs[at]!.split("/");
        entries.push({
          consumer,
          id,
          ...(JSON.parse(pairs[at + 1]!) as { sha256: string; expires?: string }),
        });
      }
      const order = ({ consumer, id }: StoredEntry): string => `${consumer}/${id}`;
      return entries.sort((one, other) => (order(one) < order(other) ? -1 : 1));
    },
    revoke: async (consumer, id) => {
      const field = `${consumer}/${id}`;
      const entry = await run("HGET", index, field);
      if (typeof entry !== "string") return false;
      const { sha256 } = JSON.parse(entry) as { sha256: string };
      // The other way round, a failure between the two would leave a key that is good and on no list.
      await run("DEL", recordName(gateway, sha256));
      await run("HDEL", index, field);
      return true;
    },
  };
};
