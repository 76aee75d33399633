import type { Clock, Log, Ports } from "../../core/ports.ts";
import type { RedisSettings } from "../../core/redis.ts";
import type { Access } from "./client.ts";

/** What everything that is kept in Redis must know. */
export interface UpstashSettings {
  readonly access: Access;
  /** Name of the gateway: several may use one Redis. */
  readonly gateway: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The settings of a port, from the other ports. The address is the operator's, and may be a private one. */
export const settingsOf = (
  { gateway, url, token }: RedisSettings,
  { secrets, fetch, clock, log }: Ports,
): UpstashSettings => ({
  access: {
    fetcher: fetch.open({ network: "private" }),
    url: secrets.get(url) ?? "",
    token: secrets.get(token) ?? "",
  },
  gateway,
  clock,
  log,
});
