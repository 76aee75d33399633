/** What may not be done with a field, and what to do instead. */
export interface Reservation {
  readonly why: string;
  readonly remedy: string;
}

const HOP_BY_HOP: Reservation = {
  why: "it belongs to one connection (RFC 9110 section 7.6.1)",
  remedy: "Remove this line: the gateway drops such fields in both directions.",
};
const FRAMING: Reservation = {
  why: "it says how the body is framed or encoded, which the gateway does not change",
  remedy: "Remove this line.",
};
const REBUILT: Reservation = {
  why: "the gateway itself writes it for every request",
  remedy: "Remove this line, or use a name of your own.",
};

const HOPS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const REQUEST: Readonly<Record<string, Reservation>> = {
  ...Object.fromEntries(HOPS.map((name) => [name, HOP_BY_HOP])),
  "content-length": FRAMING,
  "content-encoding": FRAMING,
  expect: HOP_BY_HOP,
  host: {
    why: "it names the host of the request",
    remedy: "Write it under the route's `rewrite: { host: … }`.",
  },
  via: REBUILT,
  forwarded: REBUILT,
  "cdn-loop": REBUILT,
  "x-real-ip": REBUILT,
  "true-client-ip": REBUILT,
  "cf-connecting-ip": REBUILT,
};

const RESPONSE: Readonly<Record<string, Reservation>> = {
  ...Object.fromEntries(HOPS.map((name) => [name, HOP_BY_HOP])),
  "content-length": FRAMING,
  "content-encoding": FRAMING,
  "content-range": FRAMING,
  via: REBUILT,
  "proxy-status": REBUILT,
};

const VARY: Reservation = {
  why: "without all of its members, caches would hand one caller's answer to another",
  remedy: "Write it under `add`, which keeps the members that are there.",
};

/** Why a policy file may not change a field, or undefined when it may. */
export const reservationOf = (
  side: "request" | "response",
  verb: "set" | "add" | "remove",
  name: string,
): Reservation | undefined => {
  if (side === "request")
    return name.startsWith("x-forwarded-") || name.startsWith("x-original-") ? REBUILT : own(REQUEST, name);
  if (name.startsWith("access-control-"))
    return { why: "it is a part of CORS", remedy: "Use the cors policy." };
  if (name === "vary" && verb !== "add") return VARY;
  return own(RESPONSE, name);
};

const own = (table: Readonly<Record<string, Reservation>>, name: string): Reservation | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** How a body is to be read, and which part of the whole it is (RFC 9110 sections 8 and 14.4). */
const DESCRIBES_BODY = [
  "content-type",
  "content-length",
  "content-encoding",
  "content-language",
  "content-range",
];

/**
 * Fields that pass whatever `allow` says: those without which the message would mean something else, and those that the
 * gateway writes itself. All others, those that only say what a client would like (Accept, Range, Cache-Control) among
 * them, pass where they are named.
 */
export const ALWAYS_ALLOWED = {
  request: [
    ...DESCRIBES_BODY,
    // "Only if nothing has changed" must not become "in any case" (RFC 9110 section 13); nor a part of the old stand
    // beside one of the new, where Range is allowed.
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    // The opening handshake of a WebSocket (RFC 6455 section 11.3).
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    // Of the client's own nothing is left of these when `allow` is applied, but a valid trace that is continued.
    "host",
    "via",
    "cdn-loop",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "traceparent",
    "tracestate",
  ],
  response: [
    ...DESCRIBES_BODY,
    // Without it a download would be shown as a page (RFC 6266).
    "content-disposition",
    // Where a redirect leads, and what a WebSocket agreed on.
    "location",
    "sec-websocket-accept",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    // What holds caches back, and keeps one caller's answer from another.
    "cache-control",
    "expires",
    "vary",
    "date",
    "age",
    "cache-status",
    // What a refusal has to say (RFC 9110 sections 10.2.1, 10.2.3, 11.6.1 and 15.5.16, RFC 9209).
    "allow",
    "accept",
    "accept-encoding",
    "retry-after",
    "www-authenticate",
    "proxy-status",
  ],
} as const;
