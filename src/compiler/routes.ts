import type { MatchDocument } from "../config/documents.ts";
import { anyOf, didYouMean } from "../config/faults.ts";
import type { Documents, Typed, TypedApi } from "../config/load.ts";
import { type Operation, readOperations } from "../config/openapi.ts";
import { fault, placeAt } from "../config/tree.ts";
import type { Source } from "../config/yaml.ts";
import type { Place } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { parsePathTemplate, segmentNames, type TemplateSegment } from "../lib/path-template.ts";
import type { Condition, LevelIr, MatchIr, NamedHost, Report, RouteIr } from "./ir.ts";

/** Control routes of the gateway itself. */
export const CONTROL_PREFIX = "/__postern";

/** Everything that routes are made from. */
export interface RouteSources {
  readonly documents: Documents;
  /** Finds an OpenAPI document by the name that an api gives it. */
  readonly openapi: (file: string) => Source | undefined;
  readonly openapiFiles: readonly string[];
  readonly report: Report;
}

/** Fills every default of every route: those written in policies and those that come from operations. */
export const normalizeRoutes = (sources: RouteSources): readonly RouteIr[] =>
  sources.documents.apis.flatMap((api) => apiRoutes(api, sources));

const apiRoutes = (api: TypedApi, sources: RouteSources): RouteIr[] => {
  const operations = publishedOperations(api, sources);
  const written = new Map(api.routes.map((route) => [route.name, route]));
  const reading: ApiReading = { api, sources, prefix: api.value.openapi?.prefix ?? "" };
  const routes = operations.flatMap(
    (operation) => operationRoute(operation, written.get(operation.id), reading) ?? [],
  );
  const derived = new Set(operations.map((operation) => operation.id));
  for (const route of api.routes) {
    if (derived.has(route.name)) continue;
    const made = writtenRoute(route, operations, reading);
    if (made !== undefined) routes.push(made);
  }
  if (routes.length === 0 && !api.tree.entries?.get("routes")?.entries?.size && operations.length === 0) {
    sources.report(
      fault(
        api.tree.keyPlace ?? api.tree.place,
        "api-empty",
        `The api "${api.name}" has no route.`,
        "Give it `openapi: { file, operations }` or `routes:`.",
      ),
    );
  }
  return routes;
};

interface ApiReading {
  readonly api: TypedApi;
  readonly sources: RouteSources;
  readonly prefix: string;
}

const publishedOperations = (
  api: TypedApi,
  { openapi, openapiFiles, report }: RouteSources,
): readonly Operation[] => {
  const wanted = api.value.openapi;
  if (wanted === undefined) return [];
  const place = placeAt(api.tree, ["openapi", "file"]);
  const source = openapi(wanted.file);
  if (source === undefined) {
    report(
      fault(
        place,
        "unknown-file",
        `There is no OpenAPI document "${wanted.file}".`,
        didYouMean(wanted.file, openapiFiles) ??
          (openapiFiles.length > 0
            ? `Name one of ${anyOf(openapiFiles)}.`
            : "Put the document into the folder of OpenAPI documents."),
      ),
    );
    return [];
  }
  const read = readOperations(source);
  read.diagnostics.forEach(report);
  const all = (read.value ?? []).filter((operation) => !operation.internal);
  const chosen = wanted.operations;
  if (chosen === "all") return all;
  const tags = "tags" in chosen ? chosen.tags : chosen.except.tags;
  const known = [...new Set(all.flatMap((operation) => operation.tags))];
  const hidden = new Set((read.value ?? []).flatMap((operation) => operation.tags));
  for (const [index, tag] of tags.entries()) {
    if (hidden.has(tag)) continue;
    const at = placeAt(api.tree, [
      "openapi",
      "operations",
      ...("tags" in chosen ? ["tags"] : ["except", "tags"]),
      index,
    ]);
    report(
      fault(
        at,
        "unknown-name",
        `No operation of "${wanted.file}" has the tag "${tag}".`,
        didYouMean(tag, known) ?? `Its tags are ${anyOf(known)}.`,
      ),
    );
  }
  const tagged = (operation: Operation): boolean => operation.tags.some((tag) => tags.includes(tag));
  return all.filter((operation) => tagged(operation) === "tags" in chosen);
};

const operationRoute = (
  operation: Operation,
  route: TypedApi["routes"][number] | undefined,
  reading: ApiReading,
): RouteIr | undefined => {
  const { sources, prefix } = reading;
  const place = route?.tree.keyPlace ?? operation.place;
  const match = route?.value.match;
  if (Array.isArray(match) || (match && (match.path ?? match.pathPrefix ?? match.methods) !== undefined)) {
    sources.report(
      fault(
        placeAt(route!.tree, ["match"], true),
        "match-of-operation",
        `The path and methods of "${operation.id}" are those of its operation.`,
        "Keep only hosts, headers and query in its `match`, or give the route a name that is no operationId.",
      ),
    );
    return undefined;
  }
  const segments = template(prefix + operation.path, operation.place, sources.report);
  if (segments === undefined) return undefined;
  const hosts = hostsOf(match, route, reading);
  const matched: MatchIr = {
    hosts,
    segments,
    prefix: false,
    methods: [operation.method],
    ...conditionsOf(match),
  };
  return routeIr({
    name: operation.id,
    place,
    matches: [matched],
    route,
    reading,
    declaredQuery: operation.declaredQuery,
  });
};

const writtenRoute = (
  route: TypedApi["routes"][number],
  operations: readonly Operation[],
  reading: ApiReading,
): RouteIr | undefined => {
  const { api, sources } = reading;
  const match = route.value.match;
  if (match === undefined) {
    const ids = operations.map((operation) => operation.id);
    const remedy =
      didYouMean(route.name, ids) ??
      (api.value.openapi === undefined
        ? "Add `match:` with a path."
        : "Add `match:` with a path, or name the route after a published operation.");
    sources.report(
      fault(
        route.tree.keyPlace ?? route.tree.place,
        "match-missing",
        `The route "${route.name}" says nothing of the requests that it takes.`,
        remedy,
      ),
    );
    return undefined;
  }
  const list = Array.isArray(match) ? match : [match];
  const matches = list.flatMap(
    (one, index) =>
      writtenMatch(one, Array.isArray(match) ? ["match", index] : ["match"], route, reading) ?? [],
  );
  if (matches.length < list.length) return undefined;
  return routeIr({
    name: route.name,
    place: route.tree.keyPlace ?? route.tree.place,
    matches,
    route,
    reading,
    declaredQuery: undefined,
  });
};

const writtenMatch = (
  match: MatchDocument,
  at: Path,
  route: TypedApi["routes"][number],
  reading: ApiReading,
): MatchIr | undefined => {
  const { report } = reading.sources;
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
  const place = placeAt(route.tree, [...at, prefix ? "pathPrefix" : "path"]);
  const text = match.path ?? match.pathPrefix?.replace(/\/+$/, "") ?? "";
  const segments = template(text === "" ? "/" : text, place, report);
  if (segments === undefined) return undefined;
  if (prefix && segments.some((segment) => segment.kind !== "literal")) {
    report(
      fault(
        place,
        "bad-path",
        "A prefix holds no parameters.",
        "Write the whole path as `path: /tenants/{tenant}/{rest...}`.",
      ),
    );
    return undefined;
  }
  if (segments[0]?.kind === "literal" && "/" + segments[0].text === CONTROL_PREFIX) {
    report(
      fault(
        place,
        "reserved-path",
        `Paths below ${CONTROL_PREFIX} are the gateway's own.`,
        "Choose another path.",
      ),
    );
    return undefined;
  }
  return {
    hosts: hostsOf(match, route, reading),
    segments,
    prefix,
    methods: [...new Set(match.methods ?? [])],
    ...conditionsOf(match),
  };
};

const template = (text: string, place: Place, report: Report): readonly TemplateSegment[] | undefined => {
  const parsed = parsePathTemplate(text);
  if (typeof parsed !== "string") return parsed;
  report(
    fault(
      place,
      "bad-path",
      parsed,
      "Write segments of plain text or one {parameter} each, as in /orders/{orderId}.",
    ),
  );
  return undefined;
};

const conditionsOf = (
  match: MatchDocument | undefined,
): { headers: readonly Condition[]; query: readonly Condition[] } => {
  const conditions = (map: MatchDocument["headers"]): Condition[] =>
    Object.entries(map ?? {})
      .map(([name, value]) => (typeof value === "string" ? { name, value } : { name }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  return { headers: conditions(match?.headers), query: conditions(match?.query) };
};

/** The hosts of a match, of its api, or all of the gateway's, in this order. */
const hostsOf = (
  match: MatchDocument | undefined,
  route: Typed<unknown> | undefined,
  { api, sources }: ApiReading,
): readonly NamedHost[] => {
  const hosts = Object.entries(sources.documents.gateway?.value.hosts ?? {}).map(([name, pattern]) => ({
    name,
    pattern,
  }));
  const [names, tree, path]: [readonly string[] | undefined, Typed<unknown>, Path] =
    match?.hosts !== undefined
      ? [match.hosts, route!, ["match", "hosts"]]
      : [api.value.hosts, api, ["hosts"]];
  if (names === undefined) return hosts;
  return names.flatMap((name, index) => {
    const found = hosts.find((host) => host.name === name);
    if (found !== undefined) return [found];
    const known = hosts.map((host) => host.name);
    sources.report(
      fault(
        placeAt(tree.tree, [...path, index]),
        "unknown-name",
        `The gateway has no host named "${name}".`,
        didYouMean(name, known) ?? `Name one of ${anyOf(known)}, or add it to \`gateway.hosts\`.`,
      ),
    );
    return [];
  });
};

interface Made {
  readonly name: string;
  readonly place: Place;
  readonly matches: readonly MatchIr[];
  readonly route: TypedApi["routes"][number] | undefined;
  readonly reading: ApiReading;
  readonly declaredQuery: readonly string[] | undefined;
}

const routeIr = ({
  name,
  place,
  matches,
  route,
  reading: { api, sources, prefix },
  declaredQuery,
}: Made): RouteIr => {
  const gateway = sources.documents.gateway;
  const level = (
    kind: LevelIr["level"],
    node: string,
    part: Typed<{ public?: true | undefined }> | Typed<unknown> | undefined,
  ): LevelIr => ({
    level: kind,
    node,
    path: part?.path ?? [],
    public: kind !== "gateway" && (part?.value as { public?: true } | undefined)?.public === true,
    tree: part?.tree.entries?.get("policies"),
  });
  return {
    id: `${api.name}.${name}`,
    api: api.name,
    name,
    place,
    matches,
    params: paramsOf(matches, place, sources.report),
    declaredQuery,
    documentPrefix: declaredQuery === undefined ? "" : prefix,
    document: route?.value,
    documentPath: route?.path ?? api.path,
    apiDocument: api.value,
    apiPath: api.path,
    levels: [
      level("gateway", "gateway", gateway),
      level("api", `apis.${api.name}`, api),
      level("route", `apis.${api.name}.routes.${name}`, route),
    ],
    before: route?.value.before ?? [],
  };
};

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
