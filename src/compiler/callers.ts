import { nearestName } from "../config/faults.ts";
import type { Documents } from "../config/load.ts";
import { fault, type Tree, treeAt } from "../config/tree.ts";
import { policyOrder } from "../policies/index.ts";
import { areCallersBroken } from "./consumers.ts";
import type { Report } from "./ir.ts";
import { writtenLevels } from "./levels.ts";

/** The plan of callers without identity; nobody has to name it. */
const ANONYMOUS = "anonymous";

/** Policies that know consumers by their keys. */
const BY_KEY = ["apiKey", "basicAuth"];

/** Every consumer is let in somewhere, every plan is somebody's, and some limit holds callers to their plans. */
export const checkCallers = (documents: Documents, used: ReadonlySet<string>, report: Report): void => {
  checkConsumers(documents, used, report);
  checkPlans(documents, report);
};

const checkConsumers = (documents: Documents, used: ReadonlySet<string>, report: Report): void => {
  const consumers = treeAt(documents.tree, ["consumers"])?.entries ?? new Map<string, Tree>();
  const meant = consumersInText(documents, consumers);
  for (const [name, tree] of consumers) {
    if (used.has(name) || meant(name, tree)) continue;
    report(
      fault(
        tree.keyPlace ?? tree.place,
        "unused-name",
        `No policy lets the consumer "${name}" in.`,
        isKeyed(tree)
          ? "Remove it, or attach a policy that takes its keys: `apiKey: {}`."
          : `Remove it, or give it a key: \`postern key new ${name}\`.`,
      ),
    );
  }
};

/** Whether policies take a consumer's key, or were meant to, whether what they stand in is sound or not. */
const consumersInText = (
  documents: Documents,
  consumers: ReadonlyMap<string, Tree>,
): ((name: string, tree: Tree) => boolean) => {
  const levels = writtenLevels(documents).flat();
  // Where keys are stored, one may be there for anybody.
  const areStored = treeAt(documents.tree, ["gateway", "stores", "consumers"])?.scalar === "redis";
  const isUnknown = levels.some(
    ({ broken, tree }) => broken || [...(tree?.entries?.keys() ?? [])].some((name) => !isPolicy(name)),
  );
  if (isUnknown || areCallersBroken(documents)) return () => true;
  const policies = levels
    .flatMap(({ tree }) => BY_KEY.flatMap((name) => tree?.entries?.get(name) ?? []))
    .filter(({ scalar }) => scalar !== "none");
  // That nobody has a key is told where one is asked for.
  const hasKeys = [...consumers.values()].some(isKeyed);
  const named = namesIn(policies, "consumers", [...consumers.keys()]);
  const plans = namesIn(policies, "plans", [...(treeAt(documents.tree, ["plans"])?.entries?.keys() ?? [])]);
  const all = policies.some((policy) => !policy.entries?.has("consumers") && !policy.entries?.has("plans"));
  return (name, tree) =>
    (isKeyed(tree) || areStored || (!hasKeys && policies.length > 0)) &&
    (all || named(name) || plans(String(tree.entries?.get("plan")?.scalar)));
};

const isKeyed = (consumer: Tree): boolean => (treeAt(consumer, ["keys"])?.items?.length ?? 0) > 0;

/** Whether the lists of policies name something, or may have meant it. */
const namesIn = (
  policies: readonly Tree[],
  key: string,
  known: readonly string[],
): ((name: string) => boolean) => {
  const words = policies.flatMap((policy) => treeAt(policy, [key])?.items ?? []);
  const meant = words.map(({ scalar }) => nearestName(String(scalar), known));
  return (name) => meant.includes(name) || meant.includes(undefined);
};

const isPolicy = (name: string): boolean => policyOrder.some(({ type }) => type.name === name);

const checkPlans = (documents: Documents, report: Report): void => {
  const plans = treeAt(documents.tree, ["plans"]);
  if (plans?.entries === undefined || areCallersBroken(documents)) return;
  const callers = ["consumers", "issuers"].flatMap((key) => [
    ...(treeAt(documents.tree, [key])?.entries?.values() ?? []),
  ]);
  const known = [...plans.entries.keys()];
  const named = new Set(
    callers.map((caller) => nearestName(String(caller.entries?.get("plan")?.scalar), known)),
  );
  for (const [name, tree] of plans.entries) {
    if (name === ANONYMOUS || named.has(name)) continue;
    report(
      fault(
        tree.keyPlace ?? tree.place,
        "unused-name",
        `Nobody has the plan "${name}".`,
        "Remove it, or name it as the `plan` of a consumer or an issuer.",
      ),
    );
  }
  const areCounted = isHeldTo(documents, "quota");
  for (const [name, tree] of plans.entries) {
    const quota = tree.entries?.get("quota");
    if (quota === undefined || areCounted) continue;
    report(
      fault(
        quota.keyPlace ?? quota.place,
        "quota-without-effect",
        `Nothing holds callers to the quota of the plan "${name}".`,
        "Add `quota: { limits: [{ name: quota, quota: plan, key: identity }] }` where they call, or remove it.",
        { severity: "warning" },
      ),
    );
  }
  if (plans.entries.size === 0 || isHeldTo(documents, "rate")) return;
  report(
    fault(
      plans.keyPlace ?? plans.place,
      "plans-without-limit",
      "No limit holds callers to their plans.",
      "Add `rateLimit: { limits: [{ name: plan, rate: plan, key: identity }] }` where they call.",
      { severity: "warning" },
    ),
  );
};

/** Whether some limit takes the rate or the quota of each caller's plan, or may. */
const isHeldTo = (documents: Documents, what: "rate" | "quota"): boolean =>
  writtenLevels(documents)
    .flat()
    .some(
      ({ broken, tree }) =>
        broken ||
        treeAt(tree, [what === "rate" ? "rateLimit" : what, "limits"])?.items?.some(
          (limit) => limit.entries?.get(what)?.scalar === "plan",
        ),
    );
