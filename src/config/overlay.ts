import type { Diagnostic, Outcome } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { policyOrder } from "../policies/index.ts";
import { kindOf } from "../policies/shapes.ts";
import { didYouMean, nearestName, pathText } from "./faults.ts";
import { fault, plainValue, type Tree } from "./tree.ts";

/** Keys of an environment that are not an overlay. */
const OWN_KEYS = ["development"];

/** Guards that say who may come in; the others count, and their numbers may differ. */
const DECIDING = new Set(["authorize", "ipAccess", "geoAccess"]);

const types = policyOrder.map(({ type }) => type);
/** Policies that an overlay of a real environment may not change at all. */
const IDENTITY = new Set(
  types
    .filter(({ name, attachment }) => attachment === "identity" || name === "identity" || DECIDING.has(name))
    .map(({ name }) => name),
);
/** Policies whose numbers it may change, but which it may not drop. */
const LIMITS = new Set(
  types
    .filter(({ name, attachment }) => (attachment === "guard" && !IDENTITY.has(name)) || name === "csrf")
    .map(({ name }) => name),
);

/** Whether an environment is a development machine's; one that mistyped the word is no real one either. */
export const isDevelopment = (environment: Tree): boolean =>
  [...(environment.entries ?? [])].some(
    ([key, value]) => value.scalar === true && nearestName(key, OWN_KEYS) === "development",
  );

/**
 * Lays an environment over the document. It changes values at places that exist; outside development it can neither open
 * a route nor take identity, authorization or a limit away. Maps are joined, everything else is replaced. What it may not
 * change stays as it was.
 */
export const applyOverlay = (base: Tree, environment: Tree): Outcome<Tree> => {
  const diagnostics: Diagnostic[] = [];
  const laying: Laying = { path: [], development: isDevelopment(environment), diagnostics };
  const overlay: Tree = {
    ...environment,
    entries: new Map([...(environment.entries ?? [])].filter(([key]) => !OWN_KEYS.includes(key))),
  };
  // An environment is no place of the gateway, and cannot hold another one.
  const { entries = new Map<string, Tree>() } = base;
  const places = new Map([...entries].filter(([key]) => key !== "environments"));
  const laid = lay({ ...base, entries: places }, overlay, laying);
  const environments = entries.get("environments");
  if (environments === undefined) return { value: laid, diagnostics };
  return {
    value: { ...laid, entries: new Map([...(laid.entries ?? []), ["environments", environments]]) },
    diagnostics,
  };
};

interface Laying {
  readonly path: Path;
  readonly development: boolean;
  readonly diagnostics: Diagnostic[];
}

const lay = (base: Tree, over: Tree, laying: Laying): Tree => {
  if (base.entries === undefined || over.entries === undefined) return replace(base, over, laying);
  const entries = new Map(base.entries);
  for (const [key, value] of over.entries) {
    const below = { ...laying, path: [...laying.path, key] };
    const known = entries.get(key);
    const rival = addressRival(laying.path, key);
    if (known !== undefined) entries.set(key, lay(known, value, below));
    else if (rival !== undefined && entries.has(rival)) {
      entries.delete(rival);
      entries.set(key, value);
    } else if (laying.development && isSetting(below.path)) entries.set(key, value);
    else if (!laying.development && isProtected(below.path))
      laying.diagnostics.push(protection(value, below));
    else laying.diagnostics.push(newPlace(value, below, [...entries.keys()]));
  }
  return { ...base, entries };
};

const newPlace = (over: Tree, { path }: Laying, known: readonly string[]): Diagnostic =>
  fault(
    over.keyPlace ?? over.place,
    "overlay-new-place",
    `An environment changes values that exist, and "${pathText(path)}" does not.`,
    path[0] === "environments"
      ? "Write it beside the others, directly under `environments:`."
      : (didYouMean(String(path[path.length - 1]), path.length === 1 ? [...known, ...OWN_KEYS] : known) ??
          "Write the key outside of `environments` first, then change its value here."),
  );

/** In development settings may be added; names (routes, upstreams, …) may not, so that what is tested is what is deployed. */
const isSetting = (path: Path): boolean =>
  !(path.length === 2 && path[0] !== "gateway") &&
  !(path.length === 4 && path[2] === "routes") &&
  path.length > 1;

/** Pairs of keys of which one stands for the other, by the length of the path to them. */
const RIVALS: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  2: { targets: "discover", discover: "targets" },
  4: { url: "binding", binding: "url" },
};

/**
 * A target's address is one place, whether it is written as a binding or as a URL; so are an upstream's targets, listed or
 * discovered.
 */
const addressRival = (path: Path, key: string): string | undefined =>
  path[0] === "upstreams" && (path.length === 2 || path[2] === "targets")
    ? RIVALS[path.length]?.[key]
    : undefined;

const replace = (base: Tree, over: Tree, laying: Laying): Tree => {
  if (laying.path.length < 2) {
    laying.diagnostics.push(notAMap(over, laying));
    return base;
  }
  if (!laying.development && weakens(base, over, laying.path)) {
    laying.diagnostics.push(protection(over, laying));
    return base;
  }
  return { ...over, ...(base.keyPlace && { keyPlace: over.keyPlace ?? base.keyPlace }), laidOver: true };
};

const notAMap = (over: Tree, { path }: Laying): Diagnostic =>
  fault(
    over.place,
    "wrong-type",
    `"${pathText(path)}" is a map, not ${kindOf(plainValue(over))}.`,
    "Write below it what differs, or remove it.",
  );

/** The policy in whose settings a path leads. */
const policyOf = (path: Path): string => {
  const at = path.indexOf("policies");
  return at < 0 ? "" : String(path[at + 1]);
};

/** Whether a place decides who may do what. */
const isProtected = (path: Path): boolean =>
  (path[0] === "apis" && path[path.length - 1] === "public" && !path.includes("policies")) ||
  IDENTITY.has(policyOf(path));

const weakens = (base: Tree, over: Tree, path: Path): boolean => {
  if (isProtected(path)) return true;
  if (!LIMITS.has(policyOf(path))) return false;
  if (path[path.length - 1] === "dryRun") return over.scalar !== false;
  return base.entries !== undefined || (base.items !== undefined && dropsLimit(base.items, over.items ?? []));
};

/** Whether a limit is not there any more, or counts something else than it did. */
const dropsLimit = (base: readonly Tree[], over: readonly Tree[]): boolean => {
  const identity = (limit: Tree): string =>
    JSON.stringify(
      ["name", "key", "count"]
        .map((key) => limit.entries?.get(key))
        .map((part) => [
          part?.scalar,
          [...(part?.entries ?? [])].map(([name, value]) => [name, value.scalar]),
        ]),
    );
  const kept = new Set(over.map(identity));
  return base.some((limit) => !kept.has(identity(limit)));
};

const protection = (over: Tree, { path }: Laying): Diagnostic =>
  fault(
    over.keyPlace ?? over.place,
    "overlay-protected",
    `An environment cannot change "${pathText(path)}": it decides who may do what.`,
    "Change it outside of `environments`, where it holds everywhere, or mark the environment `development: true`.",
  );
