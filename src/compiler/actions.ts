import { anyOf, didYouMean } from "../config/faults.ts";
import { fault, placeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { ActionPlan, ForwardPlan, RedirectPlan, RespondPlan, RewritePlan } from "../core/plan.ts";
import type { MatchIr, RouteIr } from "./ir.ts";
import { type ActionSite, normalText, pathTemplate, replacePrefix, routePlace } from "./rewrites.ts";

const KINDS = ["upstream", "redirect", "respond"] as const;

/**
 * What a route does with a request that passed its policies: its own action, or its api's upstream. Undefined where it has
 * none, or where it is at fault.
 */
export const compileAction = (route: RouteIr, site: ActionSite): ActionPlan | undefined => {
  const own = KINDS.filter((kind) => route.document?.[kind] !== undefined);
  if (own.length > 1) {
    conflict(
      route,
      site,
      [own[1]!],
      `"${route.id}" has ${own.map((kind) => `"${kind}"`).join(" and ")}.`,
      "Keep exactly one of upstream, redirect and respond.",
    );
    return undefined;
  }
  const kind = own[0] ?? "upstream";
  if (kind === "upstream") return isUnknown(route, site) ? undefined : forward(route, site);
  checkForwardOnly(route, site);
  return kind === "respond" ? respond(route, site) : redirect(route, site);
};

/** Whether what the route does is written down, and at fault. */
const isUnknown = (route: RouteIr, { documents }: ActionSite): boolean =>
  KINDS.some((kind) => isBroken(documents.broken, [...route.documentPath, kind])) ||
  (route.document?.upstream === undefined && isBroken(documents.broken, [...route.apiPath, "upstream"]));

const conflict = (
  route: RouteIr,
  site: ActionSite,
  path: readonly string[],
  message: string,
  remedy: string,
): void => site.report(fault(routePlace(route, site, path, true), "conflicting-keys", message, remedy));

/** What only a request that goes to an upstream has. */
const checkForwardOnly = (route: RouteIr, site: ActionSite): void => {
  if (route.document?.rewrite !== undefined)
    conflict(
      route,
      site,
      ["rewrite"],
      `"${route.id}" rewrites a request that goes to no upstream.`,
      "Remove `rewrite`.",
    );
  if (route.document?.timeout !== undefined)
    conflict(route, site, ["timeout"], `"${route.id}" waits for no upstream.`, "Remove `timeout`.");
};

const respond = (route: RouteIr, site: ActionSite): RespondPlan => {
  const { status, headers, body } = route.document!.respond!;
  if (body !== undefined && [204, 205, 304].includes(status)) {
    site.report(
      fault(
        routePlace(route, site, ["respond", "body"], true),
        "bad-value",
        `An answer of status ${status} has no body (RFC 9110 section 15).`,
        "Remove the body, or choose another status.",
      ),
    );
  }
  return { kind: "respond", status, headers, body: body ?? null };
};

const redirect = (route: RouteIr, site: ActionSite): RedirectPlan => {
  const document = route.document!.redirect!;
  const { status, scheme, host, port, path, prefix } = document;
  if (path !== undefined && prefix !== undefined)
    conflict(
      route,
      site,
      ["redirect", "prefix"],
      "A redirect replaces the path or its prefix, not both.",
      "Remove one of the two.",
    );
  if (route.matches.some((match) => leadsBack(document, match)))
    site.report(
      fault(
        routePlace(route, site, ["redirect"], true),
        "redirect-loop",
        "This redirects requests to where this very route takes them again.",
        "Change the host or the path.",
      ),
    );
  const plan: RedirectPlan = {
    kind: "redirect",
    status,
    ...defined({ scheme, host: host?.toLowerCase(), port }),
  };
  if (path !== undefined) return { ...plan, path: pathTemplate(path, ["redirect", "path"], route, site) };
  return prefix === undefined
    ? plan
    : { ...plan, ...replacePrefix(prefix, ["redirect", "prefix"], route, site) };
};

type RedirectDocument = NonNullable<NonNullable<RouteIr["document"]>["redirect"]>;

/**
 * Whether a redirect leads requests of a match to where they came from. Another scheme or port is another place: whoever
 * redirects http to https has https end elsewhere, or says so in front of the gateway.
 */
const leadsBack = ({ host, path, prefix, scheme, port }: RedirectDocument, match: MatchIr): boolean => {
  if (scheme !== undefined || port !== undefined) return false;
  const sameHost =
    host === undefined ||
    match.hosts.some(({ pattern }) => pattern.kind === "exact" && pattern.text === host.toLowerCase());
  const own = match.segments
    .map((segment) =>
      segment.kind === "literal"
        ? `/${segment.text}`
        : segment.kind === "mixed"
          ? `/${segment.texts.map((text, index) => text + (index < segment.names.length ? `{params.${segment.names[index]}}` : "")).join("")}`
          : `/{params.${segment.name}}`,
    )
    .join("");
  const samePath = path === undefined || (!match.prefix && path === (own || "/"));
  const samePrefix = prefix === undefined || (match.prefix && prefix.replace(/\/+$/, "") === own);
  return sameHost && samePath && samePrefix;
};

/** Names of the upstreams that are described, sound or not. */
const upstreamNames = ({ documents }: ActionSite): string[] => [
  ...(documents.tree.entries?.get("upstreams")?.entries?.keys() ?? []),
];

const forward = (route: RouteIr, site: ActionSite): ForwardPlan | undefined => {
  const own = route.document?.upstream;
  const name = own ?? route.apiDocument.upstream;
  if (name === undefined) return undefined;
  const names = upstreamNames(site);
  if (!names.includes(name)) {
    const path = [...(own === undefined ? route.apiPath : route.documentPath), "upstream"];
    if (!site.documents.broken.has("upstreams"))
      site.report(
        fault(
          placeAt(site.documents.tree, path),
          "unknown-name",
          `There is no upstream "${name}".`,
          didYouMean(name, names) ??
            (names.length > 0
              ? `Name one of ${anyOf(names)}, or describe it under \`upstreams:\`.`
              : "Describe it under `upstreams:`."),
        ),
      );
    return undefined;
  }
  const timeoutMs = route.document?.timeout ?? route.apiDocument.timeout;
  const rewrite = rewritePlan(route, site);
  return { kind: "forward", upstream: name, ...defined({ timeoutMs, rewrite }) };
};

/** Routes that nothing answers; those of one api that has no upstream at all are one mistake. */
export const checkActions = (routes: readonly RouteIr[], site: Omit<ActionSite, "identified">): void => {
  const told = new Set<string>();
  for (const route of routes) {
    const { documents } = site;
    const answered =
      KINDS.some((kind) => route.document?.[kind] !== undefined) || route.apiDocument.upstream !== undefined;
    if (answered || isUnknown(route, { ...site, identified: false })) continue;
    const alone = routes.every(
      (other) => other.api !== route.api || other === route || other.document?.upstream !== undefined,
    );
    const place = alone ? route.place : placeAt(documents.tree, route.apiPath, true);
    if (!alone && told.has(route.api)) continue;
    told.add(route.api);
    site.report(
      fault(
        place,
        "action-missing",
        alone
          ? `Nothing answers the requests of "${route.id}".`
          : `Nothing answers the requests of "${route.id}" and other routes of this api.`,
        alone
          ? "Give it, or its api, one of upstream, redirect and respond."
          : "Give the api an `upstream:`, or each of its routes one of upstream, redirect and respond.",
      ),
    );
  }
};

const rewritePlan = (route: RouteIr, site: ActionSite): RewritePlan | undefined => {
  const { path, prefix, host } = route.document?.rewrite ?? {};
  const common = defined({ host: host?.toLowerCase() });
  if (path !== undefined && prefix !== undefined)
    conflict(
      route,
      site,
      ["rewrite", "prefix"],
      "A rewrite replaces the path or its prefix, not both.",
      "Remove one of the two.",
    );
  if (path !== undefined) return { ...common, path: pathTemplate(path, ["rewrite", "path"], route, site) };
  if (prefix !== undefined)
    return { ...common, ...replacePrefix(prefix, ["rewrite", "prefix"], route, site) };
  if (route.documentPrefix !== "")
    return { ...common, strip: normalText(route.documentPrefix)?.length ?? 0, prefix: "" };
  return host === undefined ? undefined : common;
};

/** The members of an object that are there, for plans without holes. */
export const defined = <T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
