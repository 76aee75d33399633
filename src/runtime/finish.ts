import { applyHeaderEdits } from "../core/header-edits.ts";
import type { Ports } from "../core/ports.ts";
import type { RequestExchange } from "./exchange.ts";
import { namedByConnection } from "./outgoing-headers.ts";

/** Makes the client's answer of what the filters answered. */
export type Finish = (exchange: RequestExchange, response: Response) => Response;

/** Links the last step of every exchange: counts it, and applies the edits of all filters at once. */
export const linkFinish = (ports: Ports): Finish => {
  const { metrics } = ports;
  return (exchange, response) => {
    if (metrics !== undefined) measure(exchange, response, ports);
    if (response === exchange.upstreamResponse) return passedOn(exchange, response);
    // Our own answers are edited where they are.
    if (exchange.answerEdits.length > 0) applyHeaderEdits(response.headers, exchange.answerEdits);
    return response;
  };
};

/** Fields of the hop behind the gateway that the platform lets through (RFC 9110 sections 7.6.1 and 11.7). */
const HOP_FIELDS = ["proxy-connection", "proxy-authenticate", "proxy-authentication-info"];

/**
 * An upstream's answer: as it is where nothing is to be edited, else copied once, with its body streaming on. What belongs to
 * the hop behind us goes first, so that no upstream removes what a policy sets by naming it in Connection.
 */
const passedOn = (exchange: RequestExchange, response: Response): Response => {
  const { answerEdits } = exchange;
  if (answerEdits.length === 0 && !hasHopFields(response.headers)) return response;
  // Made from the response itself, which costs half of what making it from status and headers does.
  const whole = new Response(response.body, response);
  const { headers } = whole;
  for (const name of HOP_FIELDS) headers.delete(name);
  const connection = headers.get("connection");
  if (connection !== null) for (const name of namedByConnection(connection)) headers.delete(name);
  applyHeaderEdits(headers, answerEdits);
  return whole;
};

const hasHopFields = (headers: Headers): boolean => {
  const connection = headers.get("connection");
  if (connection !== null && namedByConnection(connection).length > 0) return true;
  for (const name of HOP_FIELDS) if (headers.has(name)) return true;
  return false;
};

/** Methods that a label may hold; a client can write any other. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

const measure = (exchange: RequestExchange, response: Response, { metrics, clock }: Ports): void => {
  const { api, id } = exchange.route;
  const method = METHODS.has(exchange.method) ? exchange.method : "other";
  metrics!.count("postern_requests_total", [api, id, method, String(response.status)]);
  const seconds = (clock.now() - exchange.startedAtMs) / 1000;
  metrics!.observe("postern_request_duration_seconds", [api, id], seconds);
};
