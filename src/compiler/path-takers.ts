import { accepts, exampleOf } from "../lib/regex/compare.ts";
import type { RegexPlan } from "../lib/regex/run.ts";
import { candidateOrder, methodRank } from "./candidate-order.ts";
import { type Conditions, conditionsCover } from "./conditions.ts";
import type { RegexIr } from "./ir.ts";
import { type Candidate, hostKey, type Leaf } from "./matcher.ts";
import { templatePaths } from "./texts.ts";

/** A candidate that takes its paths before another one is asked. */
export interface Taker {
  readonly candidate: Candidate;
  readonly paths: RegexPlan;
}

/** More of them are not looked at together: what only they all cover is not told. */
export const MAX_TOGETHER = 16;

/** What takes requests before the routes by regular expression of one host do. */
export class PathTakers {
  readonly #leaf: Leaf;
  readonly #templates: readonly Leaf[];
  readonly #paths = new Map<Leaf, RegexPlan>();
  readonly #meeting = new Map<RegexIr, readonly Leaf[]>();

  constructor(leaf: Leaf, leaves: readonly Leaf[]) {
    this.#leaf = leaf;
    const key = hostKey(leaf.host);
    this.#templates = leaves.filter((other) => other !== leaf && hostKey(other.host) === key);
  }

  /** Templates and prefixes that take every request of a match and a method whose path is theirs, by their ids. */
  templates(match: Conditions, regex: RegexIr, method: string | undefined): readonly Taker[] {
    const takers = this.#meetingOf(regex).flatMap((leaf) =>
      leaf.candidates
        .filter((other) => methodRank(other.match, method) >= 0 && conditionsCover(other.match, match))
        .map((candidate) => ({ candidate, paths: this.#pathsOf(leaf) })),
    );
    return takers.sort((one, other) => (one.candidate.route.id < other.candidate.route.id ? -1 : 1));
  }

  /** As few as may be of those that leave a candidate no request; undefined where it has some. */
  coverOf(candidate: Candidate): readonly Candidate[] | undefined {
    const { methods } = candidate.match;
    const regex = candidate.match.regex!;
    const all = [regex.automaton, regex.domain];
    const found = new Set<Candidate>();
    for (const method of methods.length === 0 ? [undefined] : methods) {
      const templates = this.templates(candidate.match, regex, method);
      const takers = [...templates, ...this.#earlier(candidate, method)].filter(
        (taker) => taker.candidate.route !== candidate.route,
      );
      // Most have a path of their own at once.
      if (!takers.some(({ paths }) => accepts(paths, regex.example))) return undefined;
      const cover = smallestCover(all, takers);
      if (cover === undefined) return undefined;
      for (const taker of cover) found.add(taker.candidate);
    }
    return [...found];
  }

  #earlier({ match, index }: Candidate, method: string | undefined): readonly Taker[] {
    const ordered = candidateOrder(this.#leaf.candidates, method);
    const own = ordered.findIndex((other) => other.match === match && other.index === index);
    return ordered
      .slice(0, own)
      .filter((other) => conditionsCover(other.match, match))
      .map((other) => ({ candidate: other, paths: other.match.regex!.automaton }));
  }

  #meetingOf(regex: RegexIr): readonly Leaf[] {
    const known =
      this.#meeting.get(regex) ??
      this.#templates.filter(
        (leaf) => exampleOf([regex.automaton, this.#pathsOf(leaf), regex.domain]) !== undefined,
      );
    this.#meeting.set(regex, known);
    return known;
  }

  #pathsOf(leaf: Leaf): RegexPlan {
    const { segments, prefix } = leaf.candidates[0]!.match;
    const known = this.#paths.get(leaf) ?? templatePaths(segments, prefix);
    this.#paths.set(leaf, known);
    return known;
  }
}

/** Takers without any of which something would be left of a language; undefined where something is left of it by all. */
const smallestCover = (all: readonly RegexPlan[], takers: readonly Taker[]): readonly Taker[] | undefined => {
  const covers = (some: readonly Taker[]): boolean =>
    exampleOf(
      all,
      some.map(({ paths }) => paths),
    ) === undefined;
  const alone = takers.find((taker) => covers([taker]));
  if (alone !== undefined) return [alone];
  const meeting = takers.filter(({ paths }) => exampleOf([...all, paths]) !== undefined);
  let cover = meeting.slice(0, MAX_TOGETHER);
  if (!covers(cover)) return undefined;
  for (const taker of [...cover].reverse()) {
    const others = cover.filter((other) => other !== taker);
    if (covers(others)) cover = others;
  }
  return cover;
};
