import type { Place } from "../../core/diagnostic.ts";
import type { Routable, RouteResult } from "../../core/matcher-plan.ts";
import { hostCovers } from "../../lib/host-pattern.ts";
import type { Condition, MatchIr, NamedHost, RouteIr } from "../ir.ts";
import { matcherPlan, plant } from "../matcher.ts";
import type { Anatomy, LinkRouter } from "./anatomy.ts";
import { conditionText, hostText, matchText } from "./match-words.ts";
import { type Fit, precedence } from "./precedence-words.ts";

/** A route that comes near to taking a request, and why it does not. */
export interface Other {
  readonly id: string;
  readonly place: Place;
  readonly takes: string;
  /** `order`: it would take the request; else what keeps it from that. */
  readonly lost: "order" | "method" | "condition" | "host";
  readonly why: string;
}

/** Who takes a request, as the router says it, and who does not. */
export interface Routing {
  readonly routed: RouteResult;
  /** The match that took the request. */
  readonly taken: { readonly takes: string; readonly host: string } | undefined;
  readonly others: readonly Other[];
  /** How many more come near. */
  readonly left: number;
  /** The gateway's hosts, where that of the request is none of them. */
  readonly hosts?: readonly string[];
}

const MOST = 10;
const LOST = ["order", "method", "condition", "host"] as const;

/** Explains what becomes of a request that can be routed at all. */
export const explainRouting = (anatomy: Anatomy, asked: Routable, link: LinkRouter): Routing => {
  const { plan, routes } = anatomy;
  const routed = link(plan.matcher)(asked);
  const winner = routed.outcome === "found" ? routes[routed.route] : undefined;
  const near = new Near(asked, link);
  const fits = winner && near.fits(winner);
  const best = fits?.reduce((one, other) => (near.order(one, other).order <= 0 ? one : other));
  const all = routes.flatMap((route) => (route === winner ? [] : (near.explain(route, best) ?? [])));
  const sorted = all.toSorted(
    (one, other) => LOST.indexOf(one.lost) - LOST.indexOf(other.lost) || (one.id < other.id ? -1 : 1),
  );
  return {
    routed,
    taken: best && { takes: matchText(best.match), host: hostText(best.host) },
    others: sorted.slice(0, MOST),
    left: Math.max(0, sorted.length - MOST),
    ...(winner === undefined && !isKnownHost(anatomy, asked.host) && { hosts: hostsOf(anatomy) }),
  };
};

const isKnownHost = ({ routes }: Anatomy, text: string): boolean =>
  routes.some(({ matches }) =>
    matches.some(({ hosts }) => hosts.some(({ pattern }) => hostCovers(pattern, { kind: "exact", text }))),
  );

const hostsOf = ({ routes }: Anatomy): readonly string[] => [
  ...new Set(
    routes.flatMap(({ matches }) =>
      matches.flatMap(({ hosts }) => hosts.map(({ pattern }) => hostText(pattern))),
    ),
  ),
];

const ANY_HOST: NamedHost = { name: "any", pattern: { kind: "any", text: "*" } };

/** Asks the router about one match at a time, as it is and with less, to learn what keeps it from a request. */
class Near {
  readonly #asked: Routable;
  readonly #link: LinkRouter;
  readonly #method: string;

  constructor(asked: Routable, link: LinkRouter) {
    this.#asked = asked;
    this.#link = link;
    this.#method = asked.preflightMethod ?? asked.method;
  }

  order(one: Fit, other: Fit): ReturnType<typeof precedence> {
    return precedence(one, other, this.#method);
  }

  /** The matches of a route that take the request by themselves. */
  fits(route: RouteIr): Fit[] {
    return route.matches.flatMap((match) =>
      match.hosts
        .filter((host) => this.#try(route, { ...match, hosts: [host] }).outcome === "found")
        .map(({ pattern }) => ({ route, match, host: pattern })),
    );
  }

  explain(route: RouteIr, winner: Fit | undefined): Other | undefined {
    const [first, ...more] = this.fits(route);
    if (first !== undefined && winner !== undefined) {
      const best = more.reduce((one, other) => (this.order(one, other).order <= 0 ? one : other), first);
      return told(route, best.match, "order", this.order(winner, best).why);
    }
    for (const lost of ["method", "condition", "host"] as const) {
      for (const match of route.matches) {
        const why = this.#without(route, match, lost);
        if (why !== undefined) return told(route, match, lost, why);
      }
    }
    return undefined;
  }

  /** Why a match does not take the request, where that is one thing alone. */
  #without(route: RouteIr, match: MatchIr, lost: "method" | "condition" | "host"): string | undefined {
    const takes = (change: Partial<MatchIr>): boolean =>
      this.#try(route, { ...match, ...change }).outcome === "found";
    switch (lost) {
      case "method":
        return match.methods.length > 0 && takes({ methods: [] })
          ? `the path is its own, but with ${listed(match.methods, "or")} only`
          : undefined;
      case "condition": {
        if (!takes({ headers: [], query: [] })) return undefined;
        const missing = [
          ...unmet("header", match.headers, (one) => takes({ headers: [one], query: [] })),
          ...unmet("query", match.query, (one) => takes({ headers: [], query: [one] })),
        ];
        return `the request does not have ${listed(missing, "and")}`;
      }
      case "host":
        return takes({ hosts: [ANY_HOST] })
          ? `it is at ${listed([...new Set(match.hosts.map(({ pattern }) => hostText(pattern)))], "or")} only`
          : undefined;
    }
  }

  #try(route: RouteIr, match: MatchIr): RouteResult {
    return this.#link(matcherPlan(plant([{ ...route, matches: [match] }])))(this.#asked);
  }
}

const told = (route: RouteIr, match: MatchIr, lost: Other["lost"], why: string): Other => ({
  id: route.id,
  place: route.place,
  takes: matchText(match),
  lost,
  why,
});

const unmet = (
  kind: "header" | "query",
  conditions: readonly Condition[],
  holds: (condition: Condition) => boolean,
): string[] =>
  conditions.filter((condition) => !holds(condition)).map((condition) => conditionText(kind, condition));

const listed = (words: readonly string[], joint: "and" | "or"): string =>
  words.length < 2
    ? (words[0] ?? "")
    : `${words.slice(0, -1).join(", ")} ${joint} ${words[words.length - 1]}`;
