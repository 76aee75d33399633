import { problem } from "../core/problem.ts";
import type { RequestExchange } from "./exchange.ts";
import { isGrpc } from "./outgoing-headers.ts";

/** What the client gets where no upstream answered: RFC 9457 problems with the next hop's fault in Proxy-Status (RFC 9209). */

export const loopDetected = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 508,
    code: "loop-detected",
    title: "Loop detected",
    detail: "This request has been through this gateway before.",
    proxyError: "proxy_loop_detected",
  });

/**
 * Trailers, by which gRPC tells how a call went, pass no Worker. 501 and not 404, which gRPC clients would take for an unknown
 * method (gRPC, "HTTP to gRPC Status Code Mapping").
 */
const grpcNotOffered = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 501,
    code: "grpc-not-offered",
    title: "Not implemented",
    detail: "This gateway does not pass gRPC on. Call the service by gRPC-Web or JSON, or directly.",
  });

/** For a request without headers to go on with (`outgoingHeaders`). */
export const notPassedOn = (exchange: RequestExchange): Response =>
  isGrpc(exchange.request.headers) ? grpcNotOffered(exchange) : loopDetected(exchange);

export const badRewrite = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 400,
    code: "path-refused",
    title: "Path refused",
    detail: "The path cannot be passed on as it is.",
  });

export const noTarget = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 503,
    code: "no-target",
    title: "Service unavailable",
    detail: "No target of the service can be called.",
    headers: { "retry-after": "10" },
    proxyError: "destination_unavailable",
  });

export const timedOut = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 504,
    code: "upstream-timeout",
    title: "Gateway timeout",
    detail: "The service did not answer in time.",
    proxyError: "http_response_timeout",
  });

export const unreachable = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 502,
    code: "upstream-failed",
    title: "Bad gateway",
    detail: "The service could not be reached, or its answer could not be read.",
    proxyError: "connection_terminated",
  });

export const bodyTimedOut = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 408,
    code: "body-timeout",
    title: "Request timeout",
    detail: "The body of the request did not come in time.",
  });

/** Tried again, and again no connection lasted until an answer: it is no longer one connection that is to blame. */
export const unavailable = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 503,
    code: "upstream-unavailable",
    title: "Service unavailable",
    detail: "The service could not be reached, though it was tried more than once.",
    headers: { "retry-after": "1" },
    proxyError: "destination_unavailable",
  });

/** The circuit breaker lets nothing through; `seconds` says when to come back. */
export const circuitOpen = (exchange: RequestExchange, seconds: number): Response =>
  problem(exchange, {
    status: 503,
    code: "circuit-open",
    title: "Service unavailable",
    detail: "The service failed too often lately and is given time to recover.",
    headers: { "retry-after": String(seconds) },
    proxyError: "destination_unavailable",
  });

/** As many requests as may be are under way. */
export const tooManyPending = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 503,
    code: "upstream-busy",
    title: "Service unavailable",
    detail: "The service has as many requests under way as it may have.",
    headers: { "retry-after": "1" },
    proxyError: "connection_limit_reached",
  });
