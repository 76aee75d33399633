import type { Exchange } from "./exchange.ts";

/** What a gateway answers when a request failed (RFC 9457). */
export interface Problem {
  readonly status: number;
  /** Stable, machine-readable: part of the product's interface. */
  readonly code: string;
  readonly title: string;
  /** For the caller; never quotes a token, key or an upstream's words. */
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Members beside the registered ones (RFC 9457 section 3.2). */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** RFC 9209 error type when a next hop is to blame, e.g. `connection_timeout`. */
  readonly proxyError?: string;
}

/**
 * Answers with application/problem+json (RFC 9457). Proxy-Status (RFC 9209) tells it from an upstream's own error and
 * names the failure of the next hop where there was one.
 */
export const problem = (
  exchange: Pick<Exchange, "method" | "requestId" | "problemCode">,
  it: Problem,
): Response => {
  exchange.problemCode = it.code;
  const body = {
    type: "urn:postern:problem:" + it.code,
    title: it.title,
    status: it.status,
    detail: it.detail,
    instance: "urn:uuid:" + exchange.requestId,
    code: it.code,
    ...it.extensions,
  };
  const headers: Record<string, string> = {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...it.headers,
  };
  headers["proxy-status"] =
    it.proxyError === undefined
      ? `postern; details="${it.code}"`
      : `postern; error=${it.proxyError}; details="${it.code}"`;
  return new Response(exchange.method === "HEAD" ? null : JSON.stringify(body), {
    status: it.status,
    headers,
  });
};
