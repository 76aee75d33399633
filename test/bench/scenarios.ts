import type { Plan } from "../../src/core/plan.ts";
import { constant, fetching, fetchingByBinding } from "./plain-workers.ts";
import { planOf } from "./policies.ts";

/** What stands in a scenario's requests as the token. */
export type Tokens = "same" | "in-turn" | "new";

/** What a scenario may cost. */
export interface Aim {
  /** At most so many times its reference, */
  readonly ratio?: number;
  /** and at most so many microseconds more. */
  readonly more?: number;
}

/** One thing that is measured: a plain Worker, or a gateway. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Name of the scenario to which it is compared. */
  readonly reference?: string;
  readonly aim?: Aim;
  readonly tokens?: Tokens;
  /** Each request asks for something that nobody has asked for before. */
  readonly newTargets?: boolean;
  /** Requests bring 200 bytes of JSON. */
  readonly posts?: boolean;
  readonly runs: { readonly source: string } | { readonly plan: Plan };
}

/** What scenarios are made from. */
export interface Site {
  readonly upstream: number;
  readonly publicJwk: Readonly<Record<string, unknown>>;
  /** Whether there is a Redis; what needs one is left out otherwise. */
  readonly redis: boolean;
}

/** The whole stack of a public API: names, CORS, limits, edits, metrics; identity comes from the issuer. */
const FULL = {
  requestId: {},
  cors: { origins: ["https://www.example.com"], credentials: true, maxAge: "10m" },
  rateLimit: { limits: [{ name: "per-ip", rate: "100000000/1m", key: "ip", store: "isolate" }] },
  headers: {
    request: { set: { "x-channel": "web", "x-region": "eu" } },
    response: { set: { "x-served-by": "bench", "x-content-type-options": "nosniff" } },
  },
};

/** Plan of the gateway with everything; its bundle is measured too. */
export const fullPlan = (
  { upstream, publicJwk }: Pick<Site, "upstream" | "publicJwk">,
  control = true,
): Plan => planOf({ upstream, publicJwk, targets: 3, control, policies: FULL });

/** Plan of the gateway that only passes on. */
export const barePlan = ({ upstream }: Pick<Site, "upstream">, routes = 1): Plan =>
  planOf({ upstream, routes });

/** All scenarios, references first. */
export const scenarios = (site: Site): readonly Scenario[] => {
  const { upstream, publicJwk } = site;
  const identified = planOf({ upstream, publicJwk });
  const storedIn = (tier: string): Plan =>
    planOf({
      upstream,
      redis: tier === "redis",
      policies: { cache: { ttl: "1h", tiers: [tier] } },
    });
  return [
    { name: "fetch", title: "a Worker that fetches", runs: { source: fetching(upstream) } },
    {
      name: "fetch-binding",
      title: "the same, by a service binding",
      reference: "fetch",
      runs: { source: fetchingByBinding(upstream) },
    },
    { name: "constant", title: "a Worker that answers a constant", runs: { source: constant() } },
    {
      name: "bare",
      title: "gateway, one route, no policy",
      reference: "fetch",
      aim: { ratio: 1.05, more: 8 },
      runs: { plan: barePlan(site) },
    },
    {
      name: "routes",
      title: "1,000 routes",
      reference: "bare",
      aim: { more: 2 },
      runs: { plan: barePlan(site, 1000) },
    },
    {
      name: "jwt",
      title: "JWT, the same token",
      reference: "fetch",
      aim: { ratio: 1.1 },
      runs: { plan: identified },
    },
    {
      name: "full",
      title: "the whole stack",
      reference: "fetch",
      aim: { ratio: 1.38, more: 60 },
      runs: { plan: fullPlan(site) },
    },
    {
      name: "cache",
      title: "a hit in the isolate's cache",
      reference: "constant",
      aim: { ratio: 1.3 },
      runs: { plan: storedIn("isolate") },
    },
    {
      name: "edge",
      title: "a hit in the Cache API",
      reference: "fetch",
      runs: { plan: storedIn("edge") },
    },
    ...(site.redis
      ? [
          {
            name: "redis",
            title: "a hit in Redis",
            reference: "fetch",
            runs: { plan: storedIn("redis") },
          },
        ]
      : []),
    {
      name: "miss",
      title: "a miss, stored in the isolate",
      reference: "bare",
      newTargets: true,
      runs: { plan: storedIn("isolate") },
    },
    {
      name: "described",
      title: "routes from a document of 20 operations",
      reference: "bare",
      runs: { plan: planOf({ upstream, described: true }) },
    },
    {
      name: "judged",
      title: "the same, parameters judged",
      reference: "described",
      aim: { more: 5 },
      runs: { plan: planOf({ upstream, described: true, policies: { validate: {} } }) },
    },
    {
      name: "post",
      title: "POST of 200 bytes, not judged",
      reference: "described",
      posts: true,
      runs: { plan: planOf({ upstream, described: true }) },
    },
    {
      name: "post-judged",
      title: "the same, read and judged",
      reference: "post",
      posts: true,
      runs: { plan: planOf({ upstream, described: true, policies: { validate: {} } }) },
    },
    {
      name: "jwt-5000",
      title: "JWT, 5,000 tokens in turn",
      reference: "fetch",
      tokens: "in-turn",
      runs: { plan: identified },
    },
    {
      name: "jwt-new",
      title: "JWT, each token for the first time",
      reference: "fetch",
      tokens: "new",
      runs: { plan: identified },
    },
  ];
};
