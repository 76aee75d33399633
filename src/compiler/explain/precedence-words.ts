import { type HostPattern, hostSpecificity } from "../../lib/host-pattern.ts";
import type { TemplateSegment } from "../../lib/path-template.ts";
import { candidateOrder, methodRank, specificity } from "../candidate-order.ts";
import type { MatchIr, RouteIr } from "../ir.ts";
import { hostText, segmentText } from "./match-words.ts";

/** A match of a route at one of its hosts that takes a request by itself. */
export interface Fit {
  readonly route: RouteIr;
  readonly match: MatchIr;
  readonly host: HostPattern;
}

/** Which of two that both take a request goes first (negative: the first of them), and why in words about the second. */
export interface Precedence {
  readonly order: number;
  readonly why: string;
}

/** The rules of precedence, in the order in which they decide (Gateway API, HTTPRoute). */
export const precedence = (one: Fit, other: Fit, method: string): Precedence =>
  byHost(one, other) ?? byPath(one.match, other.match) ?? byRest(one, other, method);

const byHost = ({ host: one }: Fit, { host: other }: Fit): Precedence | undefined => {
  const order = hostSpecificity(other) - hostSpecificity(one);
  if (order === 0) return undefined;
  const why = `its host ${hostText(other)} says less than ${hostText(one)}: an exact host goes before a wildcard, a longer wildcard before a shorter one`;
  return { order, why };
};

/** What stands at a place of a path; the less, the earlier it is tried. */
const RANKS = { literal: 0, mixed: 1, param: 2, rest: 3 } as const;
const END = 4;
const KINDS = ["a literal", "text with a parameter", "a parameter", "what remains", "the end of a prefix"];

const rankOf = (segment: TemplateSegment | undefined): number =>
  segment === undefined ? END : RANKS[segment.kind];

const byPath = (one: MatchIr, other: MatchIr): Precedence | undefined => {
  if ((one.regex === undefined) !== (other.regex === undefined)) {
    return {
      order: one.regex === undefined ? -1 : 1,
      why: "it has a regular expression for the path, and paths and prefixes go before these",
    };
  }
  const length = Math.max(one.segments.length, other.segments.length);
  for (let index = 0; index < length; index++) {
    const [mine, its] = [one.segments[index], other.segments[index]];
    const order = rankOf(mine) - rankOf(its) || textOrder(mine, its);
    if (order === 0) continue;
    const found = its === undefined ? "its prefix ends" : `it has ${segmentText(its) || "an empty segment"}`;
    const where = mine === undefined ? "a prefix ends" : segmentText(mine) || "an empty segment";
    const rule =
      rankOf(mine) === rankOf(its)
        ? "more text goes before less"
        : `${KINDS[rankOf(mine)]} goes before ${KINDS[rankOf(its)]}`;
    return { order, why: `at segment ${index + 1} ${found} where the other has ${where}: ${rule}` };
  }
  if (one.prefix === other.prefix) return undefined;
  return { order: one.prefix ? 1 : -1, why: "it is a prefix, and a full path goes before it" };
};

/** Of two segments of text and parameters, the one with more text is tried first. */
const textOrder = (one: TemplateSegment | undefined, other: TemplateSegment | undefined): number => {
  if (one?.kind !== "mixed" || other?.kind !== "mixed") return 0;
  const [first, second] = [one.texts.join("{"), other.texts.join("{")];
  const order = other.texts.join("").length - one.texts.join("").length;
  return order || (first < second ? -1 : first > second ? 1 : 0);
};

const byRest = (one: Fit, other: Fit, method: string): Precedence => {
  const both = [one, other].map(({ route, match }, index) => ({ index, route, match }));
  const order = candidateOrder(both, method)[0]?.index === 0 ? -1 : 1;
  return { order, why: reason(one, other, method) };
};

const reason = (one: Fit, other: Fit, method: string): string => {
  const [mine, its] = [one.match, other.match];
  if (one.route.before.includes(other.route.id)) return `\`before\` of ${one.route.id} names it`;
  if (specificity(mine, its, method) === 0)
    return `the two say equally much, and ${one.route.id} is first in the alphabet`;
  if (methodRank(mine, method) !== methodRank(its, method))
    return methodRank(its, method) === 0
      ? `it takes any method, and the other names ${mine.methods.join(", ")}`
      : "it takes HEAD by way of GET, and the other names it";
  if (mine.headers.length !== its.headers.length)
    return `it asks for ${its.headers.length} header fields, and the other for ${mine.headers.length}: more go first`;
  return `it asks for ${its.query.length} query parameters, and the other for ${mine.query.length}: more go first`;
};
