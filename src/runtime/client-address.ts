import type { ClientIpPlan } from "../core/plan.ts";

/** What Cloudflare and workerd attach to a request. */
interface PlatformRequest extends Request {
  readonly cf?: { readonly clientIp?: string; readonly colo?: string };
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

const cameThroughCloudflare = (request: Request, platform: Platform): boolean => {
  if (platform.isCloudflare) return true;
  const cf = readCf(request, platform);
  return cf !== undefined && cf.clientIp === undefined;
};

/** Only the edge names a data centre, and only workerd the peer; a request from another Worker may have neither, or no `cf`. */
const readCf = (request: Request, platform: Platform): PlatformRequest["cf"] => {
  const { cf } = request as PlatformRequest;
  if (cf?.colo !== undefined && cf.clientIp === undefined) platform.isCloudflare = true;
  return cf;
};

/** Takes a port and brackets off: `192.0.2.1:443`, `[2001:db8::1]:443`. */
const addressOnly = (text: string): string => {
  if (text.charCodeAt(0) === 91) return text.slice(1, text.indexOf("]"));
  const colon = text.indexOf(":");
  return colon < 0 || text.indexOf(":", colon + 1) >= 0 ? text : text.slice(0, colon);
};
