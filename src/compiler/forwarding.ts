import { anyOf, didYouMean } from "../config/faults.ts";
import { fault, placeAt } from "../config/tree.ts";
import type {
  ForwardingPlan,
  ForwardPlan,
  LanePlan,
  MirrorPlan,
  RewritePlan,
  SplitPlan,
} from "../core/plan.ts";
import type { Path } from "../core/policy.ts";
import { CREDENTIAL_FIELDS } from "../lib/http/credential-fields.ts";
import { defined } from "./defined.ts";
import type { ApiAction, MatchIr, RouteIr } from "./ir.ts";
import { type ActionSite, conflict, normalText, pathTemplate, replacePrefix } from "./rewrites.ts";
import { checkShares, compileSticky } from "./split.ts";

/** A key of a route or an api, and where it stands. */
export interface Written<K extends keyof ApiAction> {
  readonly value: NonNullable<ApiAction[K]>;
  readonly at: Path;
}

/** A key of the route, or else of its api. */
export const written = <K extends keyof ApiAction>(route: RouteIr, key: K): Written<K> | undefined => {
  const own = route.document?.[key];
  if (own !== undefined) return { value: own as NonNullable<ApiAction[K]>, at: [...route.documentPath, key] };
  const shared = route.apiDocument[key];
  return shared === undefined
    ? undefined
    : { value: shared as NonNullable<ApiAction[K]>, at: [...route.apiPath, key] };
};

/** Whether a name is that of an upstream that is described, sound or not; another is reported. */
export const isUpstream = (
  name: string,
  at: Path,
  onKey: boolean,
  { documents, report }: ActionSite,
): boolean => {
  const names = [...(documents.tree.entries?.get("upstreams")?.entries?.keys() ?? [])];
  if (names.includes(name)) return true;
  if (documents.broken.has("upstreams")) return false;
  const remedy =
    didYouMean(name, names) ??
    (names.length > 0
      ? `Name one of ${anyOf(names)}, or describe it under \`upstreams:\`.`
      : "Describe it under `upstreams:`.");
  report(
    fault(placeAt(documents.tree, at, onKey), "unknown-name", `There is no upstream "${name}".`, remedy),
  );
  return false;
};

/** What goes to one upstream, or to several lanes; undefined where that is at fault, or where none is named. */
export const compileForward = (route: RouteIr, site: ActionSite): ForwardPlan | SplitPlan | undefined => {
  const forwarding: ForwardingPlan = defined({
    timeoutMs: written(route, "timeout")?.value,
    rewrite: rewritePlan(route, site),
    mirrors: mirrorPlans(route, site),
    websocket: written(route, "websocket")?.value,
  });
  checkHostOfDiscovered(route, site);
  const split = splitOf(route);
  if (split !== undefined) return splitPlan(split.value, split.at, forwarding, site);
  const single = written(route, "upstream");
  if (single === undefined || !isUpstream(single.value, single.at, false, site)) return undefined;
  return { kind: "forward", upstream: single.value, ...forwarding };
};

/** A host in place of that of a target that a resolver found would be where the request goes, past the target. */
const checkHostOfDiscovered = (route: RouteIr, site: ActionSite): void => {
  if (route.document?.rewrite?.host === undefined) return;
  const lanes = splitOf(route)?.value.lanes;
  const names = lanes === undefined ? [written(route, "upstream")?.value] : Object.keys(lanes);
  const found = site.documents.upstreams.find(
    ({ name, value }) => names.includes(name) && value.discover !== undefined,
  );
  if (found !== undefined)
    conflict(
      route,
      site,
      ["rewrite", "host"],
      `The targets of "${found.name}" are discovered, and another host would lead past them.`,
      "Remove `host`, or list the targets.",
    );
};

/** The split that a route has: its own, or its api's where neither names an upstream that goes first. */
export const splitOf = (route: RouteIr): Written<"split"> | undefined => {
  if (route.document?.split !== undefined) return written(route, "split");
  return written(route, "upstream") === undefined ? written(route, "split") : undefined;
};

/**
 * The mirrors that have something to do on a route: it takes a method that is copied, and sends requests elsewhere. Of what
 * an api says some of its routes may have no use.
 */
const mirrorPlans = (route: RouteIr, site: ActionSite): readonly MirrorPlan[] | undefined => {
  const mirror = written(route, "mirror");
  if (mirror === undefined) return undefined;
  const own = splitOf(route) === undefined ? written(route, "upstream")?.value : undefined;
  const without = (site.credentialFields ?? []).filter((name) => !CREDENTIAL_FIELDS.has(name));
  const plans = mirror.value
    .filter(({ upstream }, index) => isUpstream(upstream, [...mirror.at, index, "upstream"], false, site))
    .filter(({ upstream }) => upstream !== own && route.matches.some(isCopied))
    .map((plan) => (without.length === 0 ? plan : { ...plan, without }));
  return plans.length === 0 ? undefined : plans;
};

/** Whether a match takes a method that is copied. */
export const isCopied = ({ methods }: MatchIr): boolean =>
  methods.length === 0 || methods.includes("GET") || methods.includes("HEAD");

const splitPlan = (
  { lanes, sticky }: NonNullable<ApiAction["split"]>,
  at: Path,
  forwarding: ForwardingPlan,
  site: ActionSite,
): SplitPlan | undefined => {
  const names = Object.keys(lanes).sort();
  const known = names.filter((name) => isUpstream(name, [...at, "lanes", name], true, site));
  const plans = names.map((upstream): LanePlan => {
    const { share, headers } = lanes[upstream]!;
    return { upstream, share, ...(headers.length > 0 && { edits: headers }) };
  });
  checkShares(plans, [...at, "lanes"], site);
  const stickyPlan = sticky && compileSticky(sticky, [...at, "sticky"], site);
  if (known.length < names.length) return undefined;
  return { kind: "split", ...forwarding, lanes: plans, ...defined({ sticky: stickyPlan }) };
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
