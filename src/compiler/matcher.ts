import type {
  CandidatePlan,
  ConditionPlan,
  HostPlan,
  MatcherPlan,
  PathLeaf,
  PathNode,
} from "../core/matcher-plan.ts";
import { type HostPattern, hostCovers, hostSpecificity } from "../lib/host-pattern.ts";
import { segmentNames, type TemplateSegment } from "../lib/path-template.ts";
import type { RegexPlan } from "../lib/regex/run.ts";
import { candidateOrder } from "./candidate-order.ts";
import type { Condition, MatchIr, RegexIr, RouteIr } from "./ir.ts";

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
  /** Whether its paths are matched by regular expressions, each candidate having its own. */
  readonly isRegex: boolean;
  readonly candidates: Candidate[];
}

interface Node {
  readonly literals: Map<string, Node>;
  readonly mixed: Map<string, { readonly texts: readonly string[]; readonly node: Node }>;
  param?: Node;
  rest?: Leaf;
  full?: Leaf;
  prefix?: Leaf;
  /** Only at the root. */
  regex?: Leaf;
}

/** The trees before they become a plan, and every leaf of them for the checks. */
export interface Forest {
  readonly hosts: readonly HostPattern[];
  readonly trees: readonly Node[];
  readonly leaves: readonly Leaf[];
}

/** Equal for hosts that take the same requests. */
export const hostKey = (host: HostPattern): string =>
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
  const isRegex = match.regex !== undefined;
  let kind: "full" | "rest" | "prefix" | "regex" = isRegex ? "regex" : match.prefix ? "prefix" : "full";
  for (const segment of match.segments) {
    if (segment.kind === "rest") kind = "rest";
    else node = childOf(node, segment);
  }
  const known = node[kind];
  if (known !== undefined) return known;
  const leaf: Leaf = { host, shape: kind + shapeOf(match.segments), isRegex, candidates: [] };
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
export const matcherPlan = (forest: Forest): MatcherPlan => {
  const regexes = new RegexTable();
  const trees = forest.trees.map((tree) => nodePlan(tree, regexes));
  return {
    hosts: forest.hosts.map((host) => hostPlan(host, forest.hosts)),
    trees,
    ...(regexes.plans.length > 0 ? { regexes: regexes.plans } : {}),
  };
};

/** Every distinct regular expression once; those that match the same texts are the same. */
class RegexTable {
  readonly plans: RegexPlan[] = [];
  readonly #indices = new Map<string, number>();

  indexOf({ automaton }: RegexIr): number {
    const key = JSON.stringify(automaton);
    const index = this.#indices.get(key) ?? this.plans.push(automaton) - 1;
    this.#indices.set(key, index);
    return index;
  }
}

const hostPlan = (host: HostPattern, all: readonly HostPattern[]): HostPlan => ({
  kind: host.kind,
  text: host.text,
  ...(host.kind === "suffix" && host.many ? { many: true } : {}),
  ...(host.kind === "suffix" && host.param !== undefined ? { param: host.param } : {}),
  trees: all.flatMap((other, index) => (hostCovers(other, host) ? [index] : [])),
});

const nodePlan = (node: Node, regexes: RegexTable): PathNode => ({
  ...(node.literals.size > 0
    ? {
        literals: Object.fromEntries(
          [...node.literals]
            .sort(([one], [other]) => (one < other ? -1 : 1))
            .map(([text, child]) => [text, nodePlan(child, regexes)]),
        ),
      }
    : {}),
  ...(node.mixed.size > 0
    ? {
        mixed: [...node.mixed.values()]
          .sort(byText)
          .map(({ texts, node: child }) => ({ texts, node: nodePlan(child, regexes) })),
      }
    : {}),
  ...(node.param && { param: nodePlan(node.param, regexes) }),
  ...(node.rest && { rest: leafPlan(node.rest, regexes) }),
  ...(node.full && { full: leafPlan(node.full, regexes) }),
  ...(node.prefix && { prefix: leafPlan(node.prefix, regexes) }),
  ...(node.regex && { regex: leafPlan(node.regex, regexes) }),
});

/** More text is more specific. */
const byText = (
  { texts: one }: { readonly texts: readonly string[] },
  { texts: other }: { readonly texts: readonly string[] },
): number => {
  const [first, second] = [one.join("{"), other.join("{")];
  return other.join("").length - one.join("").length || (first < second ? -1 : 1);
};

const leafPlan = ({ candidates }: Leaf, regexes: RegexTable): PathLeaf => {
  const plansOf = (method: string | undefined): CandidatePlan[] =>
    candidateOrder(candidates, method).map((candidate) => candidatePlan(candidate, regexes));
  const named = new Set(candidates.flatMap((candidate) => candidate.match.methods));
  if (named.has("GET")) named.add("HEAD");
  const methods = [...named].sort().map((method) => [method, plansOf(method)] as const);
  return { methods: Object.fromEntries(methods), any: plansOf(undefined) };
};

const candidatePlan = ({ index, match }: Candidate, regexes: RegexTable): CandidatePlan => ({
  route: index,
  ...(match.regex && { regex: regexes.indexOf(match.regex) }),
  params: match.segments.flatMap(segmentNames),
  ...(match.headers.length > 0 ? { headers: conditionPlans(match.headers, regexes) } : {}),
  ...(match.query.length > 0 ? { query: conditionPlans(match.query, regexes) } : {}),
});

const conditionPlans = (conditions: readonly Condition[], regexes: RegexTable): ConditionPlan[] =>
  conditions.map(({ name, value, regex }) => ({
    name,
    ...(value === undefined ? {} : { value }),
    ...(regex && { regex: regexes.indexOf(regex) }),
  }));
