import { anyOf, didYouMean, nearestName } from "../config/faults.ts";
import type { Documents } from "../config/load.ts";
import { fault, placeAt, type Tree, treeAt } from "../config/tree.ts";
import type { Diagnostic, Place } from "../core/diagnostic.ts";
import type { PolicyType } from "../core/policy.ts";
import type { Attached } from "./attachments.ts";
import type { Report, RouteIr } from "./ir.ts";
import type { Leaf } from "./matcher.ts";

/** Whether a route proves who calls. */
export const isIdentified = ({ instances, broken }: Attached, types: readonly PolicyType[]): boolean =>
  types.some(
    ({ attachment, name }) => attachment === "identity" && (instances.has(name) || broken.has(name)),
  );

/** Every route proves who calls, or says that it is public. `open` are those that do neither, `routes` all of them. */
export const reportOpenRoutes = (
  open: readonly RouteIr[],
  routes: readonly RouteIr[],
  documents: Documents,
  report: Report,
): void => {
  for (const [api, own] of Map.groupBy(open, (route) => route.api)) {
    const all = routes.filter((route) => route.api === api);
    // Where none of an api's routes asks, it is the api that was forgotten.
    const isWhole = own.length === all.length && own.length > 1;
    const message = isWhole
      ? `The api "${api}" asks nobody who they are, and is not public.`
      : (id: string) => `"${id}" asks nobody who they are, and is not public.`;
    const remedy = `Attach an identity policy such as jwt to it${isWhole ? "" : ", its api"} or the gateway, or say \`public: true\`.`;
    if (typeof message === "string") {
      report(fault(placeAt(documents.tree, ["apis", api], true), "no-identity", message, remedy));
      continue;
    }
    for (const { id, place } of own) report(fault(place, "no-identity", message(id), remedy));
  }
};

/** Hosts are told apart by their names, and each has a use; the one that takes everything is for development. */
export const checkHosts = (documents: Documents, report: Report): void => {
  const { gateway, development } = documents;
  const seen = new Map<string, string>();
  for (const [name, pattern] of Object.entries(gateway?.value.hosts ?? {})) {
    const key = pattern.kind + pattern.text + (pattern.kind === "suffix" && pattern.many);
    const first = seen.get(key);
    seen.set(key, first ?? name);
    if (first !== undefined && pattern.kind !== "any") report(sameHost(first, name, gateway!.tree));
    else if (!isUsedHost(name, documents)) report(unusedHost(name, gateway!.tree));
    if (pattern.kind === "any" && !development) {
      report(
        fault(
          placeAt(gateway!.tree, ["hosts", name]),
          "development-only",
          'The host "*" takes every request, whatever it was meant for.',
          'Name the host, and write "*" only in an environment with `development: true`.',
        ),
      );
    }
  }
};

const sameHost = (first: string, second: string, tree: Tree) =>
  fault(
    placeAt(tree, ["hosts", second]),
    "duplicate-host",
    `The hosts "${first}" and "${second}" take the same requests.`,
    "Remove one of the two, or change it.",
    { related: [{ message: `"${first}" stands here.`, place: placeAt(tree, ["hosts", first]) }] },
  );

/** Only a warning: requests to it are answered 404, which is what a host that is kept for later should do. */
const unusedHost = (name: string, tree: Tree) =>
  fault(
    placeAt(tree, ["hosts", name], true),
    "unused-name",
    `No api uses the host "${name}".`,
    "Remove it, or name it in the `hosts` of an api or of a match.",
    { severity: "warning" },
  );

/** Whether some api has every host, or names this one, or may have meant to. */
const isUsedHost = (name: string, { tree, gateway }: Documents): boolean => {
  const names = Object.keys(gateway!.value.hosts);
  const named = (list: Tree | undefined): boolean =>
    list?.items?.some(({ scalar }) => nearestName(String(scalar), names) === name) ?? list !== undefined;
  const docs = treeAt(tree, ["gateway", "docs"]);
  if (docs !== undefined && named(treeAt(docs, ["hosts"]))) return true;
  const apis = [...(treeAt(tree, ["apis"])?.entries?.values() ?? [])];
  return (
    apis.length === 0 ||
    apis.some((api) => {
      const hosts = treeAt(api, ["hosts"]);
      const matches = [...(treeAt(api, ["routes"])?.entries?.values() ?? [])].flatMap((route) => {
        const match = treeAt(route, ["match"]);
        return match?.items ?? (match === undefined ? [] : [match]);
      });
      return hosts === undefined || named(hosts) || matches.some((match) => named(treeAt(match, ["hosts"])));
    })
  );
};

/** `before` names other routes by their ids: such as it meets, and that do not name it in turn. */
export const checkBefore = (
  routes: readonly RouteIr[],
  leaves: readonly Leaf[],
  documents: Documents,
  report: Report,
): void => {
  for (const route of routes) {
    for (const [index, id] of route.before.entries()) {
      const place = placeAt(documents.tree, [...route.documentPath, "before", index]);
      const other = routes.find((candidate) => candidate.id === id);
      if (other !== undefined) wrongBefore(route, other, place, leaves).forEach(report);
      else if (!isWritten(id, documents)) report(unknownRoute(id, route, routes, place));
    }
  }
};

const unknownRoute = (id: string, route: RouteIr, routes: readonly RouteIr[], place: Place): Diagnostic => {
  const ids = routes.map((candidate) => candidate.id);
  const sibling = `${route.api}.${id}`;
  return fault(
    place,
    "unknown-name",
    `There is no route "${id}".`,
    ids.includes(sibling)
      ? `Write its whole id: ${sibling}.`
      : (didYouMean(id, ids) ?? "Write the whole id of a route: api.route."),
  );
};

const wrongBefore = (
  route: RouteIr,
  other: RouteIr,
  place: Place,
  leaves: readonly Leaf[],
): readonly Diagnostic[] => {
  if (other === route)
    return [
      fault(place, "bad-value", "A route cannot go before itself.", "Remove it, or name another route."),
    ];
  const pair = `"${route.id}" and "${other.id}"`;
  if (other.before.includes(route.id)) {
    const twice = fault(
      place,
      "conflicting-keys",
      `${pair} each go before the other.`,
      "Keep one of the two.",
    );
    // Once for the two.
    return route.id < other.id ? [] : [twice];
  }
  const has = ({ candidates }: Leaf, wanted: RouteIr): boolean =>
    candidates.some((candidate) => candidate.route === wanted);
  if (leaves.some((leaf) => has(leaf, route) && has(leaf, other))) return [];
  const message = `${pair} differ in host or path: there is no tie to break.`;
  return [fault(place, "before-without-effect", message, "Remove it.", { severity: "warning" })];
};

/** Whether a route is written down, sound or not. */
const isWritten = (id: string, { tree }: Documents): boolean => {
  const [api = "", ...name] = id.split(".");
  return treeAt(tree, ["apis", api, "routes", name.join(".")]) !== undefined;
};

/** Every upstream is named by an api or a route, or it has no business here. */
export const checkUpstreams = (documents: Documents, report: Report): void => {
  const { entries: known } = treeAt(documents.tree, ["upstreams"]) ?? {};
  const names = [...(known?.keys() ?? [])];
  const apis = [...(treeAt(documents.tree, ["apis"])?.entries?.values() ?? [])];
  const nodes = apis.flatMap((api) => [api, ...(treeAt(api, ["routes"])?.entries?.values() ?? [])]);
  const isUnknown = [...documents.broken].some((path) =>
    /^apis\.[^.]+(\.routes\.[^.]+)?(\.(upstream|split|mirror|aggregate))?($|\.)/.test(path),
  );
  if (isUnknown) return;
  // What was mistyped was meant, and is told where it is named.
  const meant = new Set(nodes.flatMap(namedUpstreams).map((name) => nearestName(name, names)));
  for (const [name, tree] of known ?? []) {
    if (meant.has(name)) continue;
    report(
      fault(
        tree.keyPlace ?? tree.place,
        "unused-name",
        `No route uses the upstream "${name}".`,
        "Remove it, or name it in an api or a route.",
      ),
    );
  }
};

/** The names that an api or a route gives as those of upstreams. */
const namedUpstreams = (node: Tree): string[] => [
  String(node.entries?.get("upstream")?.scalar ?? ""),
  ...(treeAt(node, ["split", "lanes"])?.entries?.keys() ?? []),
  ...(treeAt(node, ["mirror"])?.items ?? []).map((it) => String(it.entries?.get("upstream")?.scalar ?? "")),
  ...[...(treeAt(node, ["aggregate", "calls"])?.entries?.values() ?? [])].map((it) =>
    String(it.entries?.get("upstream")?.scalar ?? ""),
  ),
];

/** A gateway without any api answers 404 to everything. */
export const checkApis = (documents: Documents, report: Report): void => {
  const { gateway, tree, broken } = documents;
  if (gateway === undefined || broken.has("apis") || (treeAt(tree, ["apis"])?.entries?.size ?? 0) > 0) return;
  report(
    fault(
      placeAt(tree, ["gateway"], true),
      "no-apis",
      "The gateway offers nothing: there is no api.",
      `Describe one under \`apis:\`, with ${anyOf(["`openapi:`", "`routes:`"])}.`,
      { severity: "warning" },
    ),
  );
};
