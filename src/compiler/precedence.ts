import { fault } from "../config/tree.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Condition, MatchIr, Report } from "./ir.ts";
import type { Candidate, Leaf } from "./matcher.ts";

/**
 * Order of precedence where host and path tie (Gateway API, HTTPRouteRule): method match, number of header conditions,
 * number of query conditions, then the alphabetically first route id; `before` overrides all of it.
 */
export const candidateOrder = (candidates: readonly Candidate[], method: string | undefined): Candidate[] => {
  const able = candidates.filter(({ match }) => methodRank(match, method) >= 0);
  const sorted = able.sort((one, other) => compare(one, other, method));
  return applyBefore(sorted);
};

/** 2 the method itself, 1 HEAD by way of GET, 0 any method, -1 not at all. */
const methodRank = (match: MatchIr, method: string | undefined): number => {
  if (match.methods.length === 0) return 0;
  if (method === undefined) return -1;
  if (match.methods.includes(method)) return 2;
  return method === "HEAD" && match.methods.includes("GET") ? 1 : -1;
};

const compare = (one: Candidate, other: Candidate, method: string | undefined): number =>
  methodRank(other.match, method) - methodRank(one.match, method) ||
  other.match.headers.length - one.match.headers.length ||
  other.match.query.length - one.match.query.length ||
  (one.route.id < other.route.id ? -1 : one.route.id > other.route.id ? 1 : 0);

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

/** Finds routes that cannot be told apart, that can never win, or that overlap by chance. */
export const checkPrecedence = (leaves: readonly Leaf[], report: Report): void => {
  // Once for a route that loses; for the pairs that overlap, once each.
  const told = new Set<string>();
  for (const leaf of leaves) {
    const methods = new Set(leaf.candidates.flatMap(({ match }) => match.methods));
    for (const method of [...[...methods].sort(), undefined]) {
      const ordered = candidateOrder(leaf.candidates, method);
      for (const [index, later] of ordered.entries()) {
        for (const earlier of ordered.slice(0, index)) {
          const pair = [earlier.route.id, later.route.id].join(" ");
          if (told.has(pair) || told.has(later.route.id) || earlier.route === later.route) continue;
          const found = checkPair(earlier, later, method, leaf);
          if (found === undefined) continue;
          report(found);
          told.add(found.severity === "error" ? later.route.id : pair);
        }
      }
    }
  }
};

const checkPair = (
  earlier: Candidate,
  later: Candidate,
  method: string | undefined,
  leaf: Leaf,
): Diagnostic | undefined => {
  const tie = compare(earlier, { ...later, route: earlier.route }, method) === 0;
  const meant = earlier.route.before.includes(later.route.id);
  const more = {
    related: [{ message: `"${earlier.route.id}" stands here.`, place: earlier.route.place }],
    example: exampleRequest(leaf, earlier, later, method),
  };
  const tell = (code: string, message: string, remedy: string, severity: "error" | "warning" = "error") =>
    fault(later.route.place, code, message, remedy, { severity, ...more });
  const [first, second] = [`"${earlier.route.id}"`, `"${later.route.id}"`];
  if (tie && !meant && areSame(earlier.match, later.match))
    return tell(
      "identical-routes",
      `${second} takes the very requests that ${first} takes.`,
      "Change the match of one of the two, or remove one.",
    );
  if (conditionsCover(earlier.match, later.match) && coversMethods(earlier.match, later.match)) {
    if (leavesOthers(earlier, later) && !meant) return undefined;
    return tell(
      "shadowed-route",
      `${second} can never win: ${first} takes all of its requests first.`,
      meant
        ? `Remove ${second} from the \`before\` of ${first}.`
        : "Make its match more specific, or remove it.",
    );
  }
  if (!tie || meant || !areCompatible(earlier.match, later.match)) return undefined;
  return tell(
    "overlapping-routes",
    `Some requests fit ${first} and ${second} equally well; the first in the alphabet, ${first}, takes them.`,
    `Say it on purpose: \`before: [${later.route.id}]\` at ${first}, or the other way round.`,
    "warning",
  );
};

/** An explicit HEAD, or a method beside any method, leaves the later one its other requests. */
const leavesOthers = (earlier: Candidate, later: Candidate): boolean =>
  earlier.match.methods.length > 0 && later.match.methods.length === 0;

const coversMethods = (wide: MatchIr, narrow: MatchIr): boolean =>
  wide.methods.length === 0 ||
  (narrow.methods.length > 0 && narrow.methods.every((method) => wide.methods.includes(method)));

const conditionsCover = (wide: MatchIr, narrow: MatchIr): boolean =>
  covers(wide.headers, narrow.headers) && covers(wide.query, narrow.query);

const areSame = (one: MatchIr, other: MatchIr): boolean =>
  one.headers.length === other.headers.length &&
  one.query.length === other.query.length &&
  conditionsCover(one, other) &&
  conditionsCover(other, one);

const areCompatible = (one: MatchIr, other: MatchIr): boolean =>
  compatible(one.headers, other.headers) && compatible(one.query, other.query);

/** Whether whatever fulfils `narrow` fulfils `wide` too. */
const covers = (wide: readonly Condition[], narrow: readonly Condition[]): boolean =>
  wide.every((condition) =>
    narrow.some(
      (other) =>
        other.name === condition.name && (condition.value === undefined || condition.value === other.value),
    ),
  );

/** Whether one request can fulfil both. */
const compatible = (one: readonly Condition[], other: readonly Condition[]): boolean =>
  one.every((condition) =>
    other.every(
      (rival) =>
        rival.name !== condition.name ||
        rival.value === undefined ||
        condition.value === undefined ||
        rival.value === condition.value,
    ),
  );

const exampleRequest = (
  leaf: Leaf,
  earlier: Candidate,
  later: Candidate,
  method: string | undefined,
): string => {
  const host =
    leaf.host.kind === "any"
      ? "any.example"
      : leaf.host.kind === "exact"
        ? leaf.host.text
        : "x" + leaf.host.text;
  const path =
    later.match.segments
      .map(
        (segment) =>
          "/" +
          (segment.kind === "literal"
            ? segment.text
            : segment.kind === "mixed"
              ? segment.texts.join("x")
              : "x"),
      )
      .join("") || "/";
  const conditions = (pick: (match: MatchIr) => readonly Condition[]): Condition[] => [
    ...new Map(
      [...pick(earlier.match), ...pick(later.match)].map((condition) => [condition.name, condition]),
    ).values(),
  ];
  const query = conditions((match) => match.query)
    .map(({ name, value }) => `${name}=${value ?? "x"}`)
    .join("&");
  const headers = conditions((match) => match.headers)
    .map(({ name, value }) => ` -H '${name}: ${value ?? "x"}'`)
    .join("");
  return `${method ?? "GET"} https://${host}${path}${query === "" ? "" : "?" + query}${headers}`;
};
