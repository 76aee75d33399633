import { nearestName } from "../config/faults.ts";
import type { Documents } from "../config/load.ts";
import { fault, placeAt, type Tree, treeAt } from "../config/tree.ts";
import type { Expression } from "../core/expression.ts";
import type { Fault, IssuerInfo } from "../core/policy.ts";
import { policyOrder } from "../policies/index.ts";
import { compileIssuer, issuerInfo } from "../policies/jwt/issuer.ts";
import type { Report } from "./ir.ts";
import { writtenLevels } from "./levels.ts";

/** The issuers of the documents, and which of them only stand in for one that could not be typed. */
export interface Issuers {
  readonly infos: ReadonlyMap<string, IssuerInfo>;
  readonly broken: ReadonlySet<string>;
}

/** Every issuer that is described, by name in the order of their letters. */
export const issuersOf = (documents: Documents, report: Report): Issuers => {
  const infos = new Map<string, IssuerInfo>();
  const broken = new Set<string>();
  const trees = [...(treeAt(documents.tree, ["issuers"])?.entries ?? [])];
  for (const [name, tree] of trees.sort(([one], [other]) => (one < other ? -1 : 1))) {
    const typed = documents.issuers.find((issuer) => issuer.name === name);
    if (typed !== undefined && !documents.broken.has(`issuers.${name}`)) {
      if (typed.value.jwks === "local" && !documents.development) report(localIssuer(tree));
      infos.set(name, issuerInfo(name, compileIssuer(name, typed.value), typed.value));
    } else {
      infos.set(name, standIn(name, tree));
      broken.add(name);
    }
  }
  return { infos, broken };
};

const localIssuer = (tree: Tree) =>
  fault(
    placeAt(tree, ["jwks"]),
    "development-only",
    "The local issuer is for development.",
    "Write the key set's address, and `jwks: local` in an environment with `development: true`.",
  );

/** For an issuer at fault: its name, and the claims that can be read, so that nobody says that it is not there. */
const standIn = (name: string, tree: Tree): IssuerInfo => ({
  name,
  issuer: name,
  audiences: [],
  algorithms: [],
  claims: Object.fromEntries(
    [...(treeAt(tree, ["claims"])?.entries ?? [])].map(([claim, { scalar }]) => [claim, String(scalar)]),
  ),
  plan: { subjects: name },
});

/** Every issuer is named somewhere, or it has no business here. */
export const checkIssuers = (documents: Documents, used: ReadonlySet<string>, report: Report): void => {
  const named = issuersInText(documents);
  for (const [name, tree] of treeAt(documents.tree, ["issuers"])?.entries ?? []) {
    if (!named.all && !used.has(name) && !named.names.has(name))
      report(
        fault(
          tree.keyPlace ?? tree.place,
          "unused-name",
          `No policy uses the issuer "${name}".`,
          "Remove it, or name it in a jwt policy.",
        ),
      );
  }
};

const isPolicy = (name: string): boolean => policyOrder.some(({ type }) => type.name === name);

/** Issuers that policies name, or were meant to, whether what they stand in is sound or not. */
const issuersInText = (
  documents: Documents,
): { readonly names: ReadonlySet<string>; readonly all: boolean } => {
  const known = [...(treeAt(documents.tree, ["issuers"])?.entries?.keys() ?? [])];
  const names = new Set<string>();
  let all = false;
  for (const level of writtenLevels(documents).flat()) {
    const policies = [...(level.tree?.entries?.keys() ?? [])];
    // Where something cannot be read, it may name whatever it likes.
    if (level.broken || policies.some((name) => !isPolicy(name))) all = true;
    const jwt = level.tree?.entries?.get("jwt");
    if (jwt === undefined) continue;
    const written = jwt.entries?.get("issuers");
    if (written === undefined && jwt.entries?.get("inherit") === undefined && jwt.scalar !== "none")
      all = true;
    for (const { scalar } of written?.items ?? []) names.add(nearestName(String(scalar), known) ?? "");
  }
  return { names, all };
};

/** Subjects of issuers that are not joined are names of different people, even where they are spelled alike. */
export const UNJOINED_SUBJECTS: Fault = {
  code: "unjoined-subjects",
  message:
    "Two issuers may sign the tokens of this route, and the same subject may be another person at each.",
  remedy:
    "Compare identity.id or identity.issuer too, or say with `subjects:` at one issuer that it names the same people as the other.",
};

/** Whether an expression reads the subject of callers whose issuers name their people each for themselves. */
export const comparesUnjoinedSubjects = (
  expression: Expression,
  asked: ReadonlySet<string>,
  issuers: ReadonlyMap<string, IssuerInfo>,
): boolean => {
  const families = new Set(
    [...asked].map(
      (name) => (issuers.get(name)?.plan as { subjects?: string } | undefined)?.subjects ?? name,
    ),
  );
  if (families.size < 2) return false;
  const text = JSON.stringify(expression);
  const reads = (...trees: Expression[]): boolean =>
    trees.some((tree) => text.includes(JSON.stringify(tree)));
  return (
    reads(["name", "identity.subject"], ["at", ["name", "claims"], "sub"]) &&
    !reads(["name", "identity.issuer"], ["name", "identity.id"], ["at", ["name", "claims"], "iss"])
  );
};
