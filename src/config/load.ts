import type { z } from "zod";
import type { Diagnostic, Outcome, Place } from "../core/diagnostic.ts";
import type { Path } from "../core/policy.ts";
import {
  type ApiDocument,
  apiSchema,
  environmentSchema,
  type GatewayDocument,
  gatewaySchema,
  type RouteDocument,
  routeSchema,
  topLevel,
  type UpstreamDocument,
  upstreamSchema,
} from "./documents.ts";
import { anyOf, didYouMean, zodFaults } from "./faults.ts";
import { mergeFiles } from "./merge.ts";
import { applyOverlay } from "./overlay.ts";
import { keysAt } from "./schema-keys.ts";
import { fault, plainValue, type Tree, treeAt } from "./tree.ts";
import { parseYaml, type Source } from "./yaml.ts";

/** A part of the documents that has its type, and still knows where it stands. */
export interface Typed<T> {
  readonly name: string;
  readonly value: T;
  readonly tree: Tree;
  readonly path: Path;
}

export interface TypedApi extends Typed<ApiDocument> {
  readonly routes: readonly Typed<RouteDocument>[];
}

/** The documents of one environment, as far as each part is well-formed. */
export interface Documents {
  readonly tree: Tree;
  readonly development: boolean;
  readonly gateway: Typed<GatewayDocument> | undefined;
  readonly issuers: readonly Typed<z.output<(typeof topLevel)["issuers"]>>[];
  readonly upstreams: readonly Typed<UpstreamDocument>[];
  readonly apis: readonly TypedApi[];
}

/** Parses and joins the files; the first half of `loadDocuments`, for those who need the names of environments. */
export const readTree = (sources: readonly Source[]): Outcome<Tree> => {
  const parsed = sources.map(parseYaml);
  const merged = mergeFiles(
    parsed.flatMap((outcome) => (outcome.value === undefined ? [] : [outcome.value])),
  );
  return {
    value: merged.value!,
    diagnostics: [...parsed.flatMap((outcome) => outcome.diagnostics), ...merged.diagnostics],
  };
};

/** Names of the environments that the documents describe. */
export const environmentNames = (tree: Tree): readonly string[] => [
  ...(treeAt(tree, ["environments"])?.entries?.keys() ?? []),
];

/** Types the documents, with one environment laid over them when it is named. */
export const typeDocuments = (base: Tree, environment: string | undefined): Outcome<Documents> => {
  const diagnostics: Diagnostic[] = [];
  const overlay = environment === undefined ? undefined : treeAt(base, ["environments", environment]);
  const laid =
    overlay?.entries === undefined ? { value: base, diagnostics: [] } : applyOverlay(base, overlay);
  diagnostics.push(...laid.diagnostics);
  const tree = laid.value!;
  checkTopLevel(tree, diagnostics);
  const all = <S extends z.ZodType>(key: string, schema: S): Typed<z.output<S>>[] =>
    [...(treeAt(tree, [key])?.entries ?? [])].flatMap(
      ([name, part]) => typed(schema, part, [key, name], name, diagnostics) ?? [],
    );
  all("environments", environmentSchema);
  const gatewayTree = treeAt(tree, ["gateway"]);
  return {
    value: {
      tree,
      development: overlay !== undefined && treeAt(overlay, ["development"])?.scalar === true,
      gateway: gatewayTree && typed(gatewaySchema, gatewayTree, ["gateway"], "gateway", diagnostics),
      issuers: all("issuers", topLevel.issuers),
      upstreams: all("upstreams", upstreamSchema),
      apis: all("apis", apiSchema).map((api) => ({ ...api, routes: typeRoutes(api, diagnostics) })),
    },
    diagnostics,
  };
};

const typeRoutes = (api: Typed<ApiDocument>, diagnostics: Diagnostic[]): Typed<RouteDocument>[] =>
  [...(api.tree.entries?.get("routes")?.entries ?? [])].flatMap(
    ([name, part]) => typed(routeSchema, part, [...api.path, "routes", name], name, diagnostics) ?? [],
  );

const checkTopLevel = (tree: Tree, diagnostics: Diagnostic[]): void => {
  const known = Object.keys(topLevel);
  for (const [key, value] of tree.entries ?? []) {
    if (!known.includes(key)) {
      diagnostics.push(
        fault(
          value.keyPlace ?? value.place,
          "unknown-key",
          `"${key}" is not a key of a policy file.`,
          didYouMean(key, known) ?? `Write one of ${anyOf(known)}.`,
        ),
      );
    } else if (value.entries === undefined) {
      diagnostics.push(
        fault(
          value.place,
          "wrong-type",
          `"${key}" is a map.`,
          key === "gateway"
            ? "Write the gateway's settings below it."
            : "Write names below it, and what they stand for below these.",
        ),
      );
    }
  }
  if (!tree.entries?.has("gateway")) {
    const place: Place = { ...tree.place, line: 1, column: 1, endLine: 1, endColumn: 1 };
    diagnostics.push(
      fault(
        place,
        "missing-key",
        "No file describes the gateway.",
        "Add `gateway:` with at least `hosts: { public: api.example.com }`.",
      ),
    );
  }
  for (const key of known)
    if (key !== "gateway")
      for (const [name, part] of treeAt(tree, [key])?.entries ?? []) checkName(name, part, diagnostics);
};

/** Names end up in ids, metrics and keys: they are plain. */
const checkName = (name: string, part: Tree, diagnostics: Diagnostic[]): void => {
  if (/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) return;
  diagnostics.push(
    fault(
      part.keyPlace ?? part.place,
      "bad-name",
      `"${name}" cannot be a name here.`,
      "Begin with a letter and go on with letters, digits, hyphens and underscores.",
    ),
  );
};

/** Types one part by its schema; faults are added to the diagnostics and undefined is answered. */
export const typed = <S extends z.ZodType>(
  schema: S,
  tree: Tree,
  path: Path,
  name: string,
  diagnostics: Diagnostic[],
): Typed<z.output<S>> | undefined => {
  const result = schema.safeParse(plainValue(tree));
  if (result.success) return { name, value: result.data, tree, path };
  diagnostics.push(...zodFaults(result.error, tree, (at) => keysAt(schema, at), path));
  return undefined;
};
