import type { AggregateCallPlan, AggregatePlan } from "../../core/plan.ts";
import type { Clock } from "../../core/ports.ts";
import { picked } from "../../lib/json-pointer.ts";
import { jsonTextOf } from "../../lib/json-text.ts";
import { readWhole } from "../../lib/read-whole.ts";
import type { RequestExchange } from "../exchange.ts";
import type { LinkedUpstream, Outgoing } from "../upstream.ts";

/** What a call brought: JSON as the upstream wrote it, or why there is none. */
export type CallOutcome =
  | { readonly kind: "value"; readonly json: string; readonly headers: Headers }
  | CallFailure;

export interface CallFailure {
  readonly kind: "failure";
  /** The code of the gateway's own problem, or one of `status`, `not-json`, `too-large`, `upstream-incomplete`, `pick-missing`. */
  readonly reason: string;
  /** Of the upstream's answer, where that is what failed. */
  readonly status?: number;
}

/** Makes one call, and waits for its whole body. Never rejects. */
export type Call = (exchange: RequestExchange, target: string, headers: Headers) => Promise<CallOutcome>;

const failure = (reason: string, status?: number): CallFailure => ({
  kind: "failure",
  reason,
  ...(status === undefined ? {} : { status }),
});

/** Links one call of an aggregate: its time is for header and body together. */
export const linkCall = (
  call: AggregateCallPlan,
  plan: AggregatePlan,
  upstream: LinkedUpstream,
  clock: Clock,
): Call => {
  const timeoutMs = call.timeoutMs ?? plan.timeoutMs ?? upstream.timeoutMs;
  const { pick } = call;
  return async (exchange, target, headers) => {
    const begunMs = clock.now();
    const response = await upstream.send(exchange, outgoing(target, headers, timeoutMs));
    // An answer that is not the upstream's is the gateway's own problem.
    if (response !== exchange.upstreamResponse) return failure(exchange.problemCode ?? "upstream-failed");
    if (!response.ok) {
      void response.body?.cancel();
      return failure("status", response.status);
    }
    if (response.body === null) return failure("not-json");
    const leftMs = timeoutMs - (clock.now() - begunMs);
    const bytes = await readInTime(response.body, plan.maxBody, leftMs);
    if (typeof bytes === "string") return failure(bytes);
    const json = jsonTextOf(bytes);
    if (json === undefined) return failure("not-json");
    const value = pick === undefined ? json : picked(json, pick);
    return value === undefined
      ? failure("pick-missing")
      : { kind: "value", json: value, headers: response.headers };
  };
};

/** HEAD too is answered from whole values: only they tell whether there is an answer. */
const outgoing = (target: string, headers: Headers, timeoutMs: number): Outgoing => ({
  method: "GET",
  target,
  headers,
  body: null,
  host: undefined,
  timeoutMs,
  upgrade: false,
});

const REASONS = { "too-large": "too-large", broken: "upstream-incomplete" } as const;

const readInTime = (
  body: ReadableStream<Uint8Array>,
  most: number,
  withinMs: number,
): Promise<Uint8Array<ArrayBuffer> | "upstream-timeout" | "too-large" | "upstream-incomplete"> =>
  new Promise((resolve) => {
    const reader = body.getReader();
    const timer = setTimeout(() => {
      resolve("upstream-timeout");
      void reader.cancel().catch(() => undefined);
    }, withinMs);
    void readWhole(reader, most).then((bytes) => {
      clearTimeout(timer);
      resolve(typeof bytes === "string" ? REASONS[bytes] : bytes);
    });
  });
