import { anyOf, didYouMean } from "../config/faults.ts";
import { fault, placeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { AssetContent, AssetPlan, DocsPlan } from "../core/asset-plan.ts";
import type { Place } from "../core/diagnostic.ts";
import type { HostPattern } from "../lib/host-pattern.ts";
import { defined } from "./defined.ts";
import type { NamedHost, RouteIr, RouteSources } from "./ir.ts";
import { levelsOf } from "./levels.ts";
import { pathSegments } from "./matches.ts";

/** Stands for an api in the ids of the routes to the page; no api can be called so. */
export const DOCS_API = "-docs";

const AT = ["gateway", "docs"];

/** The routes to the page and to the description, where the gateway publishes them; the gateway's policies hold for them. */
export const docsRoutes = (sources: RouteSources): readonly RouteIr[] => {
  const docs = sources.documents.gateway?.value.docs;
  if (docs === undefined || isBroken(sources.documents.broken, [...AT])) return [];
  const hosts = hostsOf(sources);
  const at = (key: string): Place => placeAt(sources.documents.tree, [...AT, key], true);
  const route = (content: AssetContent, place: Place, paths: readonly string[]): RouteIr[] => {
    const matches = paths.flatMap((path) => {
      const segments = pathSegments(path, place, sources.report);
      const nothing = { prefix: false, methods: ["GET"], headers: [], query: [] };
      return segments === undefined ? [] : [{ hosts, segments, ...nothing }];
    });
    return matches.length === 0 ? [] : [routeIr(content, place, matches, sources)];
  };
  return [
    ...route("page", at("path"), [docs.path]),
    ...route("parts", at("path"), [`${docs.path}/{file}`]),
    ...route("description", at("openapi"), [`${docs.openapi}.json`, `${docs.openapi}.yaml`]),
  ];
};

/** What the plan says of the page and the description as a whole. */
export const docsPlan = ({ documents }: Pick<RouteSources, "documents">): DocsPlan | undefined => {
  const docs = documents.gateway?.value.docs;
  return docs && { path: docs.path, openapi: docs.openapi, ...defined({ title: docs.title }) };
};

const routeIr = (
  content: AssetContent,
  place: Place,
  matches: RouteIr["matches"],
  { documents }: RouteSources,
): RouteIr => ({
  id: `${DOCS_API}.${content}`,
  api: DOCS_API,
  name: content,
  place,
  matches,
  params: content === "parts" ? ["file"] : [],
  declaredQuery: undefined,
  operation: undefined,
  documentPrefix: "",
  document: undefined,
  documentPath: AT,
  apiDocument: {},
  apiPath: AT,
  levels: [
    ...levelsOf(documents),
    { level: "api", node: AT.join("."), path: AT, public: true, tree: undefined, broken: false },
  ],
  before: [],
  action: assetPlan(content, Object.values(documents.gateway!.value.hosts)),
});

/** A name of a part changes with what is in it; page and description are asked for again each time. */
const assetPlan = (content: AssetContent, hosts: readonly HostPattern[]): AssetPlan => ({
  kind: "asset",
  content,
  files: {},
  cacheControl: content === "parts" ? "public, max-age=31536000, immutable" : "no-cache",
  edits: [
    { op: "set", name: "x-content-type-options", value: "nosniff" },
    ...(content === "page"
      ? ([
          { op: "set", name: "content-security-policy", value: pagePolicy(hosts) },
          { op: "set", name: "referrer-policy", value: "no-referrer" },
        ] as const)
      : []),
  ],
});

/**
 * The page's Content-Security-Policy: scripts, styles and calls of its own origin, and calls of the gateway's hosts, which the
 * description names as servers. Images may stand in the style sheet itself.
 */
const pagePolicy = (hosts: readonly HostPattern[]): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...new Set(hosts.flatMap(originOf))].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");

const originOf = (host: HostPattern): string[] => {
  if (host.kind === "any") return [];
  return [`https://${host.kind === "suffix" ? "*" : ""}${host.text}`];
};

/** The hosts of the page; one that the gateway does not have is reported. */
const hostsOf = ({ documents, report }: RouteSources): readonly NamedHost[] => {
  const { hosts, docs } = documents.gateway!.value;
  const all = Object.entries(hosts).map(([name, pattern]): NamedHost => ({ name, pattern }));
  const names = docs!.hosts ?? Object.keys(hosts);
  return names.flatMap((name, index) => {
    const found = all.find((host) => host.name === name);
    if (found !== undefined) return [found];
    const known = Object.keys(hosts);
    report(
      fault(
        placeAt(documents.tree, [...AT, "hosts", index]),
        "unknown-name",
        `The gateway has no host named "${name}".`,
        didYouMean(name, known) ?? `Name one of ${anyOf(known)}, or add it to \`gateway.hosts\`.`,
      ),
    );
    return [];
  });
};
