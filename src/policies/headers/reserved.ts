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

const DESCRIBES_BODY = ["content-type", "content-length", "content-encoding"];

/** Fields that pass whatever `allow` says: without them the message would mean something else. */
export const ALWAYS_ALLOWED = {
  request: [...DESCRIBES_BODY, "host"],
  response: [
    ...DESCRIBES_BODY,
    "content-range",
    "date",
    "age",
    "vary",
    "cache-status",
    // What a refusal has to say (RFC 9110 sections 10.2.1, 10.2.3 and 11.6.1, RFC 9209).
    "allow",
    "retry-after",
    "www-authenticate",
    "proxy-status",
  ],
} as const;
