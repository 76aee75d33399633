import { fault } from "../config/tree.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { exampleOf } from "../lib/regex/compare.ts";
import { candidateOrder, specificity } from "./candidate-order.ts";
import { commonValues, conditionsCover, matchCovers } from "./conditions.ts";
import { DOCS_API } from "./docs.ts";
import { examplePath, exampleRequest } from "./example-request.ts";
import type { MatchIr, Report } from "./ir.ts";
import type { Candidate, Leaf } from "./matcher.ts";
import { MAX_TOGETHER, PathTakers } from "./path-takers.ts";

/** Finds routes that cannot be told apart, that can never win, or that overlap by chance. */
export const checkPrecedence = (leaves: readonly Leaf[], report: Report): void => {
  // Once for a route that loses; for the pairs that overlap, once each.
  const told = new Set<string>();
  for (const leaf of leaves) {
    const takers = leaf.isRegex ? new PathTakers(leaf, leaves) : undefined;
    if (takers !== undefined) checkCovered(leaf, takers, told, report);
    const methods = new Set(leaf.candidates.flatMap(({ match }) => match.methods));
    for (const method of [...[...methods].sort(), undefined]) {
      const ordered = candidateOrder(leaf.candidates, method);
      for (const [index, later] of ordered.entries()) {
        for (const [rank, earlier] of ordered.slice(0, index).entries()) {
          const pair = [earlier.route.id, later.route.id].join(" ");
          if (told.has(pair) || told.has(later.route.id) || earlier.route === later.route) continue;
          const found = checkPair({ earlier, later, ahead: ordered.slice(0, rank), method, leaf, takers });
          if (found === undefined) continue;
          report(found);
          told.add(found.severity === "error" ? later.route.id : pair);
        }
      }
    }
  }
};

/** Two candidates that meet, in the order in which they are tried for a method. */
interface Pair {
  readonly earlier: Candidate;
  readonly later: Candidate;
  /** What is tried before the two. */
  readonly ahead: readonly Candidate[];
  readonly method: string | undefined;
  readonly leaf: Leaf;
  readonly takers: PathTakers | undefined;
}

const checkPair = (pair: Pair): Diagnostic | undefined => {
  const { earlier, later, method } = pair;
  const tie = specificity(earlier.match, later.match, method) === 0;
  const meant = earlier.route.before.includes(later.route.id);
  const covered = matchCovers(earlier.match, later.match) && coversMethods(earlier.match, later.match);
  const example = covered || (tie && !meant) ? commonRequest(pair, covered) : undefined;
  const tell = (code: string, message: string, remedy: string, severity: "error" | "warning" = "error") =>
    fault(later.route.place, code, message, remedy, {
      severity,
      related: [stands(earlier)],
      ...(example === undefined ? {} : { example }),
    });
  const [first, second] = [`"${earlier.route.id}"`, `"${later.route.id}"`];
  if (tie && !meant && areSame(earlier.match, later.match))
    return tell(
      "identical-routes",
      `${second} takes the very requests that ${first} takes.`,
      earlier.route.api === DOCS_API
        ? `Give ${second} another path, or the docs, by \`path\` and \`openapi\`: docs: { path: /reference }.`
        : "Change the match of one of the two, or remove one.",
    );
  if (covered) {
    if (leavesOthers(earlier, later) && !meant) return undefined;
    return tell(
      "shadowed-route",
      `${second} can never win: ${first} takes all of its requests first.`,
      meant
        ? `Remove ${second} from the \`before\` of ${first}.`
        : tie
          ? `Let it go first, by \`before: [${earlier.route.id}]\` at ${second}, or remove it.`
          : "Make its match more specific, or remove it.",
    );
  }
  if (!tie || meant || example === undefined) return undefined;
  return tell(
    "overlapping-routes",
    `Some requests fit ${first} and ${second} equally well; the first in the alphabet, ${first}, takes them.`,
    `Say it on purpose: \`before: [${later.route.id}]\` at ${first}, or the other way round.`,
    "warning",
  );
};

const stands = ({ route }: Candidate) => ({ message: `"${route.id}" stands here.`, place: route.place });

/** A request that fits both of a pair and that nothing takes before them, or `anyway`; undefined where there is none. */
const commonRequest = (pair: Pair, anyway: boolean): string | undefined => {
  const { earlier, later, method, leaf } = pair;
  const headers = commonValues(earlier.match.headers, later.match.headers);
  const query = headers && commonValues(earlier.match.query, later.match.query);
  if (headers === undefined || query === undefined) return undefined;
  const path = commonPath(pair, false) ?? (anyway ? commonPath(pair, true) : undefined);
  if (path === undefined) return undefined;
  return exampleRequest({ method: method ?? otherMethod(leaf), host: leaf.host, path, headers, query });
};

const commonPath = ({ earlier, later, ahead, method, takers }: Pair, anyway: boolean): string | undefined => {
  const both = {
    headers: [...earlier.match.headers, ...later.match.headers],
    query: [...earlier.match.query, ...later.match.query],
  };
  const first = (): readonly Candidate[] => ahead.filter(({ match }) => conditionsCover(match, both));
  const [one, other] = [earlier.match.regex, later.match.regex];
  if (one === undefined || other === undefined)
    return !anyway && first().length > 0 ? undefined : examplePath(later.match.segments);
  const all = [one.automaton, other.automaton, one.domain];
  const path = exampleOf(all) ?? undefined;
  if (anyway || path === undefined) return path;
  const templates = takers?.templates(both, other, method).map(({ paths }) => paths) ?? [];
  const none = [...templates, ...first().map(({ match }) => match.regex!.automaton)];
  const meeting = none.filter((paths) => exampleOf([...all, paths]) !== undefined);
  return meeting.length === 0 ? path : (exampleOf(all, meeting.slice(0, MAX_TOGETHER)) ?? undefined);
};

/** A method that no candidate names. */
const otherMethod = ({ candidates }: Leaf): string => {
  const named = candidates.flatMap(({ match }) => match.methods);
  return ["GET", "POST", "PUT", "PATCH", "DELETE"].find((method) => !named.includes(method)) ?? "OPTIONS";
};

/** Routes by regular expression that templates, prefixes and other regular expressions leave nothing. */
const checkCovered = (leaf: Leaf, takers: PathTakers, told: Set<string>, report: Report): void => {
  for (const candidate of leaf.candidates) {
    const { route, match } = candidate;
    const cover = takers.coverOf(candidate);
    // What one other regular expression does is told with the pair.
    if (told.has(route.id) || cover === undefined || isPair(cover, match)) continue;
    told.add(route.id);
    const ids = [...new Set(cover.map((taker) => `"${taker.route.id}"`))];
    report(
      fault(
        route.place,
        "shadowed-route",
        `"${route.id}" can never win: ${listed(ids)} ${ids.length === 1 ? "takes" : "take"} all of its requests first.`,
        "Remove it, or let the others take less: a `path` or `pathPrefix` goes before every `pathRegex`.",
        {
          related: [...new Map(cover.map((taker) => [taker.route.id, stands(taker)])).values()],
          example: exampleRequest({
            method: match.methods[0] ?? otherMethod(leaf),
            host: leaf.host,
            path: match.regex!.example,
            headers: commonValues(match.headers, match.headers)!,
            query: commonValues(match.query, match.query)!,
          }),
        },
      ),
    );
  }
};

const isPair = ([first, ...others]: readonly Candidate[], match: MatchIr): boolean =>
  others.length === 0 && first?.match.regex !== undefined && coversMethods(first.match, match);

const listed = (words: readonly string[]): string =>
  words.length === 1 ? words[0]! : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;

/** An explicit HEAD, or a method beside any method, leaves the later one its other requests. */
const leavesOthers = (earlier: Candidate, later: Candidate): boolean =>
  earlier.match.methods.length > 0 && later.match.methods.length === 0;

const coversMethods = (wide: MatchIr, narrow: MatchIr): boolean =>
  wide.methods.length === 0 ||
  (narrow.methods.length > 0 && narrow.methods.every((method) => wide.methods.includes(method)));

const areSame = (one: MatchIr, other: MatchIr): boolean =>
  coversMethods(one, other) &&
  coversMethods(other, one) &&
  one.headers.length === other.headers.length &&
  one.query.length === other.query.length &&
  matchCovers(one, other) &&
  matchCovers(other, one);
