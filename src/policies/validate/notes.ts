import type { Exchange } from "../../core/exchange.ts";
import type { Ports } from "../../core/ports.ts";
import type { Fault } from "./faults.ts";

/** What the log and the metrics are told. */
export interface Notes {
  refused(exchange: Exchange, code: string, faults: readonly Fault[]): void;
  /** The same would have been refused, if the policy did more than report. */
  reported(exchange: Exchange, code: string, faults: readonly Fault[]): void;
  /** An answer went by that could not be judged. */
  unjudged(exchange: Exchange, why: string): void;
}

/** The log has as many faults of one message at most. */
const MOST_LOGGED = 10;

export const linkNotes = (node: string, { log, metrics }: Ports): Notes => {
  const count = (outcome: string, exchange: Exchange): void =>
    metrics?.count("postern_validations_total", [outcome, exchange.route.id]);
  const write = (exchange: Exchange, message: string, faults: readonly Fault[]): void =>
    log.write({
      level: "warn",
      message,
      policy: node,
      route: exchange.route.id,
      requestId: exchange.requestId,
      ...(faults.length === 0 ? {} : { faults: faults.slice(0, MOST_LOGGED), faultCount: faults.length }),
    });
  return {
    refused: (exchange, code, faults) => {
      const [first] = faults;
      const where =
        first === undefined ? "" : ` in ${first.in} ${first.name ?? first.pointer ?? ""} (${first.code})`;
      exchange.refusal = `${node} ${code}${where}`;
      count("refused", exchange);
    },
    reported: (exchange, code, faults) => {
      count("reported", exchange);
      write(exchange, `would have been refused: ${code}`, faults);
    },
    unjudged: (exchange, why) => {
      count("unjudged", exchange);
      write(exchange, `the answer was not judged: ${why}`, []);
    },
  };
};
