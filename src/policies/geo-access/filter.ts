import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";

export type Step = {
  readonly codes: readonly string[];
  /** Whether these are the countries that may call, or those that may not. */
  readonly allowed: boolean;
};

/** Lets a request pass only from some countries; where the platform tells none, from nowhere. */
export const filter: FilterFactory<Step> = ({ codes, allowed }) => {
  const listed = new Set(codes);
  return (next) => (exchange) => {
    const { clientCountry } = exchange;
    return clientCountry !== "" && listed.has(clientCountry) === allowed ? next(exchange) : refusal(exchange);
  };
};

/** Says nothing of the lists, and not where the client is taken to be. */
const refusal = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 403,
    code: "country-refused",
    title: "Forbidden",
    detail: "Requests from this country are not served.",
  });
