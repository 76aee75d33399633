import type { AggregateCallPlan } from "../../core/plan.ts";
import { problem } from "../../core/problem.ts";
import type { RequestExchange } from "../exchange.ts";
import { badRewrite, notPassedOn } from "../failures.ts";
import { outgoingHeaders } from "../outgoing-headers.ts";
import type { AggregateFactory } from "../parts.ts";
import { type CallFailure, type CallOutcome, linkCall } from "./call.ts";
import { cacheControlOf, varyOf } from "./freshness.ts";
import { linkTargetOf } from "./targets.ts";

/** What a client says of its own copy, or wants a part of, is about the whole answer and not about a call's. */
const OF_THE_WHOLE = [
  "accept-encoding",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "range",
];

/**
 * Links several calls that make one answer: a JSON object with a member for each. All are begun at once, each with an exchange
 * of its own, and all are waited for, so that what is answered does not hang on which of them is faster.
 */
export const linkAggregate: AggregateFactory = (plan, upstreamOf, site) => {
  const { clock } = site.ports;
  const calls = plan.calls.map((call) => ({
    ...call,
    member: `${JSON.stringify(call.name)}:`,
    standIn: call.fallback && JSON.stringify(call.fallback.value),
    targetOf: linkTargetOf(call, site.paths),
    run: linkCall(call, plan, upstreamOf(call.upstream), clock),
  }));

  const gather = async (
    exchange: RequestExchange,
    headers: Headers,
    targets: readonly string[],
  ): Promise<Response> => {
    const begunMs = clock.now();
    const forks = calls.map(() => exchange.fork() as RequestExchange);
    const outcomes = await Promise.all(
      calls.map(({ run }, index) => run(forks[index]!, targets[index]!, headers)),
    );
    exchange.upstreamMs += clock.now() - begunMs;
    exchange.target = calls.map(({ name }, index) => `${name}=${forks[index]!.target ?? "-"}`).join(" ");
    const failures = failuresOf(calls, outcomes);
    const missing = failures.filter(({ call }) => call.fallback === undefined);
    if (missing.length > 0) return failed(exchange, missing);
    const members = outcomes.map((outcome, index) => {
      const { member, standIn } = calls[index]!;
      return member + (outcome.kind === "value" ? outcome.json : standIn!);
    });
    const parts = outcomes.flatMap((outcome) => (outcome.kind === "value" ? [outcome.headers] : []));
    return new Response(exchange.method === "HEAD" ? null : `{${members.join(",")}}`, {
      headers: answerFields(parts, failures),
    });
  };

  return (it) => {
    const exchange = it as RequestExchange;
    if (exchange.method !== "GET" && exchange.method !== "HEAD") return notAllowed(exchange);
    const headers = outgoingHeaders(exchange, site, false);
    if (headers === undefined) return notPassedOn(exchange);
    for (const name of OF_THE_WHOLE) headers.delete(name);
    headers.set("accept", "application/json");
    const targets = calls.flatMap(({ targetOf }) => targetOf(exchange) ?? []);
    return targets.length < calls.length ? badRewrite(exchange) : gather(exchange, headers, targets);
  };
};

/** A call that failed. */
interface Failed {
  readonly call: AggregateCallPlan;
  readonly failure: CallFailure;
}

const failuresOf = (calls: readonly AggregateCallPlan[], outcomes: readonly CallOutcome[]): Failed[] =>
  outcomes.flatMap((failure, index) =>
    failure.kind === "failure" ? [{ call: calls[index]!, failure }] : [],
  );

const namesOf = (failures: readonly Failed[]): string => failures.map(({ call }) => call.name).join(", ");

/** An answer that lacks something is good for this moment only. */
const answerFields = (parts: readonly Headers[], failures: readonly Failed[]): Record<string, string> => {
  const fields: Record<string, string> = { "content-type": "application/json" };
  const cacheControl = failures.length > 0 ? "no-store" : cacheControlOf(parts);
  const vary = varyOf(parts);
  if (cacheControl !== undefined) fields["cache-control"] = cacheControl;
  if (vary !== undefined) fields["vary"] = vary;
  if (failures.length > 0) fields["postern-partial"] = namesOf(failures);
  return fields;
};

/** Statuses that say something of what the caller asked for, and not of how the gateway came by it. */
const TELLING: ReadonlyMap<number | undefined, string> = new Map([
  [403, "Forbidden"],
  [404, "Not found"],
  [410, "Gone"],
]);

/** Names the calls that failed, and how; never quotes what an upstream wrote. */
const failed = (exchange: RequestExchange, failures: readonly Failed[]): Response => {
  const { status: first } = failures[0]!.failure;
  const isLate = failures.every(({ failure }) => failure.reason === "upstream-timeout");
  const isTelling = failures.every(({ failure }) => TELLING.has(failure.status));
  const status = isTelling ? first! : isLate ? 504 : 502;
  return problem(exchange, {
    status,
    code: "aggregate-failed",
    title: TELLING.get(status) ?? (isLate ? "Gateway timeout" : "Bad gateway"),
    detail: `What the answer is made of could not be had: ${namesOf(failures)}.`,
    extensions: {
      calls: failures.map(({ call, failure: { reason, status } }) => ({ name: call.name, reason, status })),
    },
    ...(isLate ? { proxyError: "http_response_timeout" } : {}),
  });
};

/** A preflight that no cors policy answered comes here as OPTIONS. */
const notAllowed = (exchange: RequestExchange): Response =>
  problem(exchange, {
    status: 405,
    code: "method-not-allowed",
    title: "Method not allowed",
    detail: "This is answered for GET and HEAD alone.",
    headers: { allow: "GET, HEAD" },
  });
