import type { HeaderEdit } from "../../core/header-edits.ts";
import type { FilterFactory } from "../../core/policy.ts";

export type Step = {
  /** Names in lower case and values. */
  readonly fields: readonly (readonly [string, string])[];
  /** Strict-Transport-Security, which is said over https only. */
  readonly hsts?: string;
};

/** Adds the fields to every answer, problems and stored answers included. */
export const filter: FilterFactory<Step> = ({ fields, hsts }) => {
  const plain = fields.map(([name, value]): HeaderEdit => ({ op: "set", name, value }));
  // A browser ignores the field over plain http, and RFC 6797 section 7.2 forbids to send it there.
  const secure =
    hsts === undefined
      ? plain
      : [...plain, { op: "set", name: "strict-transport-security", value: hsts } as const];
  return (next) => (exchange) => {
    exchange.answerEdits.push(...(exchange.scheme === "https" ? secure : plain));
    return next(exchange);
  };
};
