import type { MatchDocument } from "../config/documents/route.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import type { Documents, TypedApi } from "../config/load.ts";
import { fault, placeAt, treeAt } from "../config/tree.ts";
import { isBroken, type Typed } from "../config/typing.ts";
import { isForbiddenName } from "../config/yaml.ts";
import type { Place } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { parseHostPattern } from "../lib/host-pattern.ts";
import { parsePathTemplate, segmentNames, type TemplateSegment } from "../lib/path-template.ts";
import type { Condition, MatchIr, NamedHost, Report, RouteSources } from "./ir.ts";

/** Control routes of the gateway itself. */
export const CONTROL_PREFIX = "/__postern";

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
  if (match.path !== undefined && match.pathPrefix !== undefined) {
    report(
      fault(
        placeAt(route.tree, [...at, "pathPrefix"], true),
        "conflicting-keys",
        "A match has a path or a pathPrefix, not both.",
        "Remove one of the two, or make it a list of two matches.",
      ),
    );
    return undefined;
  }
  const prefix = match.path === undefined;
  const segments = prefix
    ? prefixSegments(match.pathPrefix ?? "/", placeAt(route.tree, [...at, "pathPrefix"]), report)
    : pathSegments(match.path!, placeAt(route.tree, [...at, "path"]), report);
  if (segments === undefined) return undefined;
  return {
    hosts: hostsOf(match, [...at, "hosts"], route, site),
    segments,
    prefix,
    methods: [...new Set(match.methods ?? [])].sort(),
    ...conditionsOf(match),
  };
};

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

/** Conditions on headers and query, in the order of their names. */
export const conditionsOf = (
  match: MatchDocument | undefined,
): { headers: readonly Condition[]; query: readonly Condition[] } => {
  const conditions = (map: MatchDocument["query"]): Condition[] =>
    Object.entries(map ?? {})
      .map(([name, value]) => (typeof value === "string" ? { name, value } : { name }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  return { headers: conditions(match?.headers), query: conditions(match?.query) };
};

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
