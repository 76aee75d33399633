import { type RouteWords, routeWords } from "./route-words.ts";
import type { Rule, RuleBackend, RuleMatch, SuiteRoute, SuiteTest } from "./suite.ts";

/** One rule of the suite in the words of the policy language. */
export interface Translated {
  /** The HTTPRoute that it comes from, and its number there from 1. */
  readonly rule: string;
  /** Routes by name, alphabetically in the order in which the Gateway API lets them win a tie. */
  readonly routes: Readonly<Record<string, RouteWords>>;
  readonly upstreams: Readonly<Record<string, object>>;
  /** Hosts by name. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** Where the origins of a run are: URLs by the name of the backend. */
export type Origins = Readonly<Record<string, string>>;

/** The host of a test whose routes take any: all tests share one gateway, and this keeps them apart. */
export const ownHost = (test: SuiteTest): string =>
  `${test.test
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")}.test`;

/** Backends that exist, but in a namespace that did not grant their use; cases.json has no grants. */
const NOT_GRANTED: Readonly<Record<string, string>> = {
  HTTPRouteInvalidCrossNamespaceBackendRef: "web-backend",
  HTTPRouteInvalidReferenceGrant: "web-backend",
  HTTPRoutePartiallyInvalidViaInvalidReferenceGrant: "app-backend-v2",
};

/**
 * Translates a test. Between rules that tie the oldest route wins, then the first by name, then the first rule of the list;
 * routes here have no age, and the language lets the first by id win, so they are numbered in that order. A later rule with
 * the very predicate of an earlier one, which the language refuses, loses that predicate: it could never win there.
 */
export const translate = (test: SuiteTest, origins: Origins): readonly Translated[] => {
  const taken = new Set<string>();
  const sorted = test.routes.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  let number = 0;
  return sorted.flatMap((route) => {
    const hosts = route.effective_hosts === undefined ? [ownHost(test)] : route.effective_hosts;
    // Attached to nothing, it serves nothing.
    if (hosts === null) return [];
    return route.rules.map((rule, index) => {
      const usable = rule.backends.filter((backend) => isUsable(backend, test, origins));
      const parts = split({ ...rule, backends: usable }, hosts, route).map((part) => {
        const matches = part.hosts.flatMap((host) =>
          part.rule.match
            .filter((match) => isNew(taken, predicate(host, match)))
            .map((match) => ({ host, match })),
        );
        number++;
        return { name: `r${String(number).padStart(3, "0")}`, matches, part };
      });
      const words = parts
        .filter(({ matches }) => matches.length > 0)
        .map(({ name, matches, part }) => ({
          name,
          ...routeWords({
            upstream: `${hostName(ownHost(test))}-${name}`,
            matches,
            keep: part.keep,
            rule: part.rule,
            origins,
          }),
        }));
      return {
        rule: `${route.name}/${index + 1}`,
        routes: Object.fromEntries(words.map(({ name, route: it }) => [name, it])),
        upstreams: Object.assign({}, ...words.map(({ upstreams }) => upstreams)),
        hosts: Object.fromEntries(hosts.map((host) => [hostName(host), host])),
      };
    });
  });
};

const isUsable = ({ backend, kind }: RuleBackend, { test }: SuiteTest, origins: Origins): boolean =>
  kind === undefined && origins[backend] !== undefined && NOT_GRANTED[test] !== backend;

interface Part {
  readonly hosts: readonly string[];
  readonly rule: Rule;
  /** The host that the backend has to see. */
  readonly keep: string | undefined;
}

/**
 * The Gateway API hands the client's Host on; an upstream of ours sees its own host, unless `rewrite.host` names another.
 * So a rule becomes a route for each of its hosts, which names it; one for any host below a wildcard cannot.
 */
const split = (rule: Rule, hosts: readonly string[], route: SuiteRoute): readonly Part[] => {
  const rewrites = rule.filters?.some((filter) => filter.type === "rewrite" && filter.host !== undefined);
  const kept =
    route.effective_hosts === undefined || rewrites ? [] : hosts.filter((host) => !host.startsWith("*."));
  const others = hosts.filter((host) => !kept.includes(host));
  return [
    ...kept.map((host) => ({ hosts: [host], rule, keep: host })),
    ...(others.length > 0 ? [{ hosts: others, rule, keep: undefined }] : []),
  ];
};

const predicate = (host: string, { path, method, headers = [], query = [] }: RuleMatch): string =>
  JSON.stringify([
    host,
    path?.type ?? "prefix",
    path?.value.replace(/(?<=.)\/$/, "") ?? "/",
    method ?? "",
    headers.map(({ name, value }) => [name.toLowerCase(), value]).sort(),
    query.map(({ name, value }) => [name, value]).sort(),
  ]);

const isNew = (taken: Set<string>, text: string): boolean => !taken.has(text) && taken.add(text).size > 0;

/** The name of a host in policies. */
export const hostName = (host: string): string => `h-${host.replace("*", "any").replaceAll(".", "-")}`;

/** Policy files as JSON, which is YAML too, for rules of tests by the name of an api. */
export const policyText = (apis: Readonly<Record<string, readonly Translated[]>>): string => {
  const all = Object.values(apis).flat();
  const merged = (pick: (one: Translated) => object): object => Object.assign({}, ...all.map(pick));
  return JSON.stringify({
    gateway: { name: "conformance", hosts: merged(({ hosts }) => hosts) },
    environments: { local: { development: true } },
    upstreams: merged(({ upstreams }) => upstreams),
    apis: Object.fromEntries(
      Object.entries(apis).map(([name, rules]) => [
        name,
        { public: true, routes: Object.assign({}, ...rules.map(({ routes }) => routes)) },
      ]),
    ),
  });
};
