import { pointerOf } from "../config/openapi/pointer.ts";
import { placeAt } from "../config/tree.ts";
import type { ContributedLimit } from "../core/contribution.ts";
import type { Place } from "../core/diagnostic.ts";
import type { Json } from "../core/json.ts";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { Told } from "./contributions.ts";
import { withoutGaps } from "./json.ts";
import type { OperationSite } from "./operations.ts";
import type { SchemeNames } from "./security.ts";
import type { Target } from "./targets.ts";

/** What OpenAPI has no words for: the route, its limits, and how its answers are stored. */
export const factsOf = (
  { seen }: Target,
  told: readonly Told[],
  at: readonly string[],
  { places, schemes }: OperationSite,
): Json => {
  const written = told.flatMap((one) =>
    (one.contribution.limits ?? []).map((limit) => ({ limit, place: limitPlace(limit, one) })),
  );
  // A policy that works at two points may say the same twice.
  const limits = [...new Map(written.map((one) => [canonicalJson(one), one])).values()];
  for (const [index, { place }] of limits.entries())
    places.set(pointerOf([...at, "x-postern", "limits", String(index)]), place);
  const cache = told.find(({ contribution }) => contribution.cache !== undefined);
  if (cache !== undefined) places.set(pointerOf([...at, "x-postern", "cache"]), cache.place);
  return withoutGaps({
    route: seen.route.id,
    scopes: scopesOf(told, schemes, (name, place) =>
      places.set(pointerOf([...at, "x-postern", "scopes", name]), place),
    ),
    limits: limits.length > 0 ? (limits.map(({ limit }) => limit) as unknown as Json) : undefined,
    cache: cache?.contribution.cache as unknown as Json | undefined,
  });
};

/** Scopes by scheme: those of schemes by tokens have no place in a security requirement that all readers know. */
const scopesOf = (
  told: readonly Told[],
  names: SchemeNames,
  mark: (name: string, place: Place) => void,
): Json | undefined => {
  const entries = told.flatMap(({ contribution, instance, place }) =>
    Object.entries(contribution.security ?? {}).flatMap(([name, scheme]) => {
      const { scopes, anyScope = [] } = scheme;
      if (scopes.length + anyScope.length === 0) return [];
      const asked = {
        ...(scopes.length > 0 && { all: [...scopes].sort() }),
        ...(anyScope.length > 0 && { any: [...anyScope].sort() }),
      };
      mark(
        names.nameOf(name, scheme),
        instance === undefined ? place : placeAt(instance.tree, ["scopes"], true),
      );
      return [[names.nameOf(name, scheme), asked] as const];
    }),
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

/** Where a limit stands: the entry of its name in a list, or the key that it is named after. */
const limitPlace = (limit: ContributedLimit, { instance, place }: Told): Place => {
  if (instance === undefined) return place;
  const items = instance.tree.entries?.get("limits")?.items ?? [];
  const named =
    "name" in limit
      ? items.find((item) => item.entries?.get("name")?.scalar === limit.name.split(" of the plan ")[0])
      : undefined;
  if (named !== undefined) return named.place;
  const key = { body: "max", origins: "origins", concurrency: "max" }[limit.kind as string];
  return key === undefined ? place : placeAt(instance.tree, [key]);
};
