import { problem } from "../../core/problem.ts";
import { answerFrom } from "./answer.ts";
import { ask, whyOf } from "./ask.ts";
import { type Flight, type Landed, waitFor } from "./flights.ts";
import type { Candidate } from "./forward.ts";
import { variantOf } from "./key.ts";
import { land } from "./landing.ts";
import { type LinkedCache, record, untilOf, type Visit } from "./linked.ts";
import { mayReplaceError } from "./on-error.ts";
import { forwardStatus, hitStatus } from "./status.ts";
import { type Fitting, isPicky, isUsable } from "./use.ts";
import { CONDITIONS, isCheckable } from "./validation.ts";

/** Goes on with a visit that nothing near can answer. */
type GoOn = (visit: Visit) => Response | Promise<Response>;

/**
 * Lets one request at a time go on for a key, and the others wait for what it brings. Whoever asks for something newer than
 * that, or does not want to wait, goes on by itself, and so does everybody where the last answers served one request each.
 */
export const coalesce = (
  cache: LinkedCache,
  visit: Visit,
  near: Fitting,
  candidate: Candidate | undefined,
  goOn: GoOn,
): Response | Promise<Response> => {
  const { wish, exchange, primary, nowMs } = visit;
  const waits = cache.step.coalesce && exchange.method === "GET" && !wish?.onlyIfCached && !isPicky(wish);
  if (!waits) return goOn(visit);
  const key = flightKey(cache, visit, candidate?.entry.names ?? cache.tiers.namesOf(primary));
  if (cache.flights.isAlone(key, nowMs)) return goOn(scouting(cache, visit, key));
  const flight = flightFor(cache, visit, key);
  if (flight !== undefined) return follow(cache, visit, { near, candidate, flight });
  return goAhead(cache, visit, candidate, key, goOn);
};

/** What is asked for, as far as is known by which fields its variants are told apart. */
const flightKey = (cache: LinkedCache, { primary, exchange }: Visit, names: readonly string[]): string =>
  primary + variantOf(exchange, cache.step, names);

/** The flight that a request may wait for: not one from before what it asks for was changed or purged. */
const flightFor = (
  { flights, tiers }: LinkedCache,
  { primary, exchange, nowMs }: Visit,
  key: string,
): Flight | undefined => {
  const flight = flights.find(key, nowMs);
  return flight === undefined || tiers.isOutdated(primary, exchange, flight.mark) ? undefined : flight;
};

/**
 * What others may wait for is the whole: the answer to a part or a condition would say nothing to them. Where several ask about
 * copies of their own and nothing is stored, the second one asks for the whole: else it would never be.
 */
const mayLead = (
  cache: LinkedCache,
  { exchange, nowMs }: Visit,
  candidate: Candidate | undefined,
  key: string,
): boolean => {
  const { headers } = exchange.request;
  if (headers.has("range")) return false;
  // The cache's question about its entry takes the place of the client's about its own copy.
  if (candidate !== undefined && isCheckable(candidate.entry)) return true;
  if (!CONDITIONS.some((name) => headers.has(name))) return true;
  if (!cache.flights.asksAboutCopy(key, nowMs)) return false;
  for (const name of CONDITIONS) exchange.requestEdits.push({ op: "remove", name });
  return true;
};

/** Goes on, as the one for whom others wait where that may be. */
const goAhead = (
  cache: LinkedCache,
  visit: Visit,
  candidate: Candidate | undefined,
  key: string,
  goOn: GoOn,
): Response | Promise<Response> =>
  mayLead(cache, visit, candidate, key) ? lead(cache, visit, key, goOn) : goOn(visit);

/** Goes on as the one for whom others wait. The work is kept alive: it ends for them also when its own client has left. */
const lead = (cache: LinkedCache, visit: Visit, key: string, goOn: GoOn): Response | Promise<Response> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  visit.exchange.defer.waitUntil(promise);
  const own: Visit = {
    ...visit,
    flight: cache.flights.begin(key, visit.nowMs, cache.tiers.mark(), resolve),
  };
  const crash = (error: unknown): never => {
    land(cache, own, "failed");
    throw error;
  };
  try {
    const answer = goOn(own);
    return answer instanceof Promise ? answer.catch(crash) : answer;
  } catch (error) {
    return crash(error);
  }
};

/** A visit for which nobody waits, but which tells whether anybody should have. */
const scouting = ({ flights, tiers }: LinkedCache, visit: Visit, key: string): Visit => ({
  ...visit,
  flight: flights.scout(key, visit.nowMs, tiers.mark()),
});

interface Following {
  readonly near: Fitting;
  readonly candidate: Candidate | undefined;
  readonly flight: Flight;
}

/** After so many flights that failed while a request waited, it does not add to what the upstream has to bear. */
const MOST_FAILURES = 2;

/**
 * Waits for the flight of another request, or for several in turn. When one failed, the first to learn of it leads the next, for
 * the failure may have been that of its request alone; the others wait for that one, too, and then no longer: so a broken upstream
 * gets its requests one after the other, and each of them answers all who wait.
 */
const follow = async (cache: LinkedCache, first: Visit, following: Following): Promise<Response> => {
  const { near, candidate } = following;
  const untilMs = untilOf(first);
  const goOn: GoOn = (own) => ask(cache, own, near, candidate);
  let { flight } = following;
  for (let failures = 0; ; ) {
    const outcome = await waitFor(flight, Math.max(0, untilMs - cache.ports.clock.now()));
    const visit: Visit = { ...first, nowMs: cache.ports.clock.now(), untilMs, collapsed: false };
    let { key } = flight;
    if (outcome === undefined) {
      if (flight.hasAnswer) {
        // Of a body that takes so long, nobody knows whether it has an end.
        cache.flights.leaveAlone(key, visit.nowMs);
        return goOn(scouting(cache, visit, key));
      }
      // The first to have waited in vain takes the place of what may be lost.
      const isFirst = cache.flights.find(key, visit.nowMs) === flight;
      return isFirst ? goAhead(cache, visit, candidate, key, goOn) : goOn(visit);
    }
    if (outcome === "alone") return goOn(scouting(cache, visit, key));
    if (outcome === "failed") {
      const stale = candidate && staleOf(cache, visit, candidate);
      if (stale !== undefined) return stale;
      failures++;
    } else if (outcome !== "nothing") {
      const { entry } = outcome;
      if (variantOf(visit.exchange, cache.step, entry.names) === entry.variant)
        return isUsable(entry, visit) ? shared(cache, visit, following, outcome) : goOn(visit);
      key = flightKey(cache, visit, entry.names);
    }
    const next = flightFor(cache, visit, key);
    if (next === undefined) return goAhead(cache, visit, candidate, key, goOn);
    if (failures >= MOST_FAILURES) return failing(cache, visit, candidate);
    flight = next;
  }
};

/** The answer from what another request brought. */
const shared = (
  cache: LinkedCache,
  visit: Visit,
  { near, candidate }: Following,
  { entry, upstream, tier }: Landed,
): Response => {
  const { exchange, nowMs } = visit;
  record(cache, exchange, tier === undefined ? "collapsed" : "hit", tier);
  const status =
    tier === undefined
      ? forwardStatus(whyOf(visit, near, candidate), { upstream, collapsed: true })
      : hitStatus(entry, nowMs, tier);
  return answerFrom(entry, exchange, nowMs, status);
};

const staleOf = (cache: LinkedCache, visit: Visit, { entry, tier }: Candidate): Response | undefined => {
  const { exchange, nowMs } = visit;
  if (!mayReplaceError(entry, visit, nowMs)) return undefined;
  record(cache, exchange, "stale", tier);
  return answerFrom(entry, exchange, nowMs, hitStatus(entry, nowMs, tier));
};

const failing = (cache: LinkedCache, { exchange }: Visit, candidate: Candidate | undefined): Response => {
  record(cache, exchange, "miss");
  return problem(exchange, {
    // What is stored must not be used, and nobody could say anything newer (RFC 9111 section 4.3.3).
    status: candidate === undefined ? 503 : 504,
    code: "upstream-failing",
    title: candidate === undefined ? "Service unavailable" : "Gateway timeout",
    detail: "The service failed others who asked for the same a moment ago.",
    headers: { "retry-after": "1" },
  });
};
