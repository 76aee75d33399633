import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { problem } from "../../core/problem.ts";
import type { PurgeScope } from "../../core/purge.ts";
import { bodyTooLarge, readBody } from "../../core/request-body.ts";
import { BODY_INCOMPLETE } from "../../core/shared-problems.ts";
import { constantOf, type Template } from "../../core/template.ts";
import { after } from "../../lib/after.ts";
import { scopeOfTag, scopeOfTarget, type TargetStep } from "./scopes.ts";
import { scopesInBody, type TagsFromStep } from "./tags-from.ts";

/** What the filter needs to know. */
export type Step = {
  readonly tags: readonly Template[];
  readonly prefixes: readonly TargetStep[];
  readonly urls: readonly TargetStep[];
  readonly tagsFrom: TagsFromStep | null;
};

/** Methods that change nothing. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"]);

/**
 * Purges once a request has succeeded, before its answer goes out: whoever reads back through this isolate does not get the old.
 * The others are told beside the answer.
 */
export const filter: FilterFactory<Step> = (step, { purges, log }) => {
  if (purges === undefined) return undefined;
  const scopesFor = linkScopes(step);
  const purge = (exchange: Exchange, body: Uint8Array<ArrayBuffer> | undefined): void => {
    const scopes = scopesFor(exchange);
    if (step.tagsFrom !== null && body !== undefined) {
      const { scopes: more, left } = scopesInBody(step.tagsFrom, body, exchange);
      scopes.push(...more);
      if (left > 0) log.write({ level: "warn", message: TOO_MANY, route: exchange.route.id, left });
    }
    if (scopes.length === 0) return;
    const told = purges.purge(scopes, exchange.defer).then((isTold) => {
      if (!isTold) log.write({ level: "warn", message: NOT_TOLD, route: exchange.route.id });
    });
    exchange.defer.waitUntil(told);
  };
  return (next) => (exchange) => {
    if (SAFE.has(exchange.method) || exchange.opensWebSocket) return next(exchange);
    const goOn = (body?: Uint8Array<ArrayBuffer>): Response | Promise<Response> =>
      after(next(exchange), (response) => {
        if (response.status >= 200 && response.status <= 399) purge(exchange, body);
        return response;
      });
    if (step.tagsFrom === null) return goOn();
    const { maxBytes } = step.tagsFrom;
    return readBody(exchange, maxBytes).then((body) => {
      // Passed on unread, it would change what nobody purges then.
      if (body === "too-large") return bodyTooLarge(exchange, maxBytes);
      return body === "broken" ? problem(exchange, BODY_INCOMPLETE) : goOn(body);
    });
  };
};

const NOT_TOLD = "A purge holds in this isolate alone: the others could not be told.";
const TOO_MANY = "A body names more tags than are purged.";

/** What is known when it is linked is written once. */
const linkScopes = ({ tags, prefixes, urls }: Step): ((exchange: Exchange) => PurgeScope[]) => {
  const fixed: PurgeScope[] = [];
  const filled: ((exchange: Exchange) => PurgeScope | undefined)[] = [];
  for (const tag of tags) {
    const constant = constantOf(tag);
    const scope = constant === undefined ? undefined : scopeOfTag(constant);
    if (scope !== undefined) fixed.push(scope);
    else if (constant === undefined) filled.push((exchange) => scopeOfTag(tag, exchange));
  }
  for (const url of urls) filled.push((exchange) => scopeOfTarget(url, "url", exchange));
  for (const prefix of prefixes) filled.push((exchange) => scopeOfTarget(prefix, "prefix", exchange));
  return (exchange) => {
    const scopes = [...fixed];
    for (const fill of filled) {
      const scope = fill(exchange);
      if (scope !== undefined) scopes.push(scope);
    }
    return scopes;
  };
};
