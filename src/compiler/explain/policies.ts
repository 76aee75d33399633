import { placeAt, plainValue } from "../../config/tree.ts";
import type { Place } from "../../core/diagnostic.ts";
import type { Level } from "../../core/policy.ts";
import { type OrderedPolicy, policyOrder } from "../../policies/index.ts";
import type { InstanceIr, LevelIr } from "../ir.ts";
import type { Anatomy } from "./anatomy.ts";

/** A policy that a request meets. */
export interface ExplainedPolicy {
  readonly policy: string;
  /** Where one works at two points, which of them this is. */
  readonly stage?: string;
  /** False for one that is attached and has nothing to do here. */
  readonly runs: boolean;
  /** Where it stands; absent for what follows from other policies. */
  readonly level?: Level;
  readonly node?: string;
  readonly place?: Place;
  /** How it came here, in words. */
  readonly how: string;
  /** As it is written, with what it inherits. */
  readonly config?: unknown;
}

/** A policy of an outer level that does not hold here. */
export interface RemovedPolicy {
  readonly policy: string;
  readonly stands: Place;
  readonly removedAt: Place;
  readonly by: "none" | "public";
}

export interface ExplainedPolicies {
  /** In the order in which they run. */
  readonly policies: readonly ExplainedPolicy[];
  readonly removed: readonly RemovedPolicy[];
}

const names = policyOrder.map(({ type }) => type.name);

/** The policies at some levels whose steps are a chain of the plan. */
export const explainPolicies = (
  anatomy: Anatomy,
  levels: readonly LevelIr[],
  chain: readonly number[],
): ExplainedPolicies => {
  const { instances } = anatomy.attachedAt(levels);
  const steps = chain.map((index) => anatomy.plan.steps[index]!.policy);
  const points = pointsOf(steps);
  const identifying = policyOrder
    .filter(({ type }) => type.attachment === "identity" && instances.has(type.name))
    .map(({ type }) => type.name);
  const policies = policyOrder.flatMap((point, index): ExplainedPolicy[] => {
    const { name } = point.type;
    const list = instances.get(name) ?? [];
    const runs = point.type.attachment === "identity" || points.has(index);
    // What has nothing to do at either of its points is told once.
    if (!runs && (steps.includes(name) || names.indexOf(name) !== index)) return [];
    if (!runs && list.length === 0) return [];
    const stage = points.get(index) === "certain" && isTwofold(name) ? { stage: point.stage } : {};
    if (list.length === 0)
      return point.type.attachment === "identity"
        ? []
        : [{ policy: name, ...stage, runs, how: implicit(point, identifying) }];
    return list.map((instance) => ({ ...stage, ...told(anatomy, levels, instance, point), runs }));
  });
  return { policies, removed: removedFrom(anatomy, levels) };
};

const isTwofold = (name: string): boolean => names.indexOf(name) !== names.lastIndexOf(name);

/** Where in the order the steps of a chain stand: `certain` where there is one way only to see it. */
const pointsOf = (steps: readonly string[]): ReadonlyMap<number, "certain" | "open"> => {
  const early: number[] = [];
  let at = 0;
  for (const name of steps) early.push((at = names.indexOf(name, at) + 1) - 1);
  const late: number[] = [];
  at = names.length - 1;
  for (const name of steps.toReversed()) late.unshift((at = names.lastIndexOf(name, at) - 1) + 1);
  return new Map(early.map((point, index) => [point, point === late[index] ? "certain" : "open"] as const));
};

const implicit = ({ type }: OrderedPolicy, identifying: readonly string[]): string =>
  type.name === "identity"
    ? `follows from ${identifying.join(" and ")}: ${identifying.length > 1 ? "all of them have to pass" : "it has to pass"}`
    : type.elsewhere === undefined
      ? "follows from other policies"
      : "other routes have it: this one forgets what its requests change of theirs";

const told = (
  anatomy: Anatomy,
  levels: readonly LevelIr[],
  instance: InstanceIr,
  { type }: OrderedPolicy,
): Omit<ExplainedPolicy, "runs"> => {
  const { level, node, tree } = instance;
  const place = tree.keyPlace ?? tree.place;
  const config = plainValue(tree);
  return { policy: type.name, level, node, place, how: howCame(anatomy, levels, instance, type), config };
};

const howCame = (
  anatomy: Anatomy,
  levels: readonly LevelIr[],
  { level, node }: InstanceIr,
  { name, attachment }: OrderedPolicy["type"],
): string => {
  const at = levels.findIndex((one) => one.node === node);
  const outer = anatomy.attachedAt(levels.slice(0, at)).instances.get(name) ?? [];
  const inherited = at === levels.length - 1 ? "" : level === "gateway" ? "from the gateway" : "from the api";
  if (outer.length === 0) return inherited || "written here";
  const first = outer[0]!;
  const its = `that of ${first.level === "gateway" ? "the gateway" : "the api"}`;
  if (attachment === "guard") return [inherited, `holds beside ${its}`].filter(Boolean).join(", ");
  const keeps = levels[at]!.tree?.entries?.get(name)?.entries?.get("inherit")?.scalar === true;
  return [inherited, keeps ? `adds to the keys of ${its}` : `replaces ${its}`].filter(Boolean).join(", ");
};

/** What stands at an outer level and was taken away by an inner one. */
const removedFrom = (anatomy: Anatomy, levels: readonly LevelIr[]): RemovedPolicy[] =>
  levels.flatMap((level, index) => {
    const before = anatomy.attachedAt(levels.slice(0, index)).instances;
    const after = anatomy.attachedAt(levels.slice(0, index + 1)).instances;
    return [...before].flatMap(([policy, lost]) => {
      const kept = new Set([level.node, ...lost.map(({ node }) => node)]);
      if (after.get(policy)?.some(({ node }) => kept.has(node))) return [];
      const tree = level.tree?.entries?.get(policy);
      const removedAt = tree?.place ?? placeAt(anatomy.documents.tree, [...level.path, "public"], true);
      const by = tree === undefined ? "public" : "none";
      return lost.map((instance) => ({
        policy,
        stands: instance.tree.keyPlace ?? instance.tree.place,
        removedAt,
        by,
      }));
    });
  });
