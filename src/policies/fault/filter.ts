import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory, Handler } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";

export type Step = {
  /** The part of the requests that it concerns, above 0 and up to 1. */
  readonly share: number;
  readonly delayMs?: number;
  /** What is answered in place of the upstream. */
  readonly status?: number;
};

/** Holds back or aborts the requests on which the lot falls. */
export const filter: FilterFactory<Step> = ({ share, delayMs, status }, { random }, site) => {
  // A plan of development that is run elsewhere by mistake injects nothing.
  if (!site.development) return undefined;
  return (next) => {
    const end: Handler = status === undefined ? next : (exchange) => injected(exchange, status);
    const struck: Handler =
      delayMs === undefined ? end : (exchange) => wait(delayMs).then(() => end(exchange));
    return (exchange) => (random.number() < share ? struck(exchange) : next(exchange));
  };
};

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const injected = (exchange: Exchange, status: number): Response =>
  problem(exchange, {
    status,
    code: "fault-injected",
    title: "Injected fault",
    detail: "The gateway was told to answer so, to try out what follows.",
    ...(SAYS_WHEN.has(status) ? { headers: { "retry-after": "1" } } : {}),
  });

/** As every refusal of these kinds says when to come back, callers are tried out with that. */
const SAYS_WHEN = new Set([429, 503]);
