import type { MirrorPlan } from "../core/plan.ts";
import { CREDENTIAL_FIELDS } from "../lib/http/credential-fields.ts";
import type { RequestExchange } from "./exchange.ts";
import type { MirrorFactory } from "./parts.ts";
import type { LinkedUpstream, Outgoing } from "./upstream.ts";

/**
 * Links copies of requests to other upstreams. A copy goes through all that its upstream has, credential, retries and breaker
 * included, within its time, on an exchange of its own: nothing of it reaches the client, the log or the route's metrics.
 */
export const linkMirror: MirrorFactory = (plans, upstreamOf, { random }) => {
  const mirrors = plans.map((plan) => ({ ...plan, to: upstreamOf(plan.upstream) }));
  return (exchange, outgoing) => {
    if (!isCopied(outgoing)) return;
    for (const { share, upstream, to, without } of mirrors) {
      // What a lane has answered already need not be asked of it again.
      if (upstream === exchange.lane || (share < 1 && random.number() >= share)) continue;
      exchange.defer.waitUntil(copy(exchange, outgoing, to, without).catch(() => {}));
    }
  };
};

/** Requests that ask for nothing to be done (RFC 9110 section 9.2.1), and have no body. */
const isCopied = ({ method, body, upgrade }: Outgoing): boolean =>
  (method === "GET" || method === "HEAD") && body === null && !upgrade;

/** The route's `rewrite.host` names the host of its own upstream: the copy goes to the other's. */
const copy = async (
  exchange: RequestExchange,
  outgoing: Outgoing,
  { send, timeoutMs }: LinkedUpstream,
  without: MirrorPlan["without"] = [],
): Promise<void> => {
  const headers = new Headers(outgoing.headers);
  for (const name of CREDENTIAL_FIELDS) headers.delete(name);
  for (const name of without) headers.delete(name);
  const response = await send(exchange.fork(), { ...outgoing, headers, host: undefined, timeoutMs });
  await response.body?.cancel();
};
