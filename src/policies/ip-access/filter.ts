import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";
import { type AddressSet, hasAddress } from "../../lib/address-set.ts";
import { addressDigits } from "../../lib/ip.ts";

export type Step = {
  /** Names of shared sets of addresses, one a level: a client has to be in each of them. */
  readonly sets: readonly string[];
};

/**
 * Lets a request pass only where the address of its client is in every set. An address that is unknown, or that cannot be read
 * in one way only, is in none.
 */
export const filter: FilterFactory<Step> = (step, _ports, site) => {
  const sets = step.sets.map((name) => site.shared<AddressSet>(name));
  return (next) => (exchange) => {
    const digits = addressDigits(exchange.clientIp);
    return digits !== undefined && sets.every((set) => hasAddress(set, digits))
      ? next(exchange)
      : refusal(exchange);
  };
};

/** Says nothing of the lists. */
const refusal = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 403,
    code: "ip-refused",
    title: "Forbidden",
    detail: "Requests from this address are not served.",
  });
