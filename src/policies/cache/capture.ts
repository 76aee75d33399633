import { problem } from "../../core/problem.ts";
import { UPSTREAM_INCOMPLETE } from "../../core/shared-problems.ts";
import { removeHopByHop } from "../../lib/http/hop-by-hop.ts";
import { answerFrom } from "./answer.ts";
import { joinParts } from "./join-parts.ts";
import { land, landEntry } from "./landing.ts";
import { lasting } from "./lasting.ts";
import { keepAlive, type LinkedCache, marked, record, type Visit } from "./linked.ts";
import { discard } from "./on-error.ts";
import { readInTime } from "./read-in-time.ts";
import { type ForwardDetail, type Forwarded, forwardStatus } from "./status.ts";
import type { Draft } from "./storability.ts";
import type { Mark } from "./tiers.ts";
import { CONDITIONS, isUnchangedFor } from "./validation.ts";
import { sentHeader } from "./vary.ts";

/** A body of this size or less, in bytes, is read before it is passed on: cheaper than to split its stream in two. */
const READ_AHEAD = 64 * 1024;

/** A response that may be stored, and how it came. */
export interface Storable {
  readonly response: Response;
  readonly draft: Draft;
  readonly why: Forwarded;
  readonly mark: Mark;
  /** When it was asked for; absent where that says nothing of how long a GET takes. */
  readonly requestedMs?: number;
}

/**
 * Passes a response on and stores it when its body has come whole, within the bound. The client never waits for that, but
 * for a small body whose length is known.
 */
export const capture = (
  cache: LinkedCache,
  visit: Visit,
  storable: Storable,
): Response | Promise<Response> => {
  const { response, draft, why } = storable;
  const { exchange } = visit;
  const { collapsed } = visit;
  const length = knownLength(response.headers);
  if (length !== undefined && length > cache.step.maxBody) {
    land(cache, visit, "alone");
    record(cache, exchange, "miss");
    const status = forwardStatus(why, { collapsed, detail: "too-large" });
    if (!isKnownUnchanged(cache, visit, draft)) return marked(exchange, response, status);
    discard(response);
    return unchanged(cache, visit, storable, { detail: "too-large" });
  }
  // The first client's answer says the same as those from the store (RFC 9110 section 6.6.1).
  if (!response.headers.has("date"))
    exchange.answerEdits.push({ op: "set", name: "date", value: draft.headers.get("date")! });
  if (length !== undefined && length <= READ_AHEAD && response.body !== null) {
    return response.arrayBuffer().then(
      (body) => (body.byteLength === length ? readAhead(cache, visit, storable, body) : broken(cache, visit)),
      () => broken(cache, visit),
    );
  }
  record(cache, exchange, "miss");
  const status = forwardStatus(why, { stored: true, collapsed });
  const isKnown = isKnownUnchanged(cache, visit, draft);
  if (response.body === null) keepAlive(exchange, store(cache, visit, storable, null));
  else readBeside(cache, visit, storable, isKnown ? response.body : response.clone().body!, length);
  return isKnown ? unchanged(cache, visit, storable, { stored: true }) : marked(exchange, response, status);
};

/** Reads a body, and stores it when it has come whole, while nobody waits for that but those who ask for the same. */
const readBeside = (
  cache: LinkedCache,
  visit: Visit,
  storable: Storable,
  body: ReadableStream<Uint8Array>,
  length: number | undefined,
): void => {
  const { exchange, flight } = visit;
  if (flight !== undefined) flight.hasAnswer = true;
  const read = readInTime(body, cache.step.maxBody).then((bytes) => {
    const isWhole = typeof bytes !== "string" && (length === undefined || bytes.byteLength === length);
    if (isWhole) return store(cache, visit, storable, bytes.buffer);
    land(cache, visit, bytes === "too-large" || bytes === "too-slow" ? "alone" : "failed");
    return undefined;
  });
  exchange.defer.waitUntil(read);
};

/** Whether the client's own copy is good still, as far as we can tell: the body may not have come. */
const isUnchanged = ({ ports }: LinkedCache, { exchange }: Visit, draft: Draft): boolean =>
  draft.status === 200 &&
  isUnchangedFor(exchange.request.headers, { ...draft, body: null, variant: "" }, ports.clock.now());

/** The same, where the upstream was asked for the whole, and so has not looked at it. */
const isKnownUnchanged = (cache: LinkedCache, visit: Visit, draft: Draft): boolean =>
  CONDITIONS.every((name) => sentHeader(visit.exchange, name) === null) && isUnchanged(cache, visit, draft);

/** Answers 304, and tells the upstream's status, which is another (RFC 9211 section 2.3). */
const unchanged = (
  { ports }: LinkedCache,
  { exchange, collapsed }: Visit,
  { draft, why }: Storable,
  more: ForwardDetail,
): Response => {
  const status = forwardStatus(why, { upstream: draft.status, collapsed, ...more });
  return answerFrom({ ...draft, body: null, variant: "" }, exchange, ports.clock.now(), status);
};

/** Puts a whole body with its draft into the tiers; the promise is that of those outside of the isolate. */
export const store = (
  cache: LinkedCache,
  visit: Visit,
  { draft, mark, requestedMs }: Pick<Storable, "draft" | "mark" | "requestedMs">,
  body: ArrayBuffer | null,
): Promise<unknown> | undefined => {
  const { primary, exchange } = visit;
  const entry = { ...lasting(cache, draft, requestedMs), body };
  const { tiers, step } = cache;
  const joined =
    entry.part === undefined ? entry : joinParts(tiers.find(primary, exchange).entry, entry, step.maxBody);
  const stored = tiers.put(primary, joined, exchange, mark);
  landEntry(cache, visit, joined, draft.status, stored);
  return stored;
};

/**
 * Answers with a body that was read. What the client asked about its own copy was not sent on where the cache asked about its
 * entry, so it is looked at here.
 */
const readAhead = (cache: LinkedCache, visit: Visit, storable: Storable, body: ArrayBuffer): Response => {
  const { response, draft, why } = storable;
  const { exchange } = visit;
  record(cache, exchange, "miss");
  keepAlive(exchange, store(cache, visit, storable, body));
  if (isUnchanged(cache, visit, draft)) return unchanged(cache, visit, storable, { stored: true });
  const { status, statusText, headers } = response;
  const answer = new Response(body, { status, statusText, headers });
  removeHopByHop(answer.headers);
  answer.headers.append("cache-status", forwardStatus(why, { stored: true, collapsed: visit.collapsed }));
  return answer;
};

const broken = (cache: LinkedCache, visit: Visit): Response => {
  const { exchange } = visit;
  land(cache, visit, "failed");
  record(cache, exchange, "miss");
  return problem(exchange, UPSTREAM_INCOMPLETE);
};

/** Content-Length where it counts what will be read: not of a coded body, which the runtime decodes. */
const knownLength = (headers: Headers): number | undefined => {
  const length = headers.get("content-length");
  if (length === null || !/^\d+$/.test(length)) return undefined;
  const coding = headers.get("content-encoding");
  return coding === null || coding === "identity" ? Number(length) : undefined;
};
