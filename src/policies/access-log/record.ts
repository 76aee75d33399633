import type { Exchange } from "../../core/exchange.ts";
import { maskQuery } from "./mask-query.ts";

/** Fields that a record has only where the policy names them. */
export const OPTIONAL_FIELDS = {
  scheme: ({ scheme }) => scheme,
  query: ({ query }, masked) => (query === "" ? undefined : maskQuery(query, masked)),
  identityId: ({ identity }) => identity?.id,
  issuer: ({ identity }) => identity?.issuer,
  consumer: ({ identity }) => identity?.consumer?.name,
  plan: ({ identity }) => identity?.consumer?.plan,
  origin: ({ request }) => request.headers.get("origin"),
  // Only where from: the query of another site's address is its visitors' business.
  referer: ({ request }) => request.headers.get("referer")?.replace(/[?#].*$/s, ""),
  contentType: ({ request }) => request.headers.get("content-type"),
  requestBytes: ({ request }) => size(request.headers),
  responseBytes: (_exchange, _masked, response) => response && size(response.headers),
} satisfies Record<
  string,
  (
    exchange: Exchange,
    masked: ReadonlySet<string>,
    response: Response | undefined,
  ) => string | number | null | undefined
>;

export type OptionalField = keyof typeof OPTIONAL_FIELDS;

/** The value of an optional field, fit for a line of a log. */
export const optionalField = (
  name: OptionalField,
  exchange: Exchange,
  masked: ReadonlySet<string>,
  response: Response | undefined,
): string | number | undefined => {
  const value = OPTIONAL_FIELDS[name](exchange, masked, response) ?? undefined;
  return typeof value === "string" ? shown(value) : value;
};

/** Fields of every record, in their order. */
export const FIELDS = [
  "time",
  "requestId",
  "method",
  "host",
  "path",
  "route",
  "api",
  "status",
  "durationMs",
  "upstreamMs",
  "lane",
  "target",
  "clientIp",
  "identity",
  "problem",
  "refusal",
  "cache",
  "userAgent",
] as const;

export type LogRecord = Record<string, string | number | undefined>;

/** What is known of every exchange. `undefined` stands for a field that is not there. */
export const baseRecord = (exchange: Exchange, status: number, nowMs: number): LogRecord => ({
  time: new Date(nowMs).toISOString(),
  requestId: exchange.requestId,
  method: exchange.method,
  host: exchange.host,
  path: shown(exchange.path),
  route: exchange.route.id,
  api: exchange.route.api,
  status,
  durationMs: nowMs - exchange.startedAtMs,
  upstreamMs: exchange.upstreamMs,
  // To ask for the lane is to choose one: it is of interest only where something went down it.
  lane: exchange.target && exchange.lane,
  target: exchange.target,
  clientIp: exchange.clientIp === "" ? undefined : shown(exchange.clientIp),
  identity: exchange.identity?.kind,
  problem: exchange.problemCode,
  refusal: exchange.refusal,
  cache: exchange.cacheResult,
  userAgent: shown(exchange.request.headers.get("user-agent")),
});

const LONGEST = 1024;
// JSON escapes what is below U+0020; these can steer a terminal or break a line too (DEL, C1, line and paragraph separator).
const UNSHOWN = /[\x7f-\x9f\u2028\u2029]/g;

/** Text of a caller, cut to what a line of a log may be asked to hold. */
const shown = (text: string | null): string | undefined =>
  text === null
    ? undefined
    : (text.length > LONGEST ? text.slice(0, LONGEST) + "…" : text).replace(UNSHOWN, "\ufffd");

const size = (headers: Headers): number | undefined => {
  const length = headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
};
