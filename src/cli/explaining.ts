import { type Anatomy, type Explanation, explain, explainUnrouted } from "../compiler/explain.ts";
import { linkRouter } from "../runtime/router.ts";
import {
  type AskedAnswer,
  cacheStepOf,
  type ExplainedCache,
  explainCache,
  TYPICAL,
} from "./explain-cache.ts";
import { type ExplainedCaller, explainCaller } from "./explain-caller.ts";
import { exchangeOf } from "./explain-request.ts";
import { Rehearsal, type Spoken } from "./rehearsal.ts";

/** What is explained of a request, for machines as it is. */
export interface ExplainedRequest extends Explanation {
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly scheme: string;
    readonly host: string;
    /** Normalized. */
    readonly path: string;
    readonly query: string;
    readonly preflightMethod?: string;
    /** Whether it is refused before a route is looked for. */
    readonly refused: boolean;
  };
  /** The gateway's own answer where no route takes the request. */
  readonly answer?: GatewayAnswer;
  readonly caller?: ExplainedCaller;
  readonly cache?: ExplainedCache;
}

export interface GatewayAnswer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly reason?: string;
  readonly allow?: string;
}

/** What is asked beside the request. */
export interface Question {
  readonly spoken: Spoken;
  readonly token: string | undefined;
  /** An answer of the upstream that is asked about; typical ones without. */
  readonly answer: AskedAnswer | undefined;
}

/** Explains a request to the gateway of a plan. */
export const explainRequest = async (
  anatomy: Anatomy,
  { spoken: typed, token, answer }: Question,
): Promise<ExplainedRequest> => {
  const { plan } = anatomy;
  const rehearsal = new Rehearsal(plan);
  const spoken = token === undefined ? typed : withToken(typed, rehearsal.resigned(token));
  const exchange = exchangeOf(spoken, plan.gateway);
  const dispatched = await rehearsal.dispatch(spoken);
  const { method, scheme, host, path, query, preflightMethod } = exchange;
  const own = "answer" in dispatched ? await gatewayAnswer(dispatched.answer) : undefined;
  const refused = own !== undefined && own.status !== 404 && own.status !== 405;
  const request = { method, url: typed.url, scheme, host, path, query, refused };
  const told = { request: preflightMethod === undefined ? request : { ...request, preflightMethod } };
  if (refused)
    return { ...told, answer: own, outcome: "none", others: [], left: 0, ...explainUnrouted(anatomy) };
  const explanation = explain(anatomy, exchange, linkRouter);
  if (explanation.route === undefined) return { ...told, ...explanation, ...(own && { answer: own }) };
  const caller = await explainCaller(rehearsal, spoken, explanation.policies, token);
  const step = cacheStepOf(plan, explanation.route.index);
  const answers = answer === undefined ? TYPICAL : [answer];
  const hasCaller = caller?.verdict === "passes";
  const isMadeUp = caller !== undefined && !hasCaller;
  const splits = explanation.action?.kind === "split";
  const cache =
    step && (await explainCache(rehearsal, spoken, step, answers, { hasCaller, isMadeUp, splits }));
  return { ...told, ...explanation, ...(caller && { caller }), ...(cache && { cache }) };
};

const withToken = (spoken: Spoken, token: string): Spoken => {
  const headers = new Headers(spoken.headers);
  headers.set("authorization", `Bearer ${token}`);
  return { ...spoken, headers };
};

const gatewayAnswer = async (response: Response): Promise<GatewayAnswer> => {
  const text = await response.text();
  const body = (text === "" ? {} : JSON.parse(text)) as Readonly<Record<string, string>>;
  const allow = response.headers.get("allow");
  return {
    status: response.status,
    code: body["code"] ?? "",
    detail: body["detail"] ?? "",
    ...(body["reason"] !== undefined && { reason: body["reason"] }),
    ...(allow !== null && { allow }),
  };
};
