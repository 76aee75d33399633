import type { Exchange } from "../../core/exchange.ts";
import type { Handler } from "../../core/policy.ts";
import { after } from "../../lib/after.ts";
import { keyedQuery } from "../../lib/http/query-members.ts";
import { normalizePath } from "../../lib/path.ts";
import { keepPosted } from "./content-location.ts";
import { ownerOf, primaryKey } from "./key.ts";
import type { LinkedCache } from "./linked.ts";

/**
 * Passes an unsafe request on, and when it succeeded forgets what is stored for its target, and for Location and
 * Content-Location where these have the same origin (RFC 9111 section 4.4): the entries of this caller, and those that
 * everybody shares. The client gets the answer after that, so that what it reads next is not the old.
 */
export const passUnsafe = (
  cache: LinkedCache,
  exchange: Exchange,
  next: Handler,
): Response | Promise<Response> => {
  const requestedMs = cache.ports.clock.now();
  const { asOf } = cache.tiers.mark();
  return after(next(exchange), (response) => {
    if (response.status < 200 || response.status > 399) return response;
    const forgotten = staleKeys(cache, exchange, response.headers).map((key) =>
      cache.tiers.forget(key, exchange),
    );
    return Promise.all(forgotten).then(() =>
      !cache.step.forgetOnly && exchange.method === "POST" && representsTarget(exchange, response.headers)
        ? keepPosted(cache, { exchange, next }, response, { requestedMs, asOf })
        : response,
    );
  });
};

/** Whether Content-Location says that the body is what a GET of the same target would bring. */
const representsTarget = (exchange: Exchange, headers: Headers): boolean => {
  const value = headers.get("content-location");
  const target = value === null ? undefined : sameOriginTarget(exchange, value);
  return target?.path === exchange.path && target.query === (exchange.upstreamQuery ?? exchange.query);
};

const staleKeys = (cache: LinkedCache, exchange: Exchange, headers: Headers): readonly string[] => {
  const targets = [{ path: exchange.path, query: exchange.upstreamQuery ?? exchange.query }];
  for (const name of ["location", "content-location"]) {
    const value = headers.get(name);
    const target = value === null ? undefined : sameOriginTarget(exchange, value);
    if (target !== undefined) targets.push(target);
  }
  const owner = cache.step.perCaller ? ownerOf(exchange.identity) : "";
  const keys = new Set<string>();
  for (const { path, query } of targets) {
    // Reading the target may declare other query parameters than changing it does: both forms go.
    for (const keyed of [keyedQuery(query, cache.queryNames), keyedQuery(query, undefined)]) {
      for (const whose of [owner, ""]) {
        keys.add(primaryKey(exchange, path, keyed, whose, cache.step.behindProxy));
      }
    }
  }
  return [...keys];
};

const KEEP = { encodedSlash: "keep", matrixParameters: "keep" } as const;

/** Path and query that a reference leads to; undefined where it leads to another origin, or nowhere. */
const sameOriginTarget = (
  { scheme, authority, path, query }: Exchange,
  reference: string,
): { path: string; query: string } | undefined => {
  const base = `${scheme}://${authority}${path}${query}`;
  if (!URL.canParse(reference, base)) return undefined;
  const url = new URL(reference, base);
  if (url.origin !== new URL(base).origin) return undefined;
  const normalized = normalizePath(url.pathname, KEEP);
  return "path" in normalized ? { path: normalized.path, query: url.search } : undefined;
};
