import type { ReportDifference } from "./change.ts";
import type { PlacedOperation } from "./operations.ts";
import { type Schema, schemaOf, textsOf } from "./schema-references.ts";

/** One way to be let in: schemes that are all needed, with the scopes that each must bring. */
type Way = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Compares how callers prove who they are (OpenAPI 3.1 section 4.8.30). A caller who was let in by one of the old ways must be
 * let in by some new way that asks for no more.
 */
export const compareSecurity = (
  base: PlacedOperation,
  head: PlacedOperation,
  report: ReportDifference,
): void => {
  const before = waysOf(base);
  const after = waysOf(head);
  const pointers = { base: `${base.pointer}/security`, head: `${head.pointer}/security` };
  for (const way of before) {
    if (after.some((other) => asksNoMore(other, way))) continue;
    const near = after.find((other) => sameSchemes(other, way));
    if (near !== undefined)
      report({
        id: "scope-added",
        severity: "breaking",
        message: `Callers with ${wordsOf(way)} now need ${wordsOf(near)}.`,
        ...pointers,
      });
    else if (way.size === 0)
      report({
        id: "security-added",
        severity: "breaking",
        message: `Callers must now prove who they are: ${after.map(wordsOf).join(", or ")}.`,
        ...pointers,
      });
    else
      report({
        id: "security-removed",
        severity: "breaking",
        message: `Callers with ${wordsOf(way)} are no longer let in.`,
        ...pointers,
      });
  }
  for (const way of after) {
    if (before.some((other) => asksNoMore(way, other) || asksNoMore(other, way))) continue;
    report({
      id: "security-alternative-added",
      severity: "compatible",
      message: `Callers with ${wordsOf(way)} are let in too.`,
      ...pointers,
    });
  }
  compareScopes(base, head, report);
  compareSchemes(base, head, before, report);
};

/** What tokens must bring beside what `security` can say: of the one list any, of the other all. */
interface Scopes {
  readonly any: readonly string[];
  readonly all: readonly string[];
}

const scopesOf = ({ json }: PlacedOperation): ReadonlyMap<string, Scopes> =>
  new Map(
    Object.entries(schemaOf(schemaOf(json["x-postern"])["scopes"])).map(([scheme, scopes]) => [
      scheme,
      { any: textsOf(schemaOf(scopes)["any"]), all: textsOf(schemaOf(scopes)["all"]) },
    ]),
  );

/** Whoever had no more scopes than were asked for must be let in still. */
const compareScopes = (base: PlacedOperation, head: PlacedOperation, report: ReportDifference): void => {
  const before = scopesOf(base);
  for (const [scheme, now] of scopesOf(head)) {
    const old = before.get(scheme) ?? { any: [], all: [] };
    const enough = (old.any.length === 0 ? [[]] : old.any.map((scope) => [scope])).map((one) => [
      ...old.all,
      ...one,
    ]);
    const refused = enough.find((scopes) => !lets(now, scopes));
    if (refused === undefined) continue;
    report({
      id: "scope-added",
      severity: "breaking",
      message: `Callers with ${refused.length === 0 ? "no scope" : refused.join(" and ")} now need ${needOf(now)} (${scheme}).`,
      base: `${base.pointer}/x-postern/scopes/${scheme}`,
      head: `${head.pointer}/x-postern/scopes/${scheme}`,
    });
  }
};

const lets = ({ any, all }: Scopes, scopes: readonly string[]): boolean =>
  all.every((scope) => scopes.includes(scope)) &&
  (any.length === 0 || any.some((scope) => scopes.includes(scope)));

const needOf = ({ any, all }: Scopes): string =>
  [...all, ...(any.length === 0 ? [] : [any.join(" or ")])].join(" and ");

/** What the operation says, else the document; saying nothing lets everybody in. */
const waysOf = ({ json, document }: PlacedOperation): readonly Way[] => {
  const list = json["security"] ?? schemaOf(document)["security"];
  if (!Array.isArray(list) || list.length === 0) return [new Map()];
  return list.map(
    (way) =>
      new Map(Object.entries(schemaOf(way)).map(([scheme, scopes]) => [scheme, new Set(textsOf(scopes))])),
  );
};

const asksNoMore = (way: Way, than: Way): boolean =>
  [...way].every(([scheme, scopes]) => {
    const known = than.get(scheme);
    return known !== undefined && [...scopes].every((scope) => known.has(scope));
  });

const sameSchemes = (one: Way, other: Way): boolean =>
  one.size === other.size && [...one.keys()].every((scheme) => other.has(scheme));

const wordsOf = (way: Way): string =>
  way.size === 0
    ? "nothing"
    : [...way]
        .map(([scheme, scopes]) => (scopes.size === 0 ? scheme : `${scheme} (${[...scopes].join(" ")})`))
        .join(" and ");

/** A scheme of the same name may have become another: the key is sent in another field, the token by another issuer. */
const compareSchemes = (
  base: PlacedOperation,
  head: PlacedOperation,
  ways: readonly Way[],
  report: ReportDifference,
): void => {
  const schemesOf = (document: PlacedOperation["document"]): Schema =>
    schemaOf(schemaOf(schemaOf(document)["components"])["securitySchemes"]);
  const before = schemesOf(base.document);
  const after = schemesOf(head.document);
  for (const name of new Set(ways.flatMap((way) => [...way.keys()]))) {
    const old = schemaOf(before[name]);
    const now = schemaOf(after[name]);
    if (after[name] === undefined || FACTS.every((fact) => old[fact] === now[fact])) continue;
    report({
      id: "security-scheme-changed",
      severity: "breaking",
      message: `Callers show ${name} in another way.`,
      base: `/components/securitySchemes/${name}`,
      head: `/components/securitySchemes/${name}`,
    });
  }
};

const FACTS = ["type", "in", "name", "scheme", "openIdConnectUrl"];
