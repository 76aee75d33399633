import { applyHeaderEdits } from "../core/header-edits.ts";
import type { ClientIpPlan } from "../core/plan.ts";
import { peerAddress } from "./client-address.ts";
import type { RequestExchange } from "./exchange.ts";

/**
 * Fields that end at the gateway: hop-by-hop ones (RFC 9110 section 7.6.1), and those by which a client could pose as a
 * trusted hop or reach what it was not routed to.
 */
const ENDS_HERE = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "te",
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
]);

const PREFIXES = ["x-forwarded", "x-original-"];

const endsHere = (name: string): boolean =>
  ENDS_HERE.has(name) ||
  name.includes("_") ||
  (name.charCodeAt(0) === 120 && PREFIXES.some((prefix) => name.startsWith(prefix)));

/** Values of `Connection` that name no other field. */
const ORDINARY = new Set(["close", "keep-alive", "upgrade", ""]);

/** Fields that a `Connection` value names, in lower case. */
export const namedByConnection = (value: string): readonly string[] =>
  value
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !ORDINARY.has(name));

/** The identifier by which this gateway knows its own requests again (RFC 8586). */
export const loopIdOf = (gatewayName: string): string => `${gatewayName}.postern`;

/** Whether this gateway has seen the request before. */
export const isLoop = (headers: Headers, loopId: string): boolean => {
  const seen = headers.get("cdn-loop");
  return seen?.split(",").some((entry) => entry.split(";")[0]!.trim() === loopId) ?? false;
};

/** What the outgoing headers depend on beside the request. */
export interface OutgoingSite {
  readonly loopId: string;
  readonly clientIp: ClientIpPlan | undefined;
  readonly uuid: () => string;
}

/**
 * The header fields for the upstream, in one copy: the client's without what ends here, the gateway's own (Via, RFC 9110
 * section 7.6.3; X-Forwarded-*; CDN-Loop, RFC 8586; traceparent, W3C Trace Context), and then what policies set, which
 * therefore no client can forge or remove.
 */
export const outgoingHeaders = (exchange: RequestExchange, site: OutgoingSite, hasBody: boolean): Headers => {
  const incoming = exchange.request.headers;
  const headers = new Headers(incoming);
  for (const name of incoming.keys()) {
    if (endsHere(name)) headers.delete(name);
  }
  const connection = incoming.get("connection");
  if (connection !== null) for (const name of namedByConnection(connection)) deleteQuietly(headers, name);
  if (!hasBody) headers.delete("content-length");
  setForwarded(headers, exchange, site);
  const via = incoming.get("via");
  headers.set("via", via === null ? "1.1 postern" : via + ", 1.1 postern");
  const loop = incoming.get("cdn-loop");
  headers.set("cdn-loop", loop === null ? site.loopId : `${loop}, ${site.loopId}`);
  continueTrace(headers, incoming.get("traceparent"), site.uuid);
  applyHeaderEdits(headers, exchange.requestEdits);
  return headers;
};

/** A `Connection` member that is no field name cannot be a field either. */
const deleteQuietly = (headers: Headers, name: string): void => {
  if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) headers.delete(name);
};

/** X-Forwarded-* are rebuilt; what a trusted proxy in front wrote is continued. */
const setForwarded = (headers: Headers, exchange: RequestExchange, { clientIp }: OutgoingSite): void => {
  const incoming = exchange.request.headers;
  const trusted = typeof clientIp === "object";
  const client = clientIp === undefined ? peerAddress(exchange.request) : exchange.clientIp;
  const chain = trusted ? incoming.get("x-forwarded-for") : null;
  const peer = trusted ? peerAddress(exchange.request) : client;
  const value = chain === null ? peer : peer === "" ? chain : `${chain}, ${peer}`;
  if (value !== "") headers.set("x-forwarded-for", value);
  headers.set("x-forwarded-proto", (trusted && incoming.get("x-forwarded-proto")) || exchange.scheme);
  headers.set("x-forwarded-host", (trusted && incoming.get("x-forwarded-host")) || exchange.authority);
};

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** A valid trace goes on as it is; else one is begun, and the state of the invalid one is not passed on. */
const continueTrace = (headers: Headers, traceparent: string | null, uuid: () => string): void => {
  if (traceparent !== null && TRACEPARENT.test(traceparent)) return;
  const id = uuid().replaceAll("-", "");
  headers.set("traceparent", `00-${id}-${id.slice(16, 31)}1-00`);
  headers.delete("tracestate");
};
