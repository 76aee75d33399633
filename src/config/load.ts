import type { z } from "zod";
import type { Diagnostic, Outcome, Place } from "../core/diagnostic.ts";
import { type ApiDocument, apiSchema } from "./documents/api.ts";
import { type ConsumerDocument, consumerSchema } from "./documents/consumer.ts";
import { type GatewayDocument, gatewaySchema } from "./documents/gateway.ts";
import { type PlanDocument, planSchema } from "./documents/plan.ts";
import { type RouteDocument, routeSchema } from "./documents/route.ts";
import { type UpstreamDocument, upstreamSchema } from "./documents/upstream.ts";
import { environmentSchema, topLevel } from "./documents.ts";
import { nearestName } from "./faults.ts";
import { mergeFiles } from "./merge.ts";
import { applyOverlay, isDevelopment } from "./overlay.ts";
import { fault, type Tree, treeAt } from "./tree.ts";
import { type Typed, type Typing, typed } from "./typing.ts";
import { parseYaml, type Source } from "./yaml.ts";

export interface TypedApi extends Typed<ApiDocument> {
  readonly routes: readonly Typed<RouteDocument>[];
}

/** The documents of one environment, as far as each part is well-formed. */
export interface Documents {
  readonly tree: Tree;
  readonly development: boolean;
  readonly gateway: Typed<GatewayDocument> | undefined;
  readonly issuers: readonly Typed<z.output<(typeof topLevel)["issuers"]>>[];
  readonly plans: readonly Typed<PlanDocument>[];
  readonly consumers: readonly Typed<ConsumerDocument>[];
  readonly upstreams: readonly Typed<UpstreamDocument>[];
  readonly apis: readonly TypedApi[];
  /** Paths of what is at fault; see `isBroken`. */
  readonly broken: ReadonlySet<string>;
}

const KNOWN = Object.keys(topLevel);

/** Parses and joins the files. Where one of them cannot be read, nothing can be said of the rest: see `isUnreadable`. */
export const readTree = (sources: readonly Source[]): Outcome<Tree> => {
  const files = sources.filter(({ file }) => !isMisnamed(file));
  const parsed = files.map((source) => parseYaml(source));
  const merged = mergeFiles(
    parsed.flatMap((outcome) => (outcome.value === undefined ? [] : [outcome.value])),
    KNOWN,
  );
  return {
    value: merged.value!,
    diagnostics: [
      ...sources.filter(({ file }) => isMisnamed(file)).map(notRead),
      ...parsed.flatMap((outcome) => outcome.diagnostics),
      ...merged.diagnostics,
    ],
  };
};

/** Whether a file was not understood at all, so that what it holds would seem to be missing everywhere. */
export const isUnreadable = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ code }) => code === "yaml-syntax");

const isMisnamed = (file: string): boolean => file.endsWith(".yml");

const notRead = ({ file }: Source): Diagnostic => ({
  ...fault(
    { file, line: 1, column: 1, endLine: 1, endColumn: 1 },
    "file-not-read",
    "This file is not read: policy files are named *.yaml.",
    "Give it the ending .yaml, or move it out of the folder.",
  ),
  severity: "warning",
});

/** Names of the environments that the documents describe. */
export const environmentNames = (tree: Tree): readonly string[] => [
  ...(treeAt(tree, ["environments"])?.entries?.keys() ?? []),
];

/** Types the documents, with one environment laid over them when it is named. */
export const typeDocuments = (base: Tree, environment: string | undefined): Outcome<Documents> => {
  const typing: Typing = { diagnostics: [], broken: new Set() };
  const overlay = environment === undefined ? undefined : treeAt(base, ["environments", environment]);
  const laid =
    overlay?.entries === undefined ? { value: base, diagnostics: [] } : applyOverlay(base, overlay);
  typing.diagnostics.push(...laid.diagnostics);
  const tree = laid.value!;
  checkTopLevel(tree, typing);
  const all = <S extends z.ZodType>(key: string, schema: S): Typed<z.output<S>>[] =>
    [...(treeAt(tree, [key])?.entries ?? [])].flatMap(
      ([name, part]) => typed(schema, part, [key, name], typing) ?? [],
    );
  all("environments", environmentSchema);
  const gateway = treeAt(tree, ["gateway"]);
  return {
    value: {
      tree,
      development: overlay !== undefined && isDevelopment(overlay),
      gateway: gateway?.entries && typed(gatewaySchema, gateway, ["gateway"], typing),
      issuers: all("issuers", topLevel.issuers),
      plans: all("plans", planSchema),
      consumers: all("consumers", consumerSchema),
      upstreams: all("upstreams", upstreamSchema),
      apis: all("apis", apiSchema).map((api) => ({ ...api, routes: typeRoutes(api, typing) })),
      broken: typing.broken,
    },
    diagnostics: typing.diagnostics,
  };
};

const typeRoutes = (api: Typed<ApiDocument>, typing: Typing): Typed<RouteDocument>[] =>
  [...(api.tree.entries?.get("routes")?.entries ?? [])].flatMap(
    ([name, part]) => typed(routeSchema, part, [...api.path, "routes", name], typing) ?? [],
  );

const checkTopLevel = (tree: Tree, typing: Typing): void => {
  for (const [key, value] of tree.entries ?? []) {
    const meant = KNOWN.includes(key) ? key : nearestName(key, KNOWN);
    if (meant !== undefined && (meant !== key || value.entries === undefined)) typing.broken.add(meant);
  }
  if (!tree.entries?.has("gateway") && !typing.broken.has("gateway")) {
    const place: Place = { ...tree.place, line: 1, column: 1, endLine: 1, endColumn: 1 };
    typing.diagnostics.push(
      fault(
        place,
        "missing-key",
        "No file describes the gateway.",
        "Add `gateway:` with at least `hosts: { public: api.example.com }`.",
      ),
    );
  }
  for (const key of KNOWN)
    if (key !== "gateway")
      for (const [name, part] of treeAt(tree, [key])?.entries ?? []) checkName(name, part, typing);
  const targets = [...(treeAt(tree, ["upstreams"])?.entries?.values() ?? [])].map((upstream) =>
    treeAt(upstream, ["targets"]),
  );
  for (const named of [treeAt(tree, ["gateway", "hosts"]), ...targets])
    for (const [name, part] of named?.entries ?? []) checkName(name, part, typing);
};

/** Names end up in ids, metrics and keys: they are plain. */
const checkName = (name: string, part: Tree, { diagnostics }: Typing): void => {
  if (!isPlainName(name)) diagnostics.push(badName(name, part.keyPlace ?? part.place));
};

/** Whether people may choose this as a name. */
export const isPlainName = (name: string): boolean => /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name);

export const badName = (name: string, place: Place): Diagnostic =>
  fault(
    place,
    "bad-name",
    `"${name}" cannot be a name here.`,
    "Begin with a letter and go on with letters, digits, hyphens and underscores.",
  );
