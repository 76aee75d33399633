import type { Documents } from "../config/load.ts";
import { treeAt } from "../config/tree.ts";
import { isBroken } from "../config/typing.ts";
import type { Path } from "../core/policy.ts";
import type { LevelIr } from "./ir.ts";

/** The levels at which policies of a route, of an api, or of the gateway are attached, outermost first. */
export const levelsOf = (documents: Documents, api?: string, route?: string): readonly LevelIr[] => [
  levelAt(documents, "gateway", ["gateway"]),
  ...(api === undefined ? [] : [levelAt(documents, "api", ["apis", api])]),
  ...(api === undefined || route === undefined
    ? []
    : [levelAt(documents, "route", ["apis", api, "routes", route])]),
];

/** The levels of every node that is written, whether a request can reach it or not. */
export const writtenLevels = (documents: Documents): readonly (readonly LevelIr[])[] => [
  levelsOf(documents),
  ...[...(treeAt(documents.tree, ["apis"])?.entries ?? [])].flatMap(([api, { entries }]) => [
    levelsOf(documents, api),
    ...[...(entries?.get("routes")?.entries?.keys() ?? [])].map((route) => levelsOf(documents, api, route)),
  ]),
];

const levelAt = (documents: Documents, level: LevelIr["level"], path: Path): LevelIr => {
  const tree = treeAt(documents.tree, path);
  const policies = tree?.entries?.get("policies");
  return {
    level,
    node: path.join("."),
    path,
    public: level !== "gateway" && tree?.entries?.get("public")?.scalar === true,
    tree: policies?.entries === undefined ? undefined : policies,
    broken: ["policies", "public"].some((key) => isBroken(documents.broken, [...path, key])),
  };
};
