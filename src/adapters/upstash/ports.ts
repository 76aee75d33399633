import type { Ports } from "../../core/ports.ts";
import type { RedisSettings } from "../../core/redis.ts";
import type { Access } from "./client.ts";
import { UpstashCounter } from "./counter.ts";
import { UpstashStore } from "./store.ts";

/** The ports to Redis, for an entry whose plan uses them. Its address is the operator's, and may be a private one. */
export const redisPorts =
  ({ gateway, url, token }: RedisSettings) =>
  (_env: unknown, { secrets, fetch, clock, log }: Ports): Pick<Ports, "store" | "storeCounter"> => {
    const access: Access = {
      fetcher: fetch.open({ network: "private" }),
      url: secrets.get(url) ?? "",
      token: secrets.get(token) ?? "",
    };
    const settings = { access, gateway, clock, log };
    return { store: new UpstashStore(settings), storeCounter: new UpstashCounter(settings) };
  };
