import type { Exchange } from "../../core/exchange.ts";
import type { Network, Ports } from "../../core/ports.ts";
import { within } from "../../lib/within.ts";

/** The service that is asked, as it stands in the plan. */
export type ServicePlan = {
  readonly url: string;
  readonly network: Network;
  readonly timeoutMs: number;
  /** Which of the client's fields it sees, in lower case. */
  readonly requestHeaders: readonly string[];
};

/** What the service said; its body is not looked at. */
export interface Said {
  readonly status: number;
  readonly headers: Headers;
}

/**
 * Asks the service for a request: what it is, by fields that no client can write, and the fields that the policy names; never its
 * body. Rejects, with a reason for the log, where no answer comes in time. Redirects are not followed.
 */
export const askService = (plan: ServicePlan, exchange: Exchange, ports: Ports): Promise<Said> =>
  within(plan.timeoutMs, async (signal) => {
    const fetcher = ports.fetch.open({ network: plan.network });
    if (fetcher === undefined) throw new Error("there is no network");
    const headers = headersFor(plan, exchange);
    const response = await fetcher.fetch(plan.url, { method: "GET", redirect: "manual", headers, signal });
    // Not waited for: whatever it would say does not matter.
    void response.body?.cancel().catch(() => undefined);
    return response;
  });

/** Path and host as the router and the upstream see them. */
const headersFor = ({ requestHeaders }: ServicePlan, exchange: Exchange): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const name of requestHeaders) {
    const value = exchange.request.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  headers["x-forwarded-method"] = exchange.method;
  headers["x-forwarded-proto"] = exchange.scheme;
  headers["x-forwarded-host"] = exchange.authority;
  headers["x-forwarded-uri"] = exchange.path + exchange.query;
  if (exchange.clientIp !== "") headers["x-forwarded-for"] = exchange.clientIp;
  return headers;
};
