import type { TypedApi } from "../config/load.ts";
import { fault, placeAt, treeAt } from "../config/tree.ts";
import type { ActionPlan, RoutePlan } from "../core/plan.ts";
import type { Path, PolicyType } from "../core/policy.ts";
import type { Attached } from "./attachments.ts";
import { isCopied, splitOf, written } from "./forwarding.ts";
import type { RouteIr } from "./ir.ts";
import type { ActionSite } from "./rewrites.ts";

type Site = Pick<ActionSite, "documents" | "report">;

/** What routes share of their api, looked at where all of them are known; only where none has a use for it, it has none. */
export const checkForwarding = (
  routes: readonly RouteIr[],
  plans: readonly RoutePlan[],
  identified: ReadonlySet<string>,
  site: Site,
): void => {
  for (const api of site.documents.apis) checkApi(api, site);
  const actions = new Map(plans.map(({ id, action }) => [id, action]));
  const users = (key: "split" | "mirror"): Iterable<readonly RouteIr[]> =>
    Map.groupBy(
      routes.filter((route) => (key === "split" ? splitOf(route) : written(route, key)) !== undefined),
      (route) => written(route, key)!.at.join("\0"),
    ).values();
  const areKnown = (group: readonly RouteIr[]): boolean => group.every(({ id }) => actions.has(id));
  const asksNobody = (route: RouteIr): boolean =>
    !identified.has(route.id) && route.levels.some((level) => level.public);
  for (const group of users("split")) {
    const { value, at } = splitOf(group[0]!)!;
    const split = group.filter(({ id }) => actions.get(id)?.kind === "split");
    if (value.sticky?.by !== "identity" || split.length === 0 || !areKnown(group)) continue;
    if (split.every(asksNobody)) reportNobody([...at, "sticky", "by"], site);
  }
  for (const group of users("mirror")) if (areKnown(group)) checkMirrors(group, actions, site);
};

const checkApi = (
  { name, value: { upstream, split }, path }: TypedApi,
  { documents, report }: Site,
): void => {
  if (upstream === undefined || split === undefined) return;
  report(
    fault(
      placeAt(documents.tree, [...path, "split"], true),
      "conflicting-keys",
      `The api "${name}" has "upstream" and "split".`,
      "Keep one of the two, and give the routes that differ their own.",
    ),
  );
};

const reportNobody = (at: Path, { documents, report }: Site): void =>
  report(
    fault(
      placeAt(documents.tree, at),
      "identity-key-on-public-route",
      "Nobody here is asked who they are, so there is no identity to go by.",
      "Attach an identity policy such as jwt, or write `by: cookie` with a name.",
    ),
  );

/** A mirror that no route has a use for is a mistake. */
const checkMirrors = (
  group: readonly RouteIr[],
  actions: ReadonlyMap<string, ActionPlan>,
  { documents, report }: Site,
): void => {
  const { value, at } = written(group[0]!, "mirror")!;
  const forwarded = group.flatMap(({ id, matches }) => {
    const action = actions.get(id)!;
    return action.kind === "forward" || action.kind === "split" ? [{ action, matches }] : [];
  });
  const isRead = forwarded.some(({ matches }) => matches.some(isCopied));
  for (const [index, { upstream }] of value.entries()) {
    const isUsed = forwarded.some(({ action }) => action.mirrors?.some((plan) => plan.upstream === upstream));
    const isKnown = treeAt(documents.tree, ["upstreams", upstream]) !== undefined;
    if (isUsed || !isKnown || forwarded.length === 0 || (!isRead && index > 0)) continue;
    report(
      isRead
        ? fault(
            placeAt(documents.tree, [...at, index, "upstream"]),
            "mirror-without-effect",
            `The requests go to "${upstream}" anyway.`,
            "Name another upstream, or remove this line.",
          )
        : fault(
            placeAt(documents.tree, at, true),
            "mirror-without-effect",
            "Only GET and HEAD are copied, and neither is taken here.",
            "Remove `mirror`.",
          ),
    );
  }
};

/** Header fields in which the identity policies of a route look for credentials: those that their `from` names. */
export const credentialFieldsOf = (
  { instances }: Pick<Attached, "instances">,
  types: readonly PolicyType[],
): readonly string[] => {
  const fields = types
    .filter(({ attachment }) => attachment === "identity")
    .flatMap(({ name }) => instances.get(name) ?? [])
    .flatMap(({ config }) => (config as { readonly from?: unknown }).from ?? [])
    .flatMap((from) => (from as { readonly header?: unknown }).header ?? [])
    .filter((name) => typeof name === "string");
  return [...new Set(fields)].sort();
};
