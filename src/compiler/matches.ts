import type { MatchDocument } from "../config/documents/route.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import type { Documents, TypedApi } from "../config/load.ts";
import { fault, placeAt, type Tree, treeAt } from "../config/tree.ts";
import { isBroken, type Typed } from "../config/typing.ts";
import { isForbiddenName } from "../config/yaml.ts";
import type { Place } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { parseHostPattern } from "../lib/host-pattern.ts";
import type { PathOptions } from "../lib/path.ts";
import { parsePathTemplate, segmentNames, type TemplateSegment } from "../lib/path-template.ts";
import type { Condition, MatchIr, NamedHost, Report, RouteSources } from "./ir.ts";
import { CONTROL_PREFIX, matchRegex } from "./match-regex.ts";

/** What the matches of one api are made from. */
export interface MatchSite {
  readonly api: TypedApi;
  readonly sources: RouteSources;
}

/** A match as people write it, with every default filled in; undefined where it cannot be one. */
export const writtenMatch = (
  match: MatchDocument,
  at: Path,
  route: TypedApi["routes"][number],
  site: MatchSite,
): MatchIr | undefined => {
  const { report } = site.sources;
  const [first, second] = PATHS.filter((key) => match[key] !== undefined);
  if (second !== undefined) {
    report(
      fault(
        placeAt(route.tree, [...at, second], true),
        "conflicting-keys",
        `A match has a ${first} or a ${second}, not both.`,
        "Remove one of the two, or make it a list of two matches.",
      ),
    );
    return undefined;
  }
  const path = writtenPath(match, at, route, site);
  const conditions = conditionsOf(match, at, route, site);
  if (path === undefined || conditions === undefined) return undefined;
  return {
    hosts: hostsOf(match, [...at, "hosts"], route, site),
    ...path,
    methods: [...new Set(match.methods ?? [])].sort(),
    ...conditions,
  };
};

const PATHS = ["path", "pathPrefix", "pathRegex"] as const;

/** What a match says of the path; without a word, any will do. */
const writtenPath = (
  { path, pathPrefix, pathRegex }: MatchDocument,
  at: Path,
  { tree }: TypedApi["routes"][number],
  { sources: { report, documents } }: MatchSite,
): Pick<MatchIr, "segments" | "prefix" | "regex"> | undefined => {
  if (pathRegex !== undefined) {
    const place = treeAt(tree, [...at, "pathRegex"]) ?? tree;
    const regex = matchRegex(
      { text: pathRegex, tree: place, use: "path", paths: pathOptions(documents) },
      report,
    );
    return regex && { segments: [], prefix: false, regex };
  }
  const prefix = path === undefined;
  const segments = prefix
    ? prefixSegments(pathPrefix ?? "/", placeAt(tree, [...at, "pathPrefix"]), report)
    : pathSegments(path, placeAt(tree, [...at, "path"]), report);
  return segments && { segments, prefix };
};

const pathOptions = ({ gateway }: Documents): PathOptions =>
  gateway?.value.paths ?? { encodedSlash: "reject", matrixParameters: "reject" };

/** The segments of a prefix, whose last slash counts for nothing. */
const prefixSegments = (
  text: string,
  place: Place,
  report: Report,
): readonly TemplateSegment[] | undefined => {
  const bare = text.replace(/\/+$/, "");
  const segments = pathSegments(bare === "" ? "/" : bare, place, report);
  if (segments?.every((segment) => segment.kind === "literal") !== false) return segments;
  report(
    fault(
      place,
      "bad-path",
      "A prefix holds no parameters.",
      `Write the whole path, with what remains at its end: \`path: "${bare}/{rest...}"\`.`,
    ),
  );
  return undefined;
};

/** The segments of a path template; what is wrong with it is reported. */
export const pathSegments = (
  text: string,
  place: Place,
  report: Report,
): readonly TemplateSegment[] | undefined => {
  const parsed = parsePathTemplate(text);
  if (typeof parsed === "string") {
    report(
      fault(
        place,
        "bad-path",
        parsed,
        "Write segments of text or {parameters}, each name once and {rest...} only at the end, as in /orders/{orderId}.",
      ),
    );
    return undefined;
  }
  const forbidden = parsed.flatMap(segmentNames).find(isForbiddenName);
  if (forbidden !== undefined) {
    report(
      fault(
        place,
        "forbidden-name",
        `"${forbidden}" cannot be the name of a parameter.`,
        "Choose another name.",
      ),
    );
    return undefined;
  }
  const [first] = parsed;
  if (first?.kind !== "literal" || "/" + first.text !== CONTROL_PREFIX) return parsed;
  report(
    fault(
      place,
      "reserved-path",
      `Paths below ${CONTROL_PREFIX} are the gateway's own.`,
      "Choose another path.",
    ),
  );
  return undefined;
};

/** Conditions on headers and query, in the order of their names; undefined where one cannot be. */
export const conditionsOf = (
  match: MatchDocument | undefined,
  at: Path,
  route: Typed<unknown> | undefined,
  { sources: { report, documents } }: MatchSite,
): { headers: readonly Condition[]; query: readonly Condition[] } | undefined => {
  const conditions = (key: "headers" | "query"): (Condition | undefined)[] => {
    const written = treeAt(route?.tree, [...at, key])?.entries ?? new Map<string, Tree>();
    // The names of header fields have no case.
    const trees = new Map(
      [...written].map(([name, tree]) => [key === "headers" ? name.toLowerCase() : name, tree]),
    );
    return Object.entries(match?.[key] ?? {}).map(([name, value]) => {
      if (typeof value === "string") return { name, value };
      if (value.regex === undefined) return { name };
      const use = key === "headers" ? "header" : "query";
      const tree = trees.get(name)!.entries!.get("regex")!;
      const regex = matchRegex({ text: value.regex, tree, use, paths: pathOptions(documents) }, report);
      return regex && { name, regex };
    });
  };
  const [headers, query] = [conditions("headers"), conditions("query")];
  if (headers.includes(undefined) || query.includes(undefined)) return undefined;
  return { headers: byName(headers as Condition[]), query: byName(query as Condition[]) };
};

const byName = (conditions: readonly Condition[]): readonly Condition[] =>
  conditions.toSorted((one, other) => (one.name < other.name ? -1 : 1));

/** The hosts of a match, of its api, or all of the gateway's, in this order. */
export const hostsOf = (
  match: MatchDocument | undefined,
  at: Path,
  route: Typed<unknown> | undefined,
  { api, sources }: MatchSite,
): readonly NamedHost[] => {
  const hosts = gatewayHosts(sources.documents);
  const [names, { tree }, path]: [readonly string[] | undefined, Typed<unknown>, Path] =
    match?.hosts !== undefined ? [match.hosts, route!, at] : [api.value.hosts, api, ["hosts"]];
  if (names === undefined) return hosts;
  return names.flatMap((name, index) => {
    const found = hosts.find((host) => host.name === name);
    if (found !== undefined) return [found];
    if (hosts.length > 0) {
      const known = hosts.map((host) => host.name);
      sources.report(
        fault(
          placeAt(tree, [...path, index]),
          "unknown-name",
          `The gateway has no host named "${name}".`,
          didYouMean(name, known) ?? `Name one of ${anyOf(known)}, or add it to \`gateway.hosts\`.`,
        ),
      );
    }
    return [];
  });
};

/** Whether nothing can be said of which hosts meet where. */
export const hostsAreBroken = ({ gateway, broken }: Documents): boolean =>
  gateway === undefined || isBroken(broken, ["gateway", "hosts"]);

/** The gateway's hosts; where some of them are at fault, their names at least. */
const gatewayHosts = (documents: Documents): readonly NamedHost[] => {
  if (!hostsAreBroken(documents))
    return Object.entries(documents.gateway!.value.hosts).map(([name, pattern]) => ({ name, pattern }));
  const written = treeAt(documents.tree, ["gateway", "hosts"])?.entries ?? new Map();
  return [...written].map(([name, { scalar }]) => ({
    name,
    pattern: (typeof scalar === "string" ? parseHostPattern(scalar) : undefined) ?? {
      kind: "any",
      text: "*",
    },
  }));
};
