import type { SeenRoute } from "../compiler/compile.ts";
import type { Condition, MatchIr, NamedHost } from "../compiler/ir.ts";
import { METHODS } from "../config/openapi/grammar.ts";
import { segmentNames, type TemplateSegment } from "../lib/path-template.ts";
import type { JsonObject } from "./json.ts";

/** One path and method in public, and the route that takes it. */
export interface Target {
  readonly seen: SeenRoute;
  readonly match: MatchIr;
  /** In lower case, as OpenAPI has it. */
  readonly method: string;
  readonly path: string;
  /** Names of its path parameters in public, by those that the route has. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly hosts: readonly NamedHost[];
}

/** What is said of a route that cannot be described, or not wholly. */
export interface Note {
  readonly route: string;
  readonly text: string;
}

/**
 * The paths and methods of all routes, each once, in the order of their paths. Where several routes share one, the first without
 * conditions stands for it. What OpenAPI has no words for is told.
 */
export const targetsOf = (
  routes: readonly SeenRoute[],
): { targets: readonly Target[]; notes: readonly Note[] } => {
  const notes: Note[] = [];
  // The page and the description themselves are for whoever reads them, and no part of the API.
  const offered = routes.filter(({ plan }) => plan.action.kind !== "asset");
  const found = offered.flatMap((seen) =>
    seen.route.matches.flatMap((match) => {
      const methods = methodsOf(seen, match);
      const why = unspeakable(match, methods);
      if (why !== undefined) {
        notes.push({ route: seen.route.id, text: `${why}, which OpenAPI cannot say: it is left out.` });
        return [];
      }
      const path = pathText(match.segments);
      return methods.flatMap((method): Target[] => {
        const known = (METHODS as readonly string[]).includes(method.toLowerCase());
        if (!known) notes.push({ route: seen.route.id, text: `OpenAPI does not know the method ${method}.` });
        return known
          ? [{ seen, match, method: method.toLowerCase(), path, renamed: new Map(), hosts: match.hosts }]
          : [];
      });
    }),
  );
  return { targets: choose(renameAll(found), notes), notes };
};

/** What is joined of several answers is for GET alone; see `runtime/aggregate`. */
const methodsOf = ({ plan }: SeenRoute, { methods }: MatchIr): readonly string[] =>
  methods.length === 0 && plan.action.kind === "aggregate" ? ["GET"] : methods;

const unspeakable = (
  { regex, prefix, segments }: MatchIr,
  methods: readonly string[],
): string | undefined => {
  if (regex !== undefined) return "It takes paths by a regular expression";
  if (prefix) return "It takes every path with a prefix";
  if (segments.some(({ kind }) => kind === "rest")) return "It takes what remains of a path";
  return methods.length === 0 ? "It takes any method" : undefined;
};

const pathText = (segments: readonly TemplateSegment[]): string => `/${segments.map(segmentText).join("/")}`;

const segmentText = (segment: TemplateSegment): string =>
  segment.kind === "literal"
    ? segment.text
    : segment.kind === "mixed"
      ? segment.texts
          .map((text, index) => text + (segment.names[index] ? `{${segment.names[index]}}` : ""))
          .join("")
      : `{${segment.name}}`;

/** Paths that differ in the names of their parameters only are one path: the first gives the names. */
const renameAll = (targets: readonly Target[]): readonly Target[] => {
  const first = new Map<string, Target>();
  return targets.map((target) => {
    const shape = target.path.replaceAll(/\{[^}]*\}/g, "{}");
    const known = first.get(shape) ?? target;
    first.set(shape, known);
    if (known.path === target.path) return target;
    const names = target.match.segments.flatMap(segmentNames);
    const others = known.match.segments.flatMap(segmentNames);
    return {
      ...target,
      path: known.path,
      renamed: new Map(names.map((name, index) => [name, others[index]!])),
    };
  });
};

const choose = (targets: readonly Target[], notes: Note[]): readonly Target[] => {
  const groups = new Map<string, Target[]>();
  for (const target of targets) {
    const key = `${target.path} ${target.method}`;
    groups.set(key, [...(groups.get(key) ?? []), target]);
  }
  return [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, group]) => {
      const [chosen, ...others] = group.toSorted((one, other) => conditionCount(one) - conditionCount(other));
      for (const { seen, method, path } of others)
        if (seen !== chosen!.seen)
          notes.push({
            route: seen.route.id,
            text: `${method.toUpperCase()} ${path} is described as ${chosen!.seen.route.id}, which takes it under other conditions or on other hosts.`,
          });
      return chosen!;
    });
};

const conditionCount = ({ match }: Target): number => match.headers.length + match.query.length;

/** Parameters that a route's conditions ask for. */
export const conditionParameters = ({ headers, query }: MatchIr): readonly JsonObject[] => [
  ...headers.map((condition) => parameterOf(condition, "header")),
  ...query.map((condition) => parameterOf(condition, "query")),
];

const parameterOf = ({ name, value }: Condition, place: "header" | "query"): JsonObject => ({
  name,
  in: place,
  required: true,
  description: "Which requests are meant.",
  schema: { type: "string", ...(value !== undefined && { const: value }) },
});
