import { determinize, type Limits } from "./determinize.ts";
import { parseRegex, type RegexFault } from "./parse.ts";
import type { RegexPlan } from "./run.ts";

/** What an expression may be at most, so that neither building nor storing it is work worth speaking of. */
export const REGEX_LIMITS = {
  length: 1_000,
  positions: 6_000,
  states: 1_000,
  cells: 20_000,
} satisfies Limits & {
  /** Characters of the expression itself. */
  readonly length: number;
};

export type CompiledRegex = { readonly regex: RegexPlan } | { readonly faults: readonly RegexFault[] };

/** Compiles a regular expression to the smallest automaton that matches the whole of a text, or says what is at fault. */
export const compileRegex = (text: string): CompiledRegex => {
  const whole = { offset: 0, length: text.length };
  if (text.length > REGEX_LIMITS.length) return { faults: [{ reason: "too-long", ...whole }] };
  const parsed = parseRegex(text);
  if ("faults" in parsed) return parsed;
  const regex = determinize(parsed.pattern, REGEX_LIMITS);
  return regex === undefined ? { faults: [{ reason: "too-large", ...whole }] } : { regex };
};
