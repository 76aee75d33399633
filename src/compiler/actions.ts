import { fault, placeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { ActionPlan, RedirectPlan, RespondPlan } from "../core/plan.ts";
import { linkRegex } from "../lib/regex/run.ts";
import { compileAggregate } from "./aggregate.ts";
import { defined } from "./defined.ts";
import { compileForward } from "./forwarding.ts";
import type { MatchIr, RouteIr } from "./ir.ts";
import { type ActionSite, conflict, pathTemplate, replacePrefix, routePlace } from "./rewrites.ts";

const KINDS = ["upstream", "split", "aggregate", "redirect", "respond"] as const;

const ALL_KINDS = "upstream, split, aggregate, redirect and respond";

/**
 * What a route does with a request that passed its policies: its own action, or its api's upstream. Undefined where it has
 * none, or where it is at fault.
 */
export const compileAction = (route: RouteIr, site: ActionSite): ActionPlan | undefined => {
  if (route.action !== undefined) return route.action;
  const own = KINDS.filter((kind) => route.document?.[kind] !== undefined);
  if (own.length > 1) {
    conflict(
      route,
      site,
      [own[1]!],
      `"${route.id}" has ${own.map((kind) => `"${kind}"`).join(" and ")}.`,
      `Keep exactly one of ${ALL_KINDS}.`,
    );
    return undefined;
  }
  const kind = own[0] ?? "upstream";
  if (kind === "upstream" || kind === "split") {
    checkWebSocket(route, site);
    return isUnknown(route, site) ? undefined : compileForward(route, site);
  }
  checkForwardOnly(route, kind === "aggregate", site);
  if (kind === "aggregate") return compileAggregate(route, site);
  return kind === "respond" ? respond(route, site) : redirect(route, site);
};

/** Whether what the route does is written down, and at fault. */
const isUnknown = (route: RouteIr, { documents }: ActionSite): boolean =>
  KINDS.some((kind) => isBroken(documents.broken, [...route.documentPath, kind])) ||
  (route.document?.upstream === undefined &&
    route.document?.split === undefined &&
    (["upstream", "split"] as const).some((kind) => isBroken(documents.broken, [...route.apiPath, kind])));

/** A WebSocket is opened by GET (RFC 6455 section 4.1). */
const checkWebSocket = (route: RouteIr, site: ActionSite): void => {
  if (route.document?.websocket === undefined) return;
  const opens = route.matches.some(({ methods }) => methods.length === 0 || methods.includes("GET"));
  if (opens || route.matches.length === 0) return;
  conflict(
    route,
    site,
    ["websocket"],
    `"${route.id}" does not take GET, by which a WebSocket is opened.`,
    "Add GET to its methods, or remove `websocket`.",
  );
};

/** What only a request that goes to an upstream has; what an api says so is meant for its other routes. */
const checkForwardOnly = (route: RouteIr, isAggregate: boolean, site: ActionSite): void => {
  const tell = (key: "rewrite" | "timeout" | "mirror" | "websocket", what: string): void => {
    if (route.document?.[key] !== undefined)
      conflict(route, site, [key], `"${route.id}" ${what}.`, `Remove \`${key}\`.`);
  };
  if (isAggregate) {
    tell("rewrite", "rewrites a request that does not go on: its calls have paths of their own");
    tell("mirror", "copies a request that does not go on: its calls are not copied");
    tell("websocket", "opens no WebSocket, for it answers with what its calls bring");
    return;
  }
  tell("rewrite", "rewrites a request that goes to no upstream");
  tell("timeout", "waits for no upstream");
  tell("mirror", "copies a request that goes to no upstream");
  tell("websocket", "opens no WebSocket, for it goes to no upstream");
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
  if (route.matches.some((match) => leadsBack(document, match))) reportLoop(document, route, site);
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
 * Whoever names a place means another one. Whoever names none may count on something else to change by then, as a cookie
 * does, and only the client can tell whether it ever ends.
 */
const reportLoop = ({ host, path, prefix }: RedirectDocument, route: RouteIr, site: ActionSite): void => {
  const isPlaced = (host ?? path ?? prefix) !== undefined;
  site.report(
    fault(
      routePlace(route, site, ["redirect"], true),
      "redirect-loop",
      "This redirects requests to where this very route takes them again.",
      isPlaced ? "Change the host or the path." : "Name another scheme, host or path.",
      { severity: isPlaced ? "error" : "warning" },
    ),
  );
};

/** The method with which a redirect is followed (RFC 9110 sections 15.4.2 to 15.4.4, as browsers do it). */
const followedBy = (status: number, method: string): string =>
  status === 303 || (status < 303 && method === "POST") ? "GET" : method;

/**
 * Whether a redirect leads requests of a match to where they came from. Another scheme or port is another place: whoever
 * redirects http to https has https end elsewhere, or says so in front of the gateway.
 */
const leadsBack = (
  { status, host, path, prefix, scheme, port }: RedirectDocument,
  match: MatchIr,
): boolean => {
  if (scheme !== undefined || port !== undefined) return false;
  const { methods } = match;
  if (methods.length > 0 && !methods.some((method) => methods.includes(followedBy(status, method))))
    return false;
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
  const samePath =
    path === undefined ||
    (match.regex === undefined
      ? !match.prefix && path === (own || "/")
      : linkRegex(match.regex.automaton)(path));
  const samePrefix = prefix === undefined || (match.prefix && prefix.replace(/\/+$/, "") === own);
  return sameHost && samePath && samePrefix;
};

/** Routes that nothing answers; those of one api that has no upstream at all are one mistake. */
export const checkActions = (routes: readonly RouteIr[], site: Omit<ActionSite, "identified">): void => {
  const told = new Set<string>();
  for (const route of routes) {
    const { documents } = site;
    const answered =
      route.action !== undefined ||
      KINDS.some((kind) => route.document?.[kind] !== undefined) ||
      route.apiDocument.upstream !== undefined ||
      route.apiDocument.split !== undefined;
    if (answered || isUnknown(route, { ...site, identified: false })) continue;
    const alone = routes.every(
      (other) =>
        other.api !== route.api ||
        other === route ||
        KINDS.some((kind) => other.document?.[kind] !== undefined),
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
          ? `Give it, or its api, one of ${ALL_KINDS}.`
          : `Give the api an \`upstream:\`, or each of its routes one of ${ALL_KINDS}.`,
      ),
    );
  }
};
