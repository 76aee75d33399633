import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory, Handler } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";
import { bodyTooLarge } from "../../core/request-body.ts";
import { bodyOfOtherType } from "../../core/shared-problems.ts";
import { countedBody } from "./counted-body.ts";

export type Step = {
  readonly maxBytes: number;
  /** How many header fields, and how many characters of names and values together. */
  readonly maxFields?: number;
  readonly maxFieldBytes?: number;
  /** Media types in lower case: `a/b`, or what they begin with, or what they end with. */
  readonly contentTypes?: {
    readonly exact: readonly string[];
    readonly prefixes: readonly string[];
    readonly suffixes: readonly (readonly [string, string])[];
    /** For the Accept field of a 415. */
    readonly accept: string;
  };
};

/** Refuses messages that are too large before they cost anything: 431, 415 and 413. */
export const filter: FilterFactory<Step> = (step) => {
  const { maxBytes, maxFields, maxFieldBytes, contentTypes } = step;
  const limitsFields = maxFields !== undefined || maxFieldBytes !== undefined;
  const accepts = contentTypes && mediaTypeTest(contentTypes);
  return (next) => (exchange) => {
    const { headers } = exchange.request;
    if (limitsFields && fieldsExceed(headers, maxFields ?? Infinity, maxFieldBytes ?? Infinity))
      return tooManyFields(exchange);
    const length = headers.get("content-length");
    const bytes = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    if (bytes === 0) return next(exchange);
    const body = bytes === undefined ? exchange.request.body : undefined;
    if (body === null) return next(exchange);
    if (accepts !== undefined && !accepts(headers.get("content-type")))
      return problem(exchange, bodyOfOtherType(contentTypes!.accept));
    // HTTP's framing holds a body to its Content-Length (RFC 9112 section 6.3); a body without one has to be counted.
    if (body !== undefined) return counted(exchange, body, maxBytes, next);
    return bytes! > maxBytes ? bodyTooLarge(exchange, maxBytes) : next(exchange);
  };
};

/**
 * Runs the rest with a body that is counted on its way. When it proves too large, the client is answered at once, and the call
 * under way is kept alive only until it is aborted.
 */
const counted = (
  exchange: Exchange,
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  next: Handler,
): Promise<Response> =>
  new Promise((resolve, reject) => {
    let exceeded = false;
    const counted = countedBody(body, maxBytes, () => {
      exceeded = true;
      resolve(bodyTooLarge(exchange, maxBytes));
      exchange.defer.waitUntil(rest);
    });
    exchange.requestBody = counted.stream;
    exchange.requestSignal = counted.signal;
    const run = async (): Promise<void> => {
      const answer = next(exchange);
      // Who answers at once has not looked at the body.
      if (!(answer instanceof Response)) void counted.start();
      const response = await answer;
      if (exceeded) await response.body?.cancel();
      else resolve(response);
    };
    const rest = run().catch(reject);
  });

const tooManyFields = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 431,
    code: "header-fields-too-large",
    title: "Request header fields too large",
    detail: "The header has too many fields, or they are too long together.",
  });

const fieldsExceed = (headers: Headers, maxFields: number, maxFieldBytes: number): boolean => {
  let fields = 0;
  let bytes = 0;
  for (const [name, value] of headers) {
    fields++;
    bytes += name.length + value.length;
    if (fields > maxFields || bytes > maxFieldBytes) return true;
  }
  return false;
};

const mediaTypeTest = ({
  exact,
  prefixes,
  suffixes,
}: NonNullable<Step["contentTypes"]>): ((given: string | null) => boolean) => {
  const known = new Set(exact);
  return (given) => {
    if (given === null) return false;
    const semicolon = given.indexOf(";");
    const type = (semicolon < 0 ? given : given.slice(0, semicolon)).trim().toLowerCase();
    return (
      known.has(type) ||
      prefixes.some((prefix) => type.startsWith(prefix)) ||
      suffixes.some(([prefix, suffix]) => type.startsWith(prefix) && type.endsWith(suffix))
    );
  };
};
