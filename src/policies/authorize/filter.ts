import type { Exchange } from "../../core/exchange.ts";
import type { Expression } from "../../core/expression.ts";
import type { FilterFactory } from "../../core/policy.ts";
import type { Metrics } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";
import { scopeOf } from "../../core/scope.ts";
import { linkExpression } from "../../lib/cel/link.ts";

export type Step = {
  /** The expressions of all levels, outermost first, each with the node where it is written: each must be true. */
  readonly allow: readonly { readonly node: string; readonly expression: Expression }[];
  /** The value of WWW-Authenticate for a caller who is nobody yet. */
  readonly challenge: string;
};

/** Lets a request pass only where every expression is true; anything else, errors among them, refuses. */
export const filter: FilterFactory<Step> = (step, { clock, metrics }) => {
  const scope = scopeOf(clock);
  const conditions = step.allow.map(({ node, expression }) => ({
    node,
    decide: linkExpression(expression, scope),
  }));
  return (next) => (exchange) => {
    for (const { node, decide } of conditions) {
      const decision = decide(exchange);
      if (decision === true) continue;
      exchange.refusal = `${node}.policies.authorize ${decision === false ? "is false" : "cannot be decided"}`;
      return refusal(exchange, step.challenge, metrics);
    }
    return next(exchange);
  };
};

/**
 * 401 for a caller who is nobody yet, as where a credential is asked for; else 403 (RFC 9110 sections 15.5.2 and 15.5.4).
 * The caller is not told why; the log is.
 */
const refusal = (exchange: Exchange, challenge: string, metrics: Metrics | undefined): Response => {
  const { identity } = exchange;
  const known = identity !== undefined && identity.kind !== "anonymous";
  const response = known
    ? problem(exchange, {
        status: 403,
        code: "forbidden",
        title: "Forbidden",
        detail: "This caller may not do this.",
      })
    : problem(exchange, {
        status: 401,
        code: "credential-missing",
        title: "Credential missing",
        detail: "Say who is calling: this needs a credential.",
        headers: { "www-authenticate": challenge },
      });
  metrics?.count("postern_auth_failures_total", [known ? "forbidden" : "credential-missing"]);
  return response;
};
