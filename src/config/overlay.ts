import type { Diagnostic, Outcome } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import { didYouMean } from "./faults.ts";
import { fault, plainValue, type Tree, treeAt } from "./tree.ts";

/** Keys of an environment that are not an overlay. */
const OWN_KEYS = new Set(["development"]);
/** Policies that an overlay of a real environment may not change at all. */
const IDENTITY = new Set([
  "jwt",
  "apiKey",
  "basicAuth",
  "hmac",
  "clientCertificate",
  "introspection",
  "forwardAuth",
  "identity",
  "authorize",
  "ipAccess",
  "geoAccess",
]);
/** Policies whose numbers it may change, but which it may not drop. */
const LIMITS = new Set(["rateLimit", "quota", "concurrency"]);

/**
 * Lays an environment over the document. It changes values at places that exist; outside development it can neither open
 * a route nor take identity, authorization or a limit away. Maps are joined, everything else is replaced.
 */
export const applyOverlay = (base: Tree, environment: Tree): Outcome<Tree> => {
  const diagnostics: Diagnostic[] = [];
  const development = treeAt(environment, ["development"])?.scalar === true;
  const overlay: Tree = {
    ...environment,
    entries: new Map([...(environment.entries ?? [])].filter(([key]) => !OWN_KEYS.has(key))),
  };
  const value = lay(base, overlay, { path: [], development, diagnostics });
  return { value, diagnostics };
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
    if (known !== undefined) {
      entries.set(key, lay(known, value, below));
      continue;
    }
    const rival = addressRival(laying.path, key);
    if (rival !== undefined && entries.has(rival)) {
      entries.delete(rival);
      entries.set(key, value);
    } else if (laying.development && isSetting(below.path)) {
      entries.set(key, value);
    } else {
      laying.diagnostics.push(
        fault(
          value.keyPlace ?? value.place,
          "overlay-new-place",
          `An environment changes values that exist, and "${below.path.join(".")}" does not.`,
          didYouMean(key, [...entries.keys()]) ??
            "Write the key outside of `environments` first, then change its value here.",
        ),
      );
    }
  }
  return { ...base, entries };
};

/** In development settings may be added; names (routes, upstreams, …) may not, so that what is tested is what is deployed. */
const isSetting = (path: Path): boolean =>
  !(path.length === 2 && path[0] !== "gateway") &&
  !(path.length === 4 && path[2] === "routes") &&
  path.length > 1;

/** A target's address is one place, whether it is written as a binding or as a URL. */
const addressRival = (path: Path, key: string): string | undefined =>
  path.length === 4 && path[0] === "upstreams" && path[2] === "targets"
    ? ({ url: "binding", binding: "url" } as Record<string, string>)[key]
    : undefined;

const replace = (base: Tree, over: Tree, laying: Laying): Tree => {
  if (!laying.development && weakens(base, over, laying.path))
    laying.diagnostics.push(protection(over, laying));
  return base.keyPlace === undefined ? over : { ...over, keyPlace: over.keyPlace ?? base.keyPlace };
};

const weakens = (base: Tree, over: Tree, path: Path): boolean => {
  if (path[0] === "apis" && path[path.length - 1] === "public") return true;
  const at = path.indexOf("policies");
  const policy = at < 0 ? "" : String(path[at + 1]);
  if (IDENTITY.has(policy)) return true;
  if (!LIMITS.has(policy)) return false;
  const shorter = base.items !== undefined && (over.items?.length ?? 0) < base.items.length;
  return over.scalar === "none" || shorter || path[path.length - 1] === "dryRun";
};

const protection = (over: Tree, { path }: Laying): Diagnostic =>
  fault(
    over.keyPlace ?? over.place,
    "overlay-protected",
    `An environment cannot change "${path.join(".")}" to ${JSON.stringify(plainValue(over))}: it decides who may do what.`,
    "Change it outside of `environments`, where it holds everywhere, or mark the environment `development: true`.",
  );
