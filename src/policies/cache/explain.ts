import type { Exchange } from "../../core/exchange.ts";
import { readDirectives } from "./directives.ts";
import type { Freshness } from "./freshness.ts";
import { freshnessOf } from "./freshness.ts";
import type { Step } from "./linked.ts";
import { draftOf, type Refusal } from "./storability.ts";

export type { Step } from "./linked.ts";

/** An answer of an upstream, without its body. */
export interface SomeAnswer {
  readonly status: number;
  readonly headers: Headers;
}

/** Whether an answer would be stored, and for how long it would be good; times in milliseconds. */
export type Storage =
  | { readonly stored: false; readonly reason: Refusal; readonly why: string }
  | {
      readonly stored: true;
      /** For how long it is used without asking; 0 where the upstream is asked about it each time. */
      readonly freshMs: number;
      readonly source: Freshness["source"];
      /** For how long after that it is used while it is revalidated, and where the upstream fails. */
      readonly staleWhileRevalidateMs: number;
      readonly staleIfErrorMs: number;
    };

/** Says what the cache would do with an answer that arrives at once, by the very code that decides it. */
export const explainStorage = (
  step: Step,
  exchange: Exchange,
  { status, headers }: SomeAnswer,
  shared: boolean,
  nowMs: number,
): Storage => {
  const arrival = { status, headers, requestedMs: nowMs, receivedMs: nowMs };
  const draft = draftOf(exchange, arrival, shared, step);
  if (typeof draft === "string") return { stored: false, reason: draft, why: REASONS[draft] };
  const length = headers.get("content-length");
  if (length !== null && Number(length) > step.maxBody)
    return { stored: false, reason: "too-large", why: REASONS["too-large"] };
  const { lifetimeMs, initialAgeMs, noCache, mustRevalidate } = draft;
  return {
    stored: true,
    freshMs: noCache ? 0 : Math.max(0, lifetimeMs - initialAgeMs),
    source: freshnessOf(arrival, readDirectives(headers, shared), step).source,
    staleWhileRevalidateMs: mustRevalidate ? 0 : draft.staleWhileRevalidateMs,
    staleIfErrorMs: mustRevalidate ? 0 : draft.staleIfErrorMs,
  };
};

const REASONS: Readonly<Record<Refusal, string>> = {
  status: "answers of this status say something of one request only, or nobody knows what they mean",
  stream: "an event stream has no end",
  "no-store": "the origin says no-store",
  private: "the origin says private, and entries of this route are for everybody",
  authorization:
    "the request goes to the upstream with Authorization, and the answer says none of public, s-maxage and must-revalidate",
  "set-cookie": "it sets a cookie, which is one caller's",
  vary: "no other request can be matched with it: Vary is *, or names what differs each time",
  "no-freshness": "nobody says for how long it is fresh, and it has no validator to ask about it with",
  "no-transform": "it must not be transformed, and is coded: what is stored is decoded, and coded anew",
  "too-large": "its body is larger than maxBody",
};
