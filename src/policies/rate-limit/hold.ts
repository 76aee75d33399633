import type { Exchange } from "../../core/exchange.ts";
import type { Filter, Handler } from "../../core/policy.ts";
import type { Counter, LimitState, Ports } from "../../core/ports.ts";
import { exceeded, type Group, isAllowed } from "./group.ts";

/** What takes the place of a group while its store is away. */
export interface Away {
  readonly filter: Filter;
  /** Charges a failed proof of identity there, for which the store was asked in vain. */
  charge(exchange: Exchange): void;
}

/** Who counts. */
export interface Counting {
  readonly counter: Counter;
  /** Present where the counter may be away. */
  readonly away?: Away;
}

/** Charges every request before it goes on. */
export const limitRequests =
  (group: Group, counting: Counting, ports: Ports): Filter =>
  (next) =>
    decided(group, counting, 1, next, (exchange, states) => {
      if (!group.dryRun) group.tell(exchange, states);
      if (states.every(isAllowed)) return next(exchange);
      return exceeded(exchange, group, states, ports) ?? next(exchange);
    });

/**
 * Asks before a request goes on, and charges when it is answered with 401. Requests that are under way at the same time have
 * all been let through before the first of them is charged.
 */
export const limitFailures =
  (group: Group, counting: Counting, ports: Ports): Filter =>
  (next) => {
    const { counter, away } = counting;
    const charged =
      (exchange: Exchange) =>
      (response: Response): Response => {
        if (response.status !== 401) return response;
        const charge = counter.take(group.keysOf(exchange), group.limits, 1);
        if (charge instanceof Promise) exchange.defer.waitUntil(charge.catch(() => away?.charge(exchange)));
        return response;
      };
    return decided(group, counting, 0, next, (exchange, states) => {
      if (!states.every(isAllowed)) {
        if (!group.dryRun) group.tell(exchange, states);
        const refusal = exceeded(exchange, group, states, ports);
        if (refusal !== undefined) return refusal;
      }
      const answer = next(exchange);
      return answer instanceof Promise ? answer.then(charged(exchange)) : charged(exchange)(answer);
    });
  };

/** Asks the counter, and goes on with what it says, or with what takes its place while it is away. */
const decided = (
  group: Group,
  { counter, away }: Counting,
  cost: 0 | 1,
  next: Handler,
  goOn: (exchange: Exchange, states: readonly LimitState[]) => Response | Promise<Response>,
): Handler => {
  const instead = away?.filter(next);
  return (exchange) => {
    const states = counter.take(group.keysOf(exchange), group.limits, cost);
    if (!(states instanceof Promise)) return goOn(exchange, states);
    return states.then(
      (known) => goOn(exchange, known),
      // Without one, a counter that rejects is a bug.
      instead && (() => instead(exchange)),
    );
  };
};
