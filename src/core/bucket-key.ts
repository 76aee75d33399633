import { addressKey } from "../lib/ip.ts";
import type { Exchange } from "./exchange.ts";

/** What has a bucket of its own. */
export type KeyStep = "ip" | "host" | "identity" | { readonly header: string };

/** Answers the function that names the bucket of a request: one bucket for each value of the key. */
export const bucketKey = (bucket: string, key: KeyStep): ((exchange: Exchange) => string) => {
  const prefix = bucket + "\n";
  switch (key) {
    case "ip":
      return (exchange) => prefix + addressKey(exchange.clientIp);
    case "host":
      return (exchange) => prefix + exchange.host;
    case "identity":
      return ({ identity, clientIp }) =>
        identity === undefined || identity.kind === "anonymous"
          ? `${prefix}ip\n${addressKey(clientIp)}`
          : `${prefix}id\n${short(identity.id)}`;
    default: {
      const { header } = key;
      // All that leave the field out are one caller: to leave it out must not be a way around the limit.
      return ({ request }) => prefix + short(request.headers.get(header) ?? "");
    }
  }
};

const PART = 128;

/** Keeps what a caller chooses from filling the memory: both ends tell tokens apart, whose middle may be long. */
const short = (text: string): string =>
  text.length <= 2 * PART ? text : `${text.slice(0, PART)}\n${text.length}\n${text.slice(-PART)}`;
