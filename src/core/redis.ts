import type { Fault } from "./policy.ts";

/** Names of the secrets that say where Redis answers (Upstash's REST interface) and that let us in. */
export interface RedisPlan {
  readonly url: string;
  readonly token: string;
}

/** The ports of policies that keep something in Redis; only a bundle whose policies need one holds it. */
export type RedisPort = "store" | "storeCounter" | "purgeLog";

/** What a port to Redis must know of its gateway. */
export interface RedisSettings extends RedisPlan {
  readonly gateway: string;
}

/** A policy keeps something in Redis, and nobody said where that is. */
export const NO_REDIS: Fault = {
  code: "no-redis",
  message: "This is kept in Redis, and the gateway does not say where Redis is.",
  remedy:
    "Name the secrets with its address and its token: gateway: { stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } } }.",
};
