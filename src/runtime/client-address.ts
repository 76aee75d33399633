import type { ClientIpPlan } from "../core/plan.ts";

/** What Cloudflare and workerd attach to a request. */
interface PlatformRequest extends Request {
  readonly cf?: { readonly clientIp?: string; readonly colo?: string; readonly country?: string };
}

/** What an isolate has learned of where it runs. */
export interface Platform {
  /** A request has shown Cloudflare's edge. An isolate stays where it is, and to read `cf` parses it: 10 µs for what comes there. */
  isCloudflare: boolean;
}

/**
 * The client's address by the gateway's setting; empty where it cannot be known. A header of the platform is believed only
 * where the platform is (S38), and a forwarded one only as many hops from the right as are trusted (S10).
 */
export const clientAddress = (
  request: Request,
  setting: ClientIpPlan | undefined,
  platform: Platform,
): string => {
  if (setting === undefined) return "";
  if (setting === "connection") return peerAddress(request, platform);
  if (setting === "cloudflare") {
    return cameThroughCloudflare(request, platform) ? (request.headers.get("cf-connecting-ip") ?? "") : "";
  }
  const hops = (request.headers.get("x-forwarded-for") ?? "").split(",");
  return addressOnly(hops[hops.length - setting.trustedHops]?.trim() ?? "");
};

/** The address of whoever holds the connection; plain workerd tells it, Cloudflare's edge does not. */
export const peerAddress = (request: Request, platform: Platform): string =>
  platform.isCloudflare ? "" : addressOnly(readCf(request, platform)?.clientIp ?? "");

/**
 * The country of a request as the edge tells it; empty where it did not, for what a header says of it anybody can write (S38).
 * To read it parses `cf`, so only a route that asks pays for it.
 */
export const clientCountry = (
  request: Request,
  setting: ClientIpPlan | undefined,
  platform: Platform,
): string => {
  if (setting !== "cloudflare") return "";
  const cf = readCf(request, platform);
  // The edge leaves it out where it knows none; CF-IPCountry says XX then.
  return isOfEdge(cf) ? (cf.country ?? "XX") : "";
};

/** Whether this isolate is at the edge; what one request has shown holds for all. */
const cameThroughCloudflare = (request: Request, platform: Platform): boolean =>
  platform.isCloudflare || isOfEdge(readCf(request, platform));

/**
 * Only the edge names a data centre, and only workerd the peer: by its address, or on a Unix socket by its process. A request
 * from another Worker may have neither, or no `cf`.
 */
const isOfEdge = (cf: PlatformRequest["cf"]): cf is NonNullable<typeof cf> =>
  cf?.colo !== undefined && cf.clientIp === undefined;

const readCf = (request: Request, platform: Platform): PlatformRequest["cf"] => {
  const { cf } = request as PlatformRequest;
  if (isOfEdge(cf)) platform.isCloudflare = true;
  return cf;
};

/** Takes a port and brackets off: `192.0.2.1:443`, `[2001:db8::1]:443`. */
const addressOnly = (text: string): string => {
  if (text.charCodeAt(0) === 91) return text.slice(1, Math.max(1, text.indexOf("]")));
  const colon = text.indexOf(":");
  return colon < 0 || text.indexOf(":", colon + 1) >= 0 ? text : text.slice(0, colon);
};
