import type { GatewayPlan } from "./plan.ts";
import type { Fault } from "./policy.ts";

/** Names of the secrets that say where Redis answers (Upstash's REST interface) and that let us in. */
export interface RedisPlan {
  readonly url: string;
  readonly token: string;
}

/** What the port to Redis must know of its gateway. */
export interface RedisSettings extends RedisPlan {
  readonly gateway: string;
}

/** What the ports of a gateway must know whose policies keep something in Redis; undefined for any other, whose bundle has none. */
export const storeSettings = ({ name, redis, needsStore }: GatewayPlan): RedisSettings | undefined =>
  redis && needsStore && { gateway: name, ...redis };

/** A policy keeps something in Redis, and nobody said where that is. */
export const NO_REDIS: Fault = {
  code: "no-redis",
  message: "This is kept in Redis, and the gateway does not say where Redis is.",
  remedy:
    "Name the secrets with its address and its token: gateway: { stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } } }.",
};
