import { didYouMean } from "../config/faults.ts";
import { badName, isPlainName, type TypedApi } from "../config/load.ts";
import { fault, placeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { Place } from "../core/diagnostic.ts";
import { segmentNames } from "../lib/path-template.ts";
import { docsRoutes } from "./docs.ts";
import type { MatchIr, Report, RouteIr, RouteSources } from "./ir.ts";
import { levelsOf } from "./levels.ts";
import { conditionsOf, hostsOf, type MatchSite, pathSegments, writtenMatch } from "./matches.ts";
import { type NamedOperation, type Published, publishedOperations } from "./operations.ts";

type TypedRoute = TypedApi["routes"][number];

/** Fills every default of every route: those written in policies and those that come from operations. */
export const normalizeRoutes = (sources: RouteSources): readonly RouteIr[] => [
  ...sources.documents.apis.flatMap((api) => apiRoutes(api, sources)),
  ...docsRoutes(sources),
];

const apiRoutes = (api: TypedApi, sources: RouteSources): RouteIr[] => {
  const published = publishedOperations(api, sources);
  const site: MatchSite = { api, sources };
  const written = new Map(api.routes.map((route) => [route.name, route]));
  const derived = new Set(published.operations.map(({ id }) => id));
  const named = api.tree.entries?.get("routes")?.entries;
  if (published.certain && published.operations.length === 0 && !named?.size)
    reportEmpty(api, sources.report);
  return [
    ...published.operations.flatMap(
      (operation) => operationRoute(operation, written.get(operation.id), site) ?? [],
    ),
    ...api.routes
      .filter(({ name }) => !derived.has(name))
      .flatMap((route) => writtenRoute(route, published, site) ?? []),
  ];
};

const reportEmpty = (api: TypedApi, report: Report): void => {
  const [message, remedy] =
    api.value.openapi === undefined
      ? ["has no route", "Give it `openapi: { file, operations }` or `routes:`."]
      : [
          "publishes no operation of its document",
          "Choose others under `openapi.operations`, or add `routes:`.",
        ];
  report(
    fault(api.tree.keyPlace ?? api.tree.place, "api-empty", `The api "${api.name}" ${message}.`, remedy),
  );
};

const operationRoute = (
  operation: NamedOperation,
  route: TypedRoute | undefined,
  site: MatchSite,
): RouteIr | undefined => {
  const { api, sources } = site;
  const prefix = api.value.openapi?.prefix ?? "";
  const segments = pathSegments(prefix + operation.path, operation.pathPlace, sources.report);
  if (route !== undefined) checkOperationMatch(operation, route, sources.report);
  const written = route?.value.match;
  const match = Array.isArray(written) ? undefined : written;
  const conditions = conditionsOf(match, ["match"], route, site);
  if (segments === undefined || conditions === undefined) return undefined;
  const matched: MatchIr = {
    hosts: hostsOf(match, ["match", "hosts"], route, site),
    segments,
    prefix: false,
    methods: [operation.method],
    ...conditions,
  };
  return routeIr({
    name: operation.id,
    place: route?.tree.keyPlace ?? operation.place,
    pathPlace: operation.pathPlace,
    matches: [matched],
    route,
    site,
    operation,
  });
};

/** A route of an operation may add hosts, headers and query to its match; path and methods are the document's. */
const checkOperationMatch = (
  operation: NamedOperation,
  { value, tree }: TypedRoute,
  report: Report,
): void => {
  const { match } = value;
  if (match === undefined) return;
  if (Array.isArray(match)) {
    report(
      fault(
        placeAt(tree, ["match"], true),
        "match-of-operation",
        `"${operation.id}" has the one path and method of its operation, and here stands a list.`,
        "Write one map with hosts, headers and query, or give the route a name that is no operationId.",
      ),
    );
    return;
  }
  const culprit = (["path", "pathPrefix", "pathRegex", "methods"] as const).find(
    (key) => match[key] !== undefined,
  );
  if (culprit === undefined) return;
  report(
    fault(
      placeAt(tree, ["match", culprit], true),
      "match-of-operation",
      `The path and methods of "${operation.id}" are those of its operation.`,
      "Keep only hosts, headers and query in its `match`, or give the route a name that is no operationId.",
    ),
  );
};

const writtenRoute = (route: TypedRoute, published: Published, site: MatchSite): RouteIr | undefined => {
  const { match } = route.value;
  const { documents, report } = site.sources;
  const place = route.tree.keyPlace ?? route.tree.place;
  if (match === undefined) {
    if (published.certain && !isBroken(documents.broken, [...route.path, "match"]))
      report(withoutMatch(route, published, site.api));
    return undefined;
  }
  if (!isPlainName(route.name)) report(badName(route.name, place));
  const list = Array.isArray(match) ? match : [match];
  const matches = list.flatMap(
    (one, index) => writtenMatch(one, Array.isArray(match) ? ["match", index] : ["match"], route, site) ?? [],
  );
  if (matches.length < list.length) return undefined;
  const pathPlace = placeAt(route.tree, ["match", ...(Array.isArray(match) ? [0] : []), "path"]);
  return routeIr({ name: route.name, place, pathPlace, matches, route, site, operation: undefined });
};

const withoutMatch = ({ name, tree }: TypedRoute, { operations, withheld }: Published, api: TypedApi) => {
  const kept = withheld.find(({ id }) => id === name);
  const ids = operations.map(({ id }) => id);
  const remedy =
    kept === undefined
      ? (didYouMean(name, ids) ??
        (api.value.openapi === undefined
          ? "Add `match:` with a path."
          : "Add `match:` with a path, or name the route after a published operation."))
      : kept.internal
        ? "Remove it, or remove `x-internal` from its operation in the document."
        : "Remove it, or choose its operation under `openapi.operations`.";
  return fault(
    tree.keyPlace ?? tree.place,
    "match-missing",
    kept === undefined
      ? `The route "${name}" says nothing of the requests that it takes.`
      : `The operation "${name}" is not published.`,
    remedy,
  );
};

interface Made {
  readonly name: string;
  readonly place: Place;
  readonly pathPlace: Place;
  readonly matches: readonly MatchIr[];
  readonly route: TypedRoute | undefined;
  readonly site: MatchSite;
  readonly operation: NamedOperation | undefined;
}

const routeIr = ({
  name,
  place,
  pathPlace,
  matches,
  route,
  site: { api, sources },
  operation,
}: Made): RouteIr => ({
  id: `${api.name}.${name}`,
  api: api.name,
  name,
  place,
  matches,
  params: paramsOf(matches, pathPlace, sources.report),
  declaredQuery: operation?.declaredQuery,
  operation: operation?.info,
  documentPrefix: operation === undefined ? "" : (api.value.openapi?.prefix ?? ""),
  document: route?.value,
  documentPath: [...api.path, "routes", name],
  apiDocument: api.value,
  apiPath: api.path,
  levels: levelsOf(sources.documents, api.name, name),
  before: route?.value.before ?? [],
});

/** Parameters that are there whichever match took the request: those of every match. */
const paramsOf = (matches: readonly MatchIr[], place: Place, report: Report): readonly string[] => {
  const perMatch = matches.flatMap((match) =>
    match.hosts.map(({ pattern }) => {
      const path = match.segments.flatMap(segmentNames);
      const host = pattern.kind === "suffix" && pattern.param !== undefined ? [pattern.param] : [];
      if (host.some((name) => path.includes(name))) {
        report(
          fault(
            place,
            "duplicate-name",
            `The parameter "${host[0]}" stands in the host and in the path.`,
            "Give one of the two another name.",
          ),
        );
      }
      return [...host, ...path];
    }),
  );
  const [first = [], ...others] = perMatch;
  return first.filter((name) => others.every((names) => names.includes(name)));
};
