import { problem } from "../../core/problem.ts";
import { type Candidate, forward } from "./forward.ts";
import { isFresh } from "./freshness.ts";
import { land } from "./landing.ts";
import { type LinkedCache, patienceOf, record, untilOf, type Visit } from "./linked.ts";
import type { Forwarded } from "./status.ts";
import { type Fitting, fitting, isUsable, use } from "./use.ts";

/** Why a request goes on to the upstream. */
export const whyOf = ({ nowMs }: Visit, found: Fitting, candidate: Candidate | undefined): Forwarded => {
  if (candidate !== undefined) return isFresh(candidate.entry, nowMs) ? "request" : "stale";
  return found.part ?? (found.others ? "vary-miss" : "miss");
};

/** Goes to the upstream with a request that nothing stored can answer, as far as its client lets it. */
export const ask = (
  cache: LinkedCache,
  visit: Visit,
  found: Fitting,
  candidate: Candidate | undefined,
): Response | Promise<Response> => {
  const { exchange, wish, flight } = visit;
  if (wish?.onlyIfCached) {
    record(cache, exchange, "miss");
    return problem(exchange, {
      status: 504,
      code: "not-cached",
      title: "Gateway timeout",
      detail: "Nothing is stored that could answer this request, and it asked not to go further.",
    });
  }
  const isAlone = flight === undefined || !flight.leads || !cache.leases.areShared;
  if (isAlone || cache.ports.clock.now() >= patienceOf(visit))
    return forward(cache, visit, whyOf(visit, found, candidate), candidate);
  if (found.uncacheable) {
    land(cache, visit, "alone");
    return forward(cache, visit, whyOf(visit, found, candidate), candidate);
  }
  return askInTurn(cache, visit, found, candidate);
};

/** How long to wait before another look for what another isolate fetches: at first, and at most. */
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 200;

/** Of all isolates one asks the upstream; the others look for what it brings, with timers of their own, and for so long only. */
const askInTurn = async (
  cache: LinkedCache,
  visit: Visit,
  found: Fitting,
  candidate: Candidate | undefined,
): Promise<Response> => {
  const { leases, ports, tiers } = cache;
  const flight = visit.flight!;
  const untilMs = untilOf(visit);
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    flight.lease = await leases.claim(flight.key);
    const leftMs = untilMs - ports.clock.now();
    if (flight.lease !== undefined || leftMs <= 0) break;
    await pause(Math.min(pauseMs, leftMs));
    const far = await tiers.findFarther(visit.primary, visit.exchange);
    const later: Visit = { ...visit, nowMs: ports.clock.now() };
    const { entry, tier, uncacheable } = fitting(far, later);
    if (uncacheable) {
      land(cache, visit, "alone");
      break;
    }
    if (entry === undefined || !isUsable(entry, later)) continue;
    land(cache, visit, { entry, tier, upstream: undefined });
    return use(cache, later, { entry, tier: tier! })!;
  }
  return forward(cache, visit, whyOf(visit, found, candidate), candidate);
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
