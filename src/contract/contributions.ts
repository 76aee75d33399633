import type { SeenRoute } from "../compiler/compile.ts";
import type { InstanceIr } from "../compiler/ir.ts";
import type { Contribution } from "../core/contribution.ts";
import type { Place } from "../core/diagnostic.ts";
import type { PolicyType } from "../core/policy.ts";
import { policyOrder } from "../policies/index.ts";

/** What one policy of a route says of itself. */
export interface Told {
  readonly policy: string;
  readonly contribution: Contribution;
  /** Undefined for the identity step of a route that has no `identity`. */
  readonly instance: InstanceIr | undefined;
  readonly place: Place;
  /** Whether a request that no route takes passes it too. */
  readonly isBeforeRoutes: boolean;
}

const IDENTITY_AT = policyOrder.findIndex(({ type }) => type.attachment === "identity");

/** What the policies of a route say of themselves, outermost first; of a guard, each instance by itself. */
export const contributionsOf = (seen: SeenRoute): readonly Told[] =>
  seen.installed.flatMap(({ type, stage }) => {
    const before =
      policyOrder.findIndex((entry) => entry.type === type && entry.stage === stage) < IDENTITY_AT;
    if (type.name !== "identity") return toldBy(type, stage, before, seen);
    const proofs = policyOrder
      .filter((entry) => seen.context.identity.policies.includes(entry.type.name))
      .flatMap((entry) => toldBy(entry.type, entry.stage, false, seen));
    // Where no `identity` is written, its words are those of what proves it.
    const own = toldBy(type, stage, false, seen).map((told) =>
      told.instance === undefined ? { ...told, place: proofs[0]?.place ?? told.place } : told,
    );
    return [...proofs, ...own];
  });

const toldBy = (type: PolicyType, stage: string, before: boolean, seen: SeenRoute): readonly Told[] => {
  const { describe } = type;
  if (describe === undefined) return [];
  const instances = seen.attached.instances.get(type.name) ?? [];
  const told = (list: readonly InstanceIr[]): Told => ({
    policy: type.name,
    contribution: describe(list as never, seen.context, stage),
    instance: list[0],
    place: list[0]?.tree.keyPlace ?? list[0]?.tree.place ?? seen.route.place,
    isBeforeRoutes: before && list.every(({ level }) => level === "gateway"),
  });
  return type.attachment === "guard" ? instances.map((instance) => told([instance])) : [told(instances)];
};
