import { problem } from "../../core/problem.ts";
import { answerFrom } from "./answer.ts";
import { joinParts } from "./join-parts.ts";
import { keepAlive, type LinkedCache, marked, record, type Visit } from "./linked.ts";
import { type Forwarded, forwardStatus } from "./status.ts";
import type { Draft } from "./storability.ts";
import { isUnchangedFor } from "./validation.ts";

/** A body of this size or less, in bytes, is read before it is passed on: cheaper than to split its stream in two. */
const READ_AHEAD = 64 * 1024;

/** A response that may be stored, and how it came. */
export interface Storable {
  readonly response: Response;
  readonly draft: Draft;
  readonly why: Forwarded;
  readonly mark: number;
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
    record(cache, exchange, "miss");
    return marked(exchange, response, forwardStatus(why, { detail: "too-large" }));
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
    const copy = response.clone().body!;
    const read = readWithin(copy, cache.step.maxBody).then((body) => {
      if (body === undefined || (length !== undefined && body.byteLength !== length)) return undefined;
      return store(cache, visit, storable, body);
    });
    exchange.defer.waitUntil(read);
  }
  return marked(exchange, response, forwardStatus(why, { stored: true }));
};

/** Puts a whole body with its draft into the tiers; the promise is that of the edge. */
export const store = (
  cache: LinkedCache,
  { primary, exchange }: Visit,
  { draft, mark }: Pick<Storable, "draft" | "mark">,
  body: ArrayBuffer | null,
): Promise<unknown> | undefined => {
  const entry = { ...draft, body };
  const { tiers, step } = cache;
  const joined =
    entry.part === undefined ? entry : joinParts(tiers.find(primary, exchange).entry, entry, step.maxBody);
  return tiers.put(primary, joined, exchange, mark);
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
  const status = forwardStatus(why, { stored: true });
  const nowMs = cache.ports.clock.now();
  const entry = { ...draft, body, variant: "" };
  if (draft.status === 200 && isUnchangedFor(exchange.request.headers, entry, nowMs)) {
    return answerFrom(entry, exchange, nowMs, status);
  }
  const { status: code, statusText, headers } = response;
  const answer = new Response(body, { status: code, statusText, headers });
  answer.headers.append("cache-status", status);
  return answer;
};

const broken = (cache: LinkedCache, { exchange }: Visit): Response => {
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

/** All bytes of a stream; undefined where it fails, or where there are more than `most`, and then the rest is not read. */
export const readWithin = async (
  stream: ReadableStream<Uint8Array>,
  most: number,
): Promise<ArrayBuffer | undefined> => {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > most) {
        void reader.cancel().catch(() => undefined);
        return undefined;
      }
      chunks.push(value);
    }
  } catch {
    return undefined;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole.buffer;
};
