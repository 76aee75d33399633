import { hostText, segmentText } from "../../src/compiler/explain/match-words.ts";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readSources } from "../../src/adapters/node/files.ts";
import { balancerFiles } from "../../src/balancers/index.ts";
import { compileTree, type Sources } from "../../src/compiler/compile.ts";
import { emit } from "../../src/compiler/emit.ts";
import type { Condition, MatchIr, RouteIr } from "../../src/compiler/ir.ts";
import { normalizeRoutes } from "../../src/compiler/routes.ts";
import { type Documents, readTree, typeDocuments } from "../../src/config/load.ts";
import { plainValue } from "../../src/config/tree.ts";
import type { Source } from "../../src/config/yaml.ts";

// What stands at each waist between the text and the Worker's entry, for sets of policies that are sound.
// `UPDATE=1 npx vitest run test/golden` writes the files anew: what changed in them is what changed in the language.

const ROOT = path.resolve(import.meta.dirname, "../..");
const FOLDER = path.join(import.meta.dirname, "waists");
const UPDATE = process.env["UPDATE"] !== undefined;

const SETS: readonly [name: string, folder: string, environment: string | undefined][] = [
  ["shop-local", ROOT, "local"],
  ["shop-production", ROOT, "production"],
  ["everything-production", path.join(FOLDER, "everything"), "production"],
  ["everything-local", path.join(FOLDER, "everything"), "local"],
];

const sourcesOf = async (folder: string): Promise<Sources> => {
  const read = await readSources(path.join(folder, "policies"), path.join(folder, "openapi"));
  const relative = (source: Source): Source => ({ ...source, file: path.relative(folder, source.file) });
  return {
    policies: read.policies.map(relative),
    openapi: new Map([...read.openapi].map(([file, source]) => [file, relative(source)])),
  };
};

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

const documentsOf = ({ development, gateway, issuers, upstreams, apis }: Documents): unknown => ({
  development,
  gateway: gateway?.value,
  issuers: Object.fromEntries(issuers.map(({ name, value }) => [name, value])),
  upstreams: Object.fromEntries(upstreams.map(({ name, value }) => [name, value])),
  apis: Object.fromEntries(
    apis.map(({ name, value, routes }) => [
      name,
      { ...value, routes: Object.fromEntries(routes.map((route) => [route.name, route.value])) },
    ]),
  ),
});

const matchText = ({ hosts, segments, prefix, regex, methods, headers, query }: MatchIr): string => {
  const conditions = (sign: string, list: readonly Condition[]): string =>
    list
      .map(({ name, value, regex: wanted }) => {
        const text = value === undefined ? "" : `=${value}`;
        return ` ${sign}${name}${wanted === undefined ? text : `~${wanted.text}`}`;
      })
      .join("");
  const pathText = regex !== undefined ? `~${regex.text}` : `/${segments.map(segmentText).join("/")}${prefix ? " and below" : ""}`;
  const hostNames = hosts.map(({ name, pattern }) => `${name} (${hostText(pattern)})`).join(", ");
  return `${methods.join("|") || "any"} ${pathText}${conditions("?", query)}${conditions("-H ", headers)} on ${hostNames}`;
};

const routeText = (route: RouteIr): string =>
  [
    route.id,
    `  stands at ${route.place.file}:${route.place.line}:${route.place.column}`,
    ...route.matches.map((match) => `  takes     ${matchText(match)}`),
    ...(route.params.length > 0 ? [`  params    ${route.params.join(", ")}`] : []),
    ...(route.declaredQuery === undefined ? [] : [`  query     ${route.declaredQuery.join(", ") || "none"}`]),
    ...(route.documentPrefix === "" ? [] : [`  prefix    ${route.documentPrefix}`]),
    ...(route.before.length > 0 ? [`  before    ${route.before.join(", ")}`] : []),
    ...route.levels.map(
      ({ level, tree, public: open }) =>
        `  ${level.padEnd(9)} ${open ? "public " : ""}${[...(tree?.entries ?? [])].map(([name, { scalar }]) => (scalar === "none" ? `${name}: none` : name)).join(", ") || "-"}`,
    ),
    "",
  ].join("\n");

/** Every waist of a set, by the name of its golden file. */
const waistsOf = (sources: Sources, environment: string | undefined): Record<string, string> => {
  const tree = readTree(sources.policies).value!;
  const documents = typeDocuments(tree, environment).value!;
  const found: unknown[] = [];
  const routes = normalizeRoutes({
    documents,
    openapi: (file) => sources.openapi.get(file),
    openapiFiles: [...sources.openapi.keys()],
    report: (diagnostic) => found.push(diagnostic),
  });
  const { value: plan, diagnostics } = compileTree(tree, sources, environment);
  expect([...found, ...diagnostics]).toEqual([]);
  return {
    "1-tree.json": json(plainValue(documents.tree)),
    "2-documents.json": json(documentsOf(documents)),
    "3-routes.txt": routes.map(routeText).join("\n"),
    "4-plan.json": json(plan),
    "5-gateway.ts.txt": emit(plan!, { source: "../src", balancerFiles })["gateway.ts"],
  };
};

describe.each(SETS)("%s", (name, folder, environment) => {
  const waists = sourcesOf(folder).then((sources) => waistsOf(sources, environment));

  it.each(["1-tree.json", "2-documents.json", "3-routes.txt", "4-plan.json", "5-gateway.ts.txt"])(
    "has the %s that is expected",
    async (file) => {
      const golden = path.join(FOLDER, name, file);
      const text = (await waists)[file]!;
      if (UPDATE) {
        mkdirSync(path.dirname(golden), { recursive: true });
        writeFileSync(golden, text);
      }
      expect(existsSync(golden), golden).toBe(true);
      expect(text).toBe(readFileSync(golden, "utf8"));
    },
  );
});
