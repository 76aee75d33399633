import type { CandidatePlan, HostPlan, MatcherPlan, PathLeaf, PathNode } from "../core/plan.ts";
import { type HostPattern, hostCovers, hostSpecificity } from "../lib/host-pattern.ts";
import { segmentNames, type TemplateSegment } from "../lib/path-template.ts";
import type { MatchIr, RouteIr } from "./ir.ts";
import { candidateOrder } from "./precedence.ts";

/** A candidate while the trees are built. */
export interface Candidate {
  readonly index: number;
  readonly route: RouteIr;
  readonly match: MatchIr;
}

/** A place where candidates meet: the same host pattern and the same shape of path. */
export interface Leaf {
  readonly host: HostPattern;
  readonly shape: string;
  readonly candidates: Candidate[];
}

interface Node {
  readonly literals: Map<string, Node>;
  readonly mixed: Map<string, { readonly texts: readonly string[]; readonly node: Node }>;
  param?: Node;
  rest?: Leaf;
  full?: Leaf;
  prefix?: Leaf;
}

/** The trees before they become a plan, and every leaf of them for the checks. */
export interface Forest {
  readonly hosts: readonly HostPattern[];
  readonly trees: readonly Node[];
  readonly leaves: readonly Leaf[];
}

const hostKey = (host: HostPattern): string =>
  host.kind === "suffix" ? `${host.kind}${host.many}${host.text}` : host.kind + host.text;

/** Plants every match of every route into the tree of each of its hosts. The order of definition leaves no trace. */
export const plant = (routes: readonly RouteIr[]): Forest => {
  const hosts = new Map<string, HostPattern>();
  const trees = new Map<string, Node>();
  const leaves: Leaf[] = [];
  for (const [index, route] of routes.entries()) {
    for (const match of route.matches) {
      for (const { pattern } of match.hosts) {
        const key = hostKey(pattern);
        if (!trees.has(key)) {
          trees.set(key, emptyNode());
          hosts.set(key, pattern);
        }
        leafFor(trees.get(key)!, match, pattern, leaves).candidates.push({ index, route, match });
      }
    }
  }
  const keys = [...trees.keys()].sort(
    (one, other) =>
      hostSpecificity(hosts.get(other)!) - hostSpecificity(hosts.get(one)!) || (one < other ? -1 : 1),
  );
  return { hosts: keys.map((key) => hosts.get(key)!), trees: keys.map((key) => trees.get(key)!), leaves };
};

const leafFor = (tree: Node, match: MatchIr, host: HostPattern, leaves: Leaf[]): Leaf => {
  let node = tree;
  let kind: "full" | "rest" | "prefix" = match.prefix ? "prefix" : "full";
  for (const segment of match.segments) {
    if (segment.kind === "rest") kind = "rest";
    else node = childOf(node, segment);
  }
  const known = node[kind];
  if (known !== undefined) return known;
  const leaf: Leaf = { host, shape: kind + shapeOf(match.segments), candidates: [] };
  node[kind] = leaf;
  leaves.push(leaf);
  return leaf;
};

const emptyNode = (): Node => ({ literals: new Map(), mixed: new Map() });

const childOf = (node: Node, segment: TemplateSegment): Node => {
  if (segment.kind === "mixed") {
    const key = segment.texts.join("{}");
    const known = node.mixed.get(key)?.node ?? emptyNode();
    node.mixed.set(key, { texts: segment.texts, node: known });
    return known;
  }
  if (segment.kind === "param") return (node.param ??= emptyNode());
  const text = segment.kind === "literal" ? segment.text : "";
  const known = node.literals.get(text);
  if (known !== undefined) return known;
  const made = emptyNode();
  node.literals.set(text, made);
  return made;
};

const shapeOf = (segments: readonly TemplateSegment[]): string =>
  segments
    .map((segment) =>
      segment.kind === "literal"
        ? `/${segment.text}`
        : segment.kind === "mixed"
          ? `/${segment.texts.join("{}")}`
          : "/{}",
    )
    .join("");

/** Writes the forest down for the plan. */
export const matcherPlan = (forest: Forest): MatcherPlan => ({
  hosts: forest.hosts.map((host) => hostPlan(host, forest.hosts)),
  trees: forest.trees.map(nodePlan),
});

const hostPlan = (host: HostPattern, all: readonly HostPattern[]): HostPlan => ({
  kind: host.kind,
  text: host.text,
  ...(host.kind === "suffix" && host.many ? { many: true } : {}),
  ...(host.kind === "suffix" && host.param !== undefined ? { param: host.param } : {}),
  trees: all.flatMap((other, index) => (hostCovers(other, host) ? [index] : [])),
});

const nodePlan = (node: Node): PathNode => ({
  ...(node.literals.size > 0
    ? {
        literals: Object.fromEntries(
          [...node.literals]
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([text, child]) => [text, nodePlan(child)]),
        ),
      }
    : {}),
  ...(node.mixed.size > 0
    ? {
        mixed: [...node.mixed.values()]
          .sort(byText)
          .map(({ texts, node: child }) => ({ texts, node: nodePlan(child) })),
      }
    : {}),
  ...(node.param && { param: nodePlan(node.param) }),
  ...(node.rest && { rest: leafPlan(node.rest) }),
  ...(node.full && { full: leafPlan(node.full) }),
  ...(node.prefix && { prefix: leafPlan(node.prefix) }),
});

/** More text is more specific. */
const byText = (
  { texts: one }: { readonly texts: readonly string[] },
  { texts: other }: { readonly texts: readonly string[] },
): number => {
  const [first, second] = [one.join("{"), other.join("{")];
  return other.join("").length - one.join("").length || (first < second ? -1 : 1);
};

const leafPlan = ({ candidates }: Leaf): PathLeaf => {
  const named = new Set(candidates.flatMap((candidate) => candidate.match.methods));
  if (named.has("GET")) named.add("HEAD");
  const methods = [...named]
    .sort()
    .map((method) => [method, candidateOrder(candidates, method).map(candidatePlan)] as const);
  return {
    methods: Object.fromEntries(methods),
    any: candidateOrder(candidates, undefined).map(candidatePlan),
  };
};

const candidatePlan = ({ index, match }: Candidate): CandidatePlan => ({
  route: index,
  params: match.segments.flatMap(segmentNames),
  ...(match.headers.length > 0 ? { headers: match.headers } : {}),
  ...(match.query.length > 0 ? { query: match.query } : {}),
});
