import type { Exchange } from "../../core/exchange.ts";
import type { Authenticator, Identity, Verdict } from "../../core/identity.ts";
import type { Json } from "../../core/json.ts";
import type { FilterFactory, Handler } from "../../core/policy.ts";
import type { Metrics } from "../../core/ports.ts";
import { problem } from "../../core/problem.ts";

/** The identity policies of a route, and which of them a caller must pass. */
export type Step = {
  readonly authenticators: readonly { readonly policy: string; readonly step: Json }[];
  /** Alternatives as indices of authenticators that must all pass; an empty one is for anybody. */
  readonly any: readonly (readonly number[])[];
};

type Passed = Extract<Verdict, { readonly outcome: "passed" }>;
type Refused = Extract<Verdict, { readonly outcome: "refused" | "answered" }>;

const isFinal = (verdict: Verdict): verdict is Refused =>
  verdict.outcome === "refused" || verdict.outcome === "answered";

const ANONYMOUS: Identity = { kind: "anonymous", id: "" };

/**
 * Links the step. Every credential that is presented is verified, in the order of the policies: a wrong one is refused, and
 * never passed over for another or for nobody. The first alternative that passed is who calls.
 */
export const filter: FilterFactory<Step> = ({ authenticators: steps, any }, ports, site) => {
  if (steps.length === 0) return undefined;
  const authenticators = steps.map(({ policy, step }) => site.authenticator(policy, step));
  const always = authenticators.flatMap((authenticator) => authenticator.always);
  const refusals = { authenticators, any, metrics: ports.metrics };

  return (next) => {
    const decide = (exchange: Exchange, verdicts: readonly Verdict[]): Response | Promise<Response> => {
      const chosen = any.find((members) => members.every((index) => verdicts[index]!.outcome === "passed"));
      if (chosen === undefined) return missing(exchange, verdicts, refusals);
      const first = chosen[0];
      exchange.identity = first === undefined ? ANONYMOUS : (verdicts[first] as Passed).identity;
      for (const index of chosen) exchange.requestEdits.push(...(verdicts[index] as Passed).edits);
      return next(exchange);
    };

    /** Goes on from a verdict that was not there at once. */
    const decideLater = async (
      exchange: Exchange,
      verdicts: Verdict[],
      pending: Promise<Verdict>,
    ): Promise<Response> => {
      for (let verdict: Verdict = await pending; ; ) {
        if (isFinal(verdict)) return refused(exchange, verdicts.length, verdict, refusals);
        if (verdicts.push(verdict) === authenticators.length) return decide(exchange, verdicts);
        verdict = await authenticators[verdicts.length]!.authenticate(exchange);
      }
    };

    const handler: Handler = (exchange) => {
      for (const edit of always) exchange.requestEdits.push(edit);
      const verdicts: Verdict[] = [];
      for (const authenticator of authenticators) {
        const verdict = authenticator.authenticate(exchange);
        if (verdict instanceof Promise) return decideLater(exchange, verdicts, verdict);
        if (isFinal(verdict)) return refused(exchange, verdicts.length, verdict, refusals);
        verdicts.push(verdict);
      }
      return decide(exchange, verdicts);
    };
    return handler;
  };
};

interface Refusals {
  readonly authenticators: readonly Authenticator[];
  readonly any: Step["any"];
  readonly metrics: Metrics | undefined;
}

/** 401 with one challenge for each alternative, for what of it was not presented (RFC 9110 section 11.6.1). */
const missing = (
  exchange: Exchange,
  verdicts: readonly Verdict[],
  { authenticators, any, metrics }: Refusals,
): Response => {
  const lacking = any.map((members) => members.find((index) => verdicts[index]!.outcome !== "passed")!);
  metrics?.count("postern_auth_failures_total", ["credential-missing"]);
  const response = problem(exchange, {
    status: 401,
    code: "credential-missing",
    title: "Credential missing",
    detail: "Say who is calling: this needs a credential.",
  });
  return challenging(
    response,
    lacking.map((index) => authenticators[index]!.challenge),
  );
};

const TITLES = {
  401: "Credential refused",
  403: "Not allowed",
  503: "Credential cannot be checked",
} as const;

/** The answer to a credential that was presented and did not pass. A 401 names the other alternatives too. */
const refused = (
  exchange: Exchange,
  index: number,
  verdict: Refused,
  { authenticators, any, metrics }: Refusals,
): Response => {
  metrics?.count("postern_auth_failures_total", [verdict.code]);
  if (verdict.outcome === "answered") return verdict.response;
  const { status, code, detail, retryAfterSeconds } = verdict;
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
  const response = problem(exchange, { status, code, title: TITLES[status], detail, headers });
  const own = verdict.challenge ?? (status === 401 ? authenticators[index]!.challenge : undefined);
  if (status !== 401) return challenging(response, own === undefined ? [] : [own]);
  const others = any.flatMap((members) => {
    const first = members[0];
    return first === undefined || members.includes(index) ? [] : [authenticators[first]!.challenge];
  });
  return challenging(response, [own!, ...others]);
};

/** Adds challenges as fields of their own, each once: clients that split at commas would misread a joined one. */
const challenging = (response: Response, challenges: readonly string[]): Response => {
  for (const challenge of new Set(challenges)) response.headers.append("www-authenticate", challenge);
  return response;
};
