import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { baseRecord, type OptionalField, optionalField } from "./record.ts";

export type Step = {
  /** The part of the requests that is written, from 0 to 1. */
  readonly sample: number;
  readonly fields: readonly OptionalField[];
  /** Fields that are left out. */
  readonly without: readonly string[];
  /** Names of query parameters whose values are masked. */
  readonly masked: readonly string[];
};

/** Writes one record for a request, once its status is known. */
export const filter: FilterFactory<Step> = ({ sample, fields, without, masked }, { clock, log, random }) => {
  const names = new Set(masked);
  const write = (exchange: Exchange, status: number, response?: Response): void => {
    if (sample < 1 && !isAlwaysWritten(status) && random.number() >= sample) return;
    const record = baseRecord(exchange, status, clock.now());
    for (const name of fields) record[name] = optionalField(name, exchange, names, response);
    for (const name of without) record[name] = undefined;
    log.write(record);
  };
  return (next) => async (exchange) => {
    try {
      const response = await next(exchange);
      write(exchange, response.status, response);
      return response;
    } catch (error) {
      // A handler that throws is a bug, and ends as a 500; that is when its record is wanted most.
      write(exchange, 500);
      throw error;
    }
  };
};

const isAlwaysWritten = (status: number): boolean =>
  status >= 500 || status === 401 || status === 403 || status === 429;
