import { applyHeaderEdits } from "../core/header-edits.ts";
import type { ClientIpPlan } from "../core/plan.ts";
import { type Platform, peerAddress } from "./client-address.ts";
import type { RequestExchange } from "./exchange.ts";

/** What of the client's fields was seen; a field that was not need not be asked for, which costs as much as to set one. */
const CONNECTION = 1;
const VIA = 2;
const CDN_LOOP = 4;
const TRACEPARENT = 8;
const TRACESTATE = 16;
const CONTENT_LENGTH = 32;
const TE = 64;

/**
 * Fields that end at the gateway: hop-by-hop ones (RFC 9110 section 7.6.1), and those by which a client could pose as a
 * trusted hop or reach what it was not routed to.
 */
const ENDS_HERE = [
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "expect",
  "host",
  "forwarded",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "cf-connecting-ipv6",
  "cf-ipcountry",
  "cf-ray",
  "cf-visitor",
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-rewrite-url",
];

/** What becomes of a field by its name: 0 takes it off, a bit remembers it; all others are judged by what they begin with. */
const ROLES: ReadonlyMap<string, number> = new Map([
  ...ENDS_HERE.map((name) => [name, 0] as const),
  ["connection", CONNECTION],
  ["via", VIA],
  ["cdn-loop", CDN_LOOP],
  ["traceparent", TRACEPARENT],
  ["tracestate", TRACESTATE],
  ["content-length", CONTENT_LENGTH],
  ["te", TE],
]);

/** What proxies say of how a request came, and of the client's certificate (RFC 9440, and Cloudflare's own). */
const PREFIXES = ["x-forwarded", "x-original-", "cf-cert-", "cf-client-cert-", "client-cert"];
const X = 120;
const C = 99;

const poses = (name: string): boolean => {
  if (name.includes("_")) return true;
  const first = name.charCodeAt(0);
  return (first === X || first === C) && PREFIXES.some((prefix) => name.startsWith(prefix));
};

/** Takes off the copy what ends here, in one pass over the names, and answers what else was seen. */
const takeOff = (incoming: Headers, headers: Headers): number => {
  let seen = 0;
  for (const name of incoming.keys()) {
    const role = ROLES.get(name);
    if (role === undefined ? poses(name) : role === 0) headers.delete(name);
    else if (role !== undefined) seen |= role;
  }
  return seen;
};

/** Values of `Connection` that name no other field. */
const ORDINARY = new Set(["close", "keep-alive", "upgrade"]);

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** Fields that a `Connection` value names, in lower case; a member that is no field name cannot be a field either. */
export const namedByConnection = (value: string): readonly string[] =>
  value
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => FIELD_NAME.test(name) && !ORDINARY.has(name));

/** The identifier by which this gateway knows its own requests again (RFC 8586). */
export const loopIdOf = (gatewayName: string): string => `${gatewayName}.postern`;

/** Whether a CDN-Loop field names this gateway. */
const namesLoop = (field: string, loopId: string): boolean =>
  field.split(",").some((entry) => entry.split(";")[0]!.trim() === loopId);

/** What the outgoing headers depend on beside the request. */
export interface OutgoingSite {
  readonly loopId: string;
  readonly clientIp: ClientIpPlan | undefined;
  readonly platform: Platform;
  /** In [0, 1): the ids of traces need no secrecy, and the platform's secure source costs ten times as much. */
  readonly random: () => number;
}

/**
 * The header fields for the upstream, in one copy: the client's without what ends here, the gateway's own (Via, RFC 9110
 * section 7.6.3; X-Forwarded-*; CDN-Loop, RFC 8586; traceparent, W3C Trace Context), and then what policies set, which
 * therefore no client can forge or remove. Undefined where the request goes no further: this gateway has seen it before, or it
 * is a gRPC call.
 */
export const outgoingHeaders = (
  exchange: RequestExchange,
  site: OutgoingSite,
  hasBody: boolean,
): Headers | undefined => {
  const incoming = exchange.request.headers;
  const headers = new Headers(incoming);
  const seen = takeOff(incoming, headers);
  let via = "1.1 postern";
  let loop = site.loopId;
  let isTraced = false;
  if (seen !== 0) {
    if (seen & CDN_LOOP) {
      const field = incoming.get("cdn-loop")!;
      if (namesLoop(field, loop)) return undefined;
      loop = `${field}, ${loop}`;
    }
    if (seen & TE) {
      if (isGrpc(incoming)) return undefined;
      headers.delete("te");
    }
    if (seen & CONNECTION) takeOffNamed(headers, incoming.get("connection")!);
    if (seen & VIA) via = `${incoming.get("via")}, ${via}`;
    if (seen & CONTENT_LENGTH && !hasBody) headers.delete("content-length");
    isTraced = (seen & TRACEPARENT) !== 0 && VALID_TRACEPARENT.test(incoming.get("traceparent")!);
    // The state of a trace that is not valid is not passed on.
    if (seen & TRACESTATE && !isTraced) headers.delete("tracestate");
  }
  setForwarded(headers, exchange, site);
  headers.set("via", via);
  headers.set("cdn-loop", loop);
  if (!isTraced) headers.set("traceparent", newTraceparent(site.random));
  applyHeaderEdits(headers, exchange.requestEdits);
  return headers;
};

const GRPC = /^application\/grpc(?![\w-])/i;

/**
 * Whether a request is a gRPC call: by its TE field, which every gRPC client sends, and its media type (gRPC over HTTP2,
 * "Requests"). gRPC-Web is not one, but an ordinary POST.
 */
export const isGrpc = (incoming: Headers): boolean =>
  incoming.has("te") && GRPC.test(incoming.get("content-type") ?? "");

/** Takes off `Connection`, and what it names. */
const takeOffNamed = (headers: Headers, connection: string): void => {
  headers.delete("connection");
  for (const name of namedByConnection(connection)) headers.delete(name);
};

/** X-Forwarded-* are rebuilt; what a trusted proxy in front wrote is continued. */
const setForwarded = (headers: Headers, exchange: RequestExchange, site: OutgoingSite): void => {
  const { clientIp, platform } = site;
  const incoming = exchange.request.headers;
  const trusted = typeof clientIp === "object";
  const client = clientIp === undefined ? peerAddress(exchange.request, platform) : exchange.clientIp;
  const chain = trusted ? incoming.get("x-forwarded-for") : null;
  const peer = trusted ? peerAddress(exchange.request, platform) : client;
  const value = chain === null ? peer : peer === "" ? chain : `${chain}, ${peer}`;
  if (value !== "") headers.set("x-forwarded-for", value);
  headers.set("x-forwarded-proto", (trusted && incoming.get("x-forwarded-proto")) || exchange.scheme);
  headers.set("x-forwarded-host", (trusted && incoming.get("x-forwarded-host")) || exchange.authority);
};

const VALID_TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** Begins a trace. No span is recorded, so its flags are 0; the last digit keeps the parent's id from being all zeros. */
const newTraceparent = (random: () => number): string =>
  `00-${hex(random)}${hex(random)}${hex(random)}${hex(random)}-${hex(random)}${hex(random).slice(0, 7)}1-00`;

/** Eight digits. */
const hex = (random: () => number): string =>
  Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0");
