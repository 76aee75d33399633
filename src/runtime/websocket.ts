import type { Handler } from "../core/policy.ts";
import { problem } from "../core/problem.ts";
import type { RequestExchange } from "./exchange.ts";
import type { WebSocketFactory } from "./parts.ts";

/**
 * Links a route that offers WebSockets: policies learn that a request opens one, and a handshake that is not in order is
 * refused before the upstream hears of it. The platform joins the two connections when the upstream's 101 is the answer; no
 * message passes through the gateway's code.
 */
export const linkWebSocket: WebSocketFactory = (end, around) => {
  const checked: Handler = (exchange) =>
    (exchange.opensWebSocket ? faultOf(exchange as RequestExchange) : undefined) ?? end(exchange);
  const handler = around(checked);
  return (it) => {
    const exchange = it as RequestExchange;
    exchange.opensWebSocket = asksForWebSocket(exchange);
    return handler(exchange);
  };
};

/**
 * The opening handshake (RFC 6455 section 4.1): GET, and an upgrade to websocket alone. Any other upgrade may be ignored (RFC
 * 9110 section 7.8), and is.
 */
const asksForWebSocket = ({ method, request }: RequestExchange): boolean =>
  method === "GET" && request.headers.get("upgrade")?.toLowerCase() === "websocket";

/** 16 bytes in base64: the last character but the padding holds two bits, and four that are zero. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/**
 * The refusal of a handshake that is not in order (RFC 6455 section 4.2.1); the platform would refuse it once the upstream has
 * taken it. Key and version may be missing where another Worker asks: its platform speaks for it, without `Connection`.
 */
const faultOf = (exchange: RequestExchange): Response | undefined => {
  const { headers } = exchange.request;
  const overWire = headers.get("connection")?.toLowerCase().includes("upgrade") === true;
  const version = headers.get("sec-websocket-version");
  if (version === null ? overWire : version !== "13") {
    // Not 426: that needs an Upgrade field (RFC 9110 section 15.5.22), which the platform keeps to itself.
    return problem(exchange, {
      status: 400,
      code: "websocket-version",
      title: "Bad request",
      detail: "A WebSocket is opened by version 13 of its protocol.",
      headers: { "sec-websocket-version": "13" },
    });
  }
  const key = headers.get("sec-websocket-key");
  if (key === null ? !overWire : KEY.test(key)) return undefined;
  return problem(exchange, {
    status: 400,
    code: "websocket-key",
    title: "Bad request",
    detail: "A WebSocket is opened with a Sec-WebSocket-Key: 16 bytes, in base64.",
  });
};
