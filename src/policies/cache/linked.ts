import type { Exchange } from "../../core/exchange.ts";
import type { Handler, Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import type { RequestDirectives } from "./directives.ts";
import { EdgeTier } from "./edge-tier.ts";
import { Invalidations } from "./invalidations.ts";
import { IsolateTier } from "./isolate-tier.ts";
import type { QueryNames } from "./query.ts";
import type { TierName } from "./status.ts";
import { Tiers } from "./tiers.ts";

/** What the filter of one policy needs to know. */
export type Step = {
  /** The route stores nothing: it only forgets what its requests change of what other routes stored. */
  readonly forgetOnly: boolean;
  /** Lifetime where the origin gives none, in milliseconds; with `override`, in place of the origin's. */
  readonly ttlMs: number | null;
  readonly override: boolean;
  readonly staleWhileRevalidateMs: number | null;
  readonly staleIfErrorMs: number | null;
  /** The route identifies callers, and each has entries of its own. */
  readonly perCaller: boolean;
  /** Query parameters that are keyed and forwarded; null for all. */
  readonly query: readonly string[] | null;
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  readonly claims: readonly string[];
  readonly tiers: readonly TierName[];
  /** In bytes, without content coding. */
  readonly maxBody: number;
  readonly clientDirectives: boolean;
  /** The upstream gets X-Forwarded-Host and -Proto as a trusted proxy wrote them. */
  readonly behindProxy: boolean;
};

/** A cache policy when linked. */
export interface LinkedCache {
  readonly step: Step;
  readonly ports: Ports;
  readonly tiers: Tiers;
  readonly queryNames: QueryNames;
  /** Entries that are being revalidated in the background, and since when. */
  readonly underway: Map<string, number>;
}

/** One request that the cache may answer. */
export interface Visit {
  readonly exchange: Exchange;
  readonly next: Handler;
  readonly primary: string;
  /** Whether entries are for everybody; else they are for this caller, and a private cache's rules hold. */
  readonly shared: boolean;
  readonly nowMs: number;
  readonly wish: RequestDirectives | undefined;
}

/** All entries in the memory of an isolate, of all routes together. */
const ISOLATE_BYTES = 32 * 1024 * 1024;

/** Links the parts that requests share. Where the platform has no cache of the data centre, the isolate's memory serves. */
export const linkCache = (step: Step, ports: Ports, site: Site): LinkedCache => {
  const invalidations = site.once("cache.invalidations", () => new Invalidations());
  const wantsEdge = step.tiers.includes("edge") && ports.edgeCache !== undefined;
  const edge = wantsEdge ? new EdgeTier(ports.edgeCache, site.gatewayName) : undefined;
  const isolate =
    step.tiers.includes("isolate") || edge === undefined
      ? site.once("cache.isolate", () => new IsolateTier(ISOLATE_BYTES))
      : undefined;
  return {
    step,
    ports,
    tiers: new Tiers(isolate, edge, step, invalidations, ports.random.uuid),
    queryNames: step.query === null ? undefined : new Set(step.query),
    underway: site.once("cache.underway", () => new Map<string, number>()),
  };
};

/** What became of a request, for logs and metrics. */
export type Result = "hit" | "stale" | "revalidated" | "miss" | "bypass";

/** Notes what became of a request. */
export const record = (cache: LinkedCache, exchange: Exchange, result: Result, tier?: TierName): void => {
  exchange.cacheResult = result;
  cache.ports.metrics?.count("postern_cache_total", [result, tier ?? "none"]);
};

/** Lets a response pass as it is, with a member added to its Cache-Status. */
export const marked = (exchange: Exchange, response: Response, status: string): Response => {
  exchange.answerEdits.push({ op: "add", name: "cache-status", value: status });
  return response;
};

/** Keeps work alive after the answer, where there is any. */
export const keepAlive = (exchange: Exchange, work: Promise<unknown> | undefined): void => {
  if (work !== undefined) exchange.defer.waitUntil(work);
};
