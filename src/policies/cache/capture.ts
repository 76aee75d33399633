import { problem } from "../../core/problem.ts";
import { removeHopByHop } from "../../lib/http/hop-by-hop.ts";
import { readWhole } from "../../lib/read-whole.ts";
import { answerFrom } from "./answer.ts";
import { joinParts } from "./join-parts.ts";
import { land, landEntry } from "./landing.ts";
import { lasting } from "./lasting.ts";
import { keepAlive, type LinkedCache, marked, record, type Visit } from "./linked.ts";
import { type Forwarded, forwardStatus } from "./status.ts";
import type { Draft } from "./storability.ts";
import type { Mark } from "./tiers.ts";
import { isUnchangedFor } from "./validation.ts";

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
  const { response, why } = storable;
  const { exchange } = visit;
  const length = knownLength(response.headers);
  if (length !== undefined && length > cache.step.maxBody) {
    land(cache, visit, "alone");
    record(cache, exchange, "miss");
    return marked(
      exchange,
      response,
      forwardStatus(why, { collapsed: visit.collapsed, detail: "too-large" }),
    );
  }
  if (length !== undefined && length <= READ_AHEAD && response.body !== null) {
    return response.arrayBuffer().then(
      (body) => (body.byteLength === length ? readAhead(cache, visit, storable, body) : broken(cache, visit)),
      () => broken(cache, visit),
    );
  }
  record(cache, exchange, "miss");
  if (response.body === null) keepAlive(exchange, store(cache, visit, storable, null));
  else {
    const copy = response.clone().body!.getReader();
    const read = readWhole(copy, cache.step.maxBody).then((bytes) => {
      const isWhole = typeof bytes !== "string" && (length === undefined || bytes.byteLength === length);
      if (isWhole) return store(cache, visit, storable, bytes.buffer);
      land(cache, visit, bytes === "too-large" ? "alone" : "failed");
      return undefined;
    });
    exchange.defer.waitUntil(read);
  }
  return marked(exchange, response, forwardStatus(why, { stored: true, collapsed: visit.collapsed }));
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
 * Answers with a body that was read. What the client asked about its own copy was not sent on where the cache asked about
 * its entry, so it is looked at here.
 */
const readAhead = (cache: LinkedCache, visit: Visit, storable: Storable, body: ArrayBuffer): Response => {
  const { response, draft, why } = storable;
  const { exchange } = visit;
  record(cache, exchange, "miss");
  keepAlive(exchange, store(cache, visit, storable, body));
  const status = forwardStatus(why, { stored: true, collapsed: visit.collapsed });
  const nowMs = cache.ports.clock.now();
  const entry = { ...draft, body, variant: "" };
  if (draft.status === 200 && isUnchangedFor(exchange.request.headers, entry, nowMs)) {
    return answerFrom(entry, exchange, nowMs, status);
  }
  const { status: code, statusText, headers } = response;
  const answer = new Response(body, { status: code, statusText, headers });
  removeHopByHop(answer.headers);
  answer.headers.append("cache-status", status);
  return answer;
};

const broken = (cache: LinkedCache, visit: Visit): Response => {
  const { exchange } = visit;
  land(cache, visit, "failed");
  record(cache, exchange, "miss");
  return problem(exchange, {
    status: 502,
    code: "upstream-incomplete",
    title: "Bad gateway",
    detail: "The service's answer broke off.",
    proxyError: "http_response_incomplete",
  });
};

/** Content-Length where it counts what will be read: not of a coded body, which the runtime decodes. */
const knownLength = (headers: Headers): number | undefined => {
  const length = headers.get("content-length");
  if (length === null || !/^\d+$/.test(length)) return undefined;
  const coding = headers.get("content-encoding");
  return coding === null || coding === "identity" ? Number(length) : undefined;
};
