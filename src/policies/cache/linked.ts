import type { Exchange } from "../../core/exchange.ts";
import type { Handler, Site } from "../../core/policy.ts";
import type { Ports } from "../../core/ports.ts";
import type { Template } from "../../core/template.ts";
import type { QueryNames } from "../../lib/http/query-members.ts";
import type { RequestDirectives } from "./directives.ts";
import { EdgeTier } from "./edge-tier.ts";
import type { FarTier } from "./far-tier.ts";
import { type Flight, Flights } from "./flights.ts";
import { Invalidations } from "./invalidations.ts";
import { IsolateTier } from "./isolate-tier.ts";
import { Leases } from "./lease.ts";
import { RedisTier } from "./redis-tier.ts";
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
  /** The tags that purges may name. */
  readonly tags: readonly Template[];
  /** In bytes, without content coding. */
  readonly maxBody: number;
  readonly clientDirectives: boolean;
  /** Whoever asks for what is asked for already waits for that. */
  readonly coalesce: boolean;
  /** Up to which share a lifetime is shortened, from 0 to 1. */
  readonly jitter: number;
  /** The upstream gets X-Forwarded-Host and -Proto as a trusted proxy wrote them. */
  readonly behindProxy: boolean;
};

/** A cache policy when linked. */
export interface LinkedCache {
  readonly step: Step;
  readonly ports: Ports;
  readonly tiers: Tiers;
  readonly leases: Leases;
  readonly queryNames: QueryNames;
  readonly flights: Flights;
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
  /** Where others wait for what this one brings, or where it is to be known whether they should have. */
  readonly flight?: Flight;
  /** False for one that waited for another's answer, in vain. */
  readonly collapsed?: false;
  /** Until when it waits for others, in all; absent before it does. */
  readonly untilMs?: number;
}

/** For so long, in all, a request waits for what others bring, in milliseconds. */
const WAIT_MS = 5000;

/** Until when a request waits for others. */
export const untilOf = ({ untilMs, nowMs }: Visit): number => untilMs ?? nowMs + WAIT_MS;

/**
 * A request that has waited for so long for what others know asks Redis nothing more, in milliseconds. A call takes no longer
 * either, so that a Redis which does not answer costs this time once, and not for each call.
 */
const PATIENCE_MS = 50;

/** Until when a request begins to ask Redis. */
export const patienceOf = ({ nowMs }: Visit): number => nowMs + PATIENCE_MS;

/** All entries in the memory of an isolate, of all routes together. */
const ISOLATE_BYTES = 32 * 1024 * 1024;

/** Links the parts that requests share. Where the platform has none of the tiers, the isolate's memory serves. */
export const linkCache = (step: Step, ports: Ports, site: Site): LinkedCache => {
  const store = step.tiers.includes("redis") ? ports.store : undefined;
  const far: FarTier[] = [];
  if (step.tiers.includes("edge") && ports.edgeCache !== undefined)
    far.push(new EdgeTier(ports.edgeCache, site.gatewayName));
  if (store !== undefined) far.push(new RedisTier(store));
  const isolate =
    step.tiers.includes("isolate") || far.length === 0
      ? site.once("cache.isolate", () => new IsolateTier(ISOLATE_BYTES, ports.purges))
      : undefined;
  const invalidations = site.once("cache.invalidations", () => new Invalidations());
  const queryNames = step.query === null ? undefined : new Set(step.query);
  return {
    step,
    ports,
    tiers: new Tiers(isolate, far, { ...step, queryNames }, invalidations, ports),
    leases: new Leases(store, ports.random),
    queryNames,
    flights: site.once("cache.flights", () => new Flights(ports.random)),
  };
};

/** What became of a request, for logs and metrics; `collapsed` when it waited for the answer to another's. */
export type Result = "hit" | "stale" | "revalidated" | "collapsed" | "miss" | "bypass";

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
