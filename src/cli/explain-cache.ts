import type { Exchange } from "../core/exchange.ts";
import type { Identity } from "../core/identity.ts";
import type { Plan } from "../core/plan.ts";
import { fillTemplate, forTag } from "../core/template.ts";
import { keyedQuery } from "../lib/http/query-members.ts";
import { explainStorage, type SomeAnswer, type Step, type Storage } from "../policies/cache/explain.ts";
import type { Rehearsal, Spoken } from "./rehearsal.ts";

/** What the cache of a route does with a request and with answers to it. */
export interface ExplainedCache {
  /** Whether the request may be answered from a store, and why or why not. */
  readonly mayAnswer: boolean;
  readonly why: string;
  /** What tells its entry from others. */
  readonly key: readonly string[];
  readonly tiers: readonly string[];
  /** Tags by which its entry may be purged. */
  readonly tags: readonly string[];
  /** What the policy says of lifetimes. */
  readonly lifetimes: readonly string[];
  readonly answers: readonly ExplainedAnswer[];
}

export interface ExplainedAnswer {
  readonly answer: string;
  readonly stored: boolean;
  readonly verdict: string;
  readonly storage?: Storage;
}

/** An answer that is asked about. */
export interface AskedAnswer extends SomeAnswer {
  readonly text: string;
}

/** What is known of a request beside its text. */
export interface CacheQuestion {
  /** Whether its caller passed the identity policies; where the route has some and it did not, another one is made up. */
  readonly hasCaller: boolean;
  readonly isMadeUp: boolean;
  /** Whether the route's action is a split. */
  readonly splits: boolean;
}

/** What stands outside of the cache and changes what it sees. */
const AROUND = ["identity", "headers", "query", "cache"];

/** The compiled cache of a route; undefined where it has none that stores. */
export const cacheStepOf = (plan: Plan, route: number): Step | undefined => {
  const found = plan.routes[route]!.chain.map((index) => plan.steps[index]!).find(
    ({ policy }) => policy === "cache",
  );
  const step = found?.step as unknown as Step | undefined;
  return step === undefined || step.forgetOnly ? undefined : step;
};

/** Explains what is stored of a route, by the cache's own code. */
export const explainCache = async (
  rehearsal: Rehearsal,
  spoken: Spoken,
  step: Step,
  answers: readonly AskedAnswer[],
  { hasCaller, isMadeUp, splits }: CacheQuestion,
): Promise<ExplainedCache> => {
  const policies = hasCaller ? AROUND : AROUND.filter((name) => name !== "identity");
  const played = (answer: SomeAnswer) => play(rehearsal, spoken, policies, answer, isMadeUp);
  const probe = await played({ status: 200, headers: new Headers({ "cache-control": "max-age=60" }) });
  const { mayAnswer, why } = lookUp(spoken.method, probe.status);
  const explained: ExplainedAnswer[] = [];
  for (const answer of answers) {
    const { status, exchange } = await played(answer);
    const shared =
      !step.perCaller || exchange?.identity === undefined || exchange.identity.kind === "anonymous";
    const storage = exchange && explainStorage(step, exchange, answer, shared, rehearsal.nowMs);
    explained.push(verdictOf(answer, spoken.method, mayAnswer, status, storage));
  }
  return {
    mayAnswer,
    why,
    key: probe.exchange === undefined ? [] : keyOf(step, probe.exchange, hasCaller, splits),
    tiers: step.tiers,
    tags: probe.exchange === undefined ? [] : tagsOf(step, probe.exchange),
    lifetimes: lifetimesOf(step),
    answers: explained,
  };
};

interface PlayedAnswer {
  /** The cache's own words on what it did (RFC 9211); empty where it did nothing. */
  readonly status: string;
  readonly exchange: Exchange | undefined;
}

const play = async (
  rehearsal: Rehearsal,
  spoken: Spoken,
  policies: readonly string[],
  { status, headers }: SomeAnswer,
  madeUp: boolean,
): Promise<PlayedAnswer> => {
  const headersSent = new Headers(spoken.headers);
  // A credential is taken off before the cache looks at a request.
  if (madeUp) headersSent.delete("authorization");
  const body = NO_BODY.has(status) ? null : "x";
  const { response, exchange } = await rehearsal.play(
    { ...spoken, headers: headersSent },
    policies,
    () => new Response(body, { status, headers }),
    madeUp ? { kind: "jwt", id: "some caller" } : undefined,
  );
  await response.arrayBuffer();
  return { status: response.headers.get("cache-status") ?? "", exchange };
};

const NO_BODY = new Set([204, 205, 304]);

const lookUp = (method: string, status: string): { mayAnswer: boolean; why: string } => {
  if (status.includes("fwd=bypass"))
    return { mayAnswer: false, why: "a request with a body is not one that an entry answers" };
  if (status.includes("fwd=request"))
    return { mayAnswer: false, why: "the request itself asks not to be answered from a store" };
  if (status === "")
    return { mayAnswer: false, why: `only GET and HEAD are answered from a store, and this is ${method}` };
  return { mayAnswer: true, why: "a fresh entry answers it, and where there is none the upstream does" };
};

const verdictOf = (
  { text }: AskedAnswer,
  method: string,
  mayAnswer: boolean,
  status: string,
  storage: Storage | undefined,
): ExplainedAnswer => {
  const told = (stored: boolean, verdict: string): ExplainedAnswer => ({
    answer: text,
    stored,
    verdict,
    ...(storage !== undefined && { storage }),
  });
  if (!mayAnswer) return told(false, "not stored: the request is not one whose answers are");
  if (method === "HEAD") return told(false, "not stored: an answer to HEAD has no body");
  const isStored = status.includes("; stored");
  if (!isStored || storage?.stored !== true) {
    const reason = storage?.stored === false ? storage : undefined;
    return told(false, `not stored: ${reason === undefined ? status : `${reason.reason}, ${reason.why}`}`);
  }
  return told(true, storedWords(storage));
};

const SOURCES = {
  origin: "as the origin says",
  policy: "as `ttl` of the policy says",
  heuristic: "a tenth of the time since it was last modified",
  nobody: "nobody says more",
} as const;

const storedWords = (storage: Extract<Storage, { readonly stored: true }>): string => {
  const { freshMs, source, staleWhileRevalidateMs: swr, staleIfErrorMs: sie } = storage;
  return [
    freshMs > 0 ? `stored for ${seconds(freshMs)} (${SOURCES[source]})` : "stored, and asked about each time",
    ...(swr > 0 ? [`then stale for ${seconds(swr)} while it is revalidated`] : []),
    ...(sie > 0 ? [`stale for ${seconds(sie)} where the upstream fails`] : []),
  ].join(", ");
};

const seconds = (ms: number): string => `${Number((ms / 1000).toFixed(3))} s`;

const keyOf = (
  step: Step,
  { scheme, authority, path, query, upstreamQuery, route, identity }: Exchange,
  hasCaller: boolean,
  splits: boolean,
): string[] => {
  const names = step.query === null ? undefined : new Set(step.query);
  const keyed = keyedQuery(upstreamQuery ?? query, names);
  const kept = keyed.split("&");
  const left = keyedQuery(query, undefined)
    .split("&")
    .filter((member) => member !== "" && !kept.includes(member));
  const counted =
    names === undefined
      ? "all parameters count"
      : names.size === 0
        ? "no parameter counts"
        : `of its parameters ${[...names].join(", ")}`;
  return [
    `${scheme}://${authority}${path}`,
    `query ${keyed === "" ? "(empty)" : `?${keyed}`}, ${counted}`,
    ...(left.length > 0 ? [`left out of the key and not forwarded: ${left.join("&")}`] : []),
    whose(step, identity, hasCaller),
    `of the route ${route.id}${splits ? ", and of the lane that its split chooses" : ""}`,
    ...listed("header", step.headers),
    ...listed("cookie", step.cookies),
    ...listed("claim", step.claims),
    "by the fields that Vary of the answer names",
  ];
};

const whose = (step: Step, identity: Identity | undefined, hasCaller: boolean): string => {
  if (!step.perCaller) return "one entry for all callers";
  if (identity === undefined || identity.kind === "anonymous")
    return "one entry for all callers without identity";
  return hasCaller ? `the entry of ${identity.kind} ${identity.id} alone` : "an entry for each caller alone";
};

const tagsOf = ({ tags }: Step, exchange: Exchange): string[] =>
  tags.map((tag) => fillTemplate(tag, exchange, forTag));

const listed = (what: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`by ${what}${names.length > 1 ? "s" : ""} ${names.join(", ")}`];

const lifetimesOf = (step: Step): string[] => [
  step.ttlMs === null
    ? "no `ttl`: what the origin says, or a tenth of the time since an answer was last modified"
    : `ttl ${seconds(step.ttlMs)}, ${step.override ? "in place of what the origin says" : "where the origin says nothing"}`,
  ...(step.staleWhileRevalidateMs === null
    ? []
    : [`stale while revalidate ${seconds(step.staleWhileRevalidateMs)}`]),
  ...(step.jitter === 0 ? [] : [`up to ${Number((step.jitter * 100).toFixed(2))}% shorter, by chance`]),
  ...(step.staleIfErrorMs === null ? [] : [`stale if error ${seconds(step.staleIfErrorMs)}`]),
];

const answer = (status: number, fields: Readonly<Record<string, string>> = {}): AskedAnswer => ({
  status,
  headers: new Headers(fields),
  text: [status, ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`)].join(", "),
});

/** Answers as upstreams mostly give them. */
export const TYPICAL: readonly AskedAnswer[] = [
  answer(200),
  answer(200, { "cache-control": "max-age=60" }),
  answer(200, { etag: '"1"' }),
  answer(200, { "cache-control": "no-store" }),
  answer(200, { "cache-control": "private, max-age=60" }),
  answer(200, { "set-cookie": "a=1" }),
  answer(404),
  answer(500),
];

/** An answer that is asked about, as it was typed. */
export const typedAnswer = (status: number, headers: Headers): AskedAnswer => ({
  status,
  headers,
  text: [status, ...[...headers].map(([name, value]) => `${name}: ${value}`)].join(", "),
});
