import type { MatchIr } from "./ir.ts";
import type { Candidate } from "./matcher.ts";

/**
 * Order of precedence where host and path tie (Gateway API, HTTPRouteRule): method match, number of header conditions,
 * number of query conditions, then the alphabetically first route id; `before` overrides all of it. Paths that are matched
 * by regular expressions tie among themselves.
 */
export const candidateOrder = (candidates: readonly Candidate[], method: string | undefined): Candidate[] => {
  const able = candidates.filter(({ match }) => methodRank(match, method) >= 0);
  const sorted = able.sort((one, other) => compare(one, other, method));
  return applyBefore(sorted);
};

/** 2 the method itself, 1 HEAD by way of GET, 0 any method, -1 not at all. */
export const methodRank = (match: MatchIr, method: string | undefined): number => {
  if (match.methods.length === 0) return 0;
  if (method === undefined) return -1;
  if (match.methods.includes(method)) return 2;
  return method === "HEAD" && match.methods.includes("GET") ? 1 : -1;
};

const compare = (one: Candidate, other: Candidate, method: string | undefined): number =>
  specificity(one.match, other.match, method) ||
  (one.route.id < other.route.id ? -1 : one.route.id > other.route.id ? 1 : 0);

/** Which of two matches goes first, before ids are looked at: 0 where they tie. */
export const specificity = (one: MatchIr, other: MatchIr, method: string | undefined): number =>
  methodRank(other, method) - methodRank(one, method) ||
  other.headers.length - one.headers.length ||
  other.query.length - one.query.length;

/** Moves each candidate with `before` directly in front of the first candidate that it names. */
const applyBefore = (sorted: Candidate[]): Candidate[] => {
  const result = [...sorted];
  for (const candidate of sorted) {
    if (candidate.route.before.length === 0) continue;
    const target = result.findIndex((other) => candidate.route.before.includes(other.route.id));
    const own = result.indexOf(candidate);
    if (target < 0 || own < target) continue;
    result.splice(own, 1);
    result.splice(target, 0, candidate);
  }
  return result;
};
