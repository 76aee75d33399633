import type {
  CandidatePlan,
  ConditionPlan,
  HostPlan,
  MatcherPlan,
  Routable,
  RouteResult,
  Router,
} from "../core/matcher-plan.ts";
import { decodeSegment } from "../lib/path.ts";
import { linkRegex, type RegexPlan } from "../lib/regex/run.ts";
import { type Leaf, type Mixed, Segment, split } from "./path-tree.ts";

const NONE: RouteResult = { outcome: "none" };
const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * Makes the plan's trees walkable. A request costs one step a segment, however many routes there are; where a literal and a
 * parameter both fit, the more specific is tried first and the other when no route down there takes the request.
 */
export const linkRouter = (plan: MatcherPlan): Router => {
  const trees = plan.trees.map((tree) => new Segment(tree));
  const hostTrees = (host: HostPlan): readonly Segment[] => host.trees.map((index) => trees[index]!);
  const exact = new Map(
    plan.hosts.filter((host) => host.kind === "exact").map((host) => [host.text, hostTrees(host)]),
  );
  const suffixes = plan.hosts
    .filter((host) => host.kind === "suffix")
    .map((host) => ({ host, trees: hostTrees(host) }));
  const any = plan.hosts.filter((host) => host.kind === "any").flatMap(hostTrees);
  const regexes = plan.regexes?.map(linkOnUse);
  const treeHosts = new Map(plan.hosts.map((host, index) => [trees[index], host] as const));

  const treesFor = (name: string): readonly Segment[] => {
    const found = exact.get(name);
    if (found !== undefined) return found;
    for (const { host, trees: list } of suffixes) if (takes(host, name)) return list;
    return any;
  };
  return (request) => {
    const search = new Search(request, regexes);
    for (const tree of treesFor(request.host)) {
      const candidate = search.walk(tree, 1) ?? (tree.regex && search.byRegex(tree.regex));
      if (candidate !== undefined) return found(candidate, search, treeHosts.get(tree), request.host);
    }
    return search.allow === undefined ? NONE : { outcome: "method", allow: [...search.allow].sort() };
  };
};

type RegexTest = ReturnType<typeof linkRegex>;

/** A regular expression whose tables are made when it is first asked. */
const linkOnUse = (plan: RegexPlan): RegexTest => {
  let test: RegexTest | undefined;
  return (text) => (test ??= linkRegex(plan))(text);
};

const takes = (host: HostPlan, name: string): boolean =>
  name.length > host.text.length &&
  name.endsWith(host.text) &&
  (host.many === true || name.indexOf(".") === name.length - host.text.length);

const found = (
  candidate: CandidatePlan,
  search: Search,
  host: HostPlan | undefined,
  name: string,
): RouteResult => {
  const hostParam = host?.kind === "suffix" ? host.param : undefined;
  if (candidate.params.length === 0 && hostParam === undefined)
    return { outcome: "found", route: candidate.route, params: NO_PARAMS };
  const params: Record<string, string> = {};
  const last = candidate.params.length - 1;
  for (let index = 0; index <= last; index++) {
    const text = search.captured[index]!;
    // What `{rest...}` takes is path text: decoded, an encoded slash in it would look like a border of segments.
    params[candidate.params[index]!] = search.tookRest && index === last ? text : decodeSegment(text);
  }
  if (hostParam !== undefined) params[hostParam] = name.slice(0, name.length - host!.text.length);
  return { outcome: "found", route: candidate.route, params };
};

/** One walk through the trees for one request. */
class Search {
  readonly #request: Routable;
  readonly #regexes: readonly RegexTest[] | undefined;
  readonly #path: string;
  readonly #method: string;
  readonly #preflight: boolean;
  readonly captured: string[] = [];
  tookRest = false;
  /** Methods of the leaves that were reached in vain; made only then, since garbage is what a request costs most of. */
  allow: Set<string> | undefined = undefined;

  constructor(request: Routable, regexes: readonly RegexTest[] | undefined) {
    this.#request = request;
    this.#regexes = regexes;
    this.#path = request.path;
    this.#preflight = request.preflightMethod !== undefined;
    this.#method = request.preflightMethod ?? request.method;
  }

  /** Depth first from the segment that begins at `at`; beyond the last segment `at` is one more than the path's length. */
  walk(node: Segment, at: number): CandidatePlan | undefined {
    const path = this.#path;
    if (at > path.length) return this.#at(node.full) ?? this.#at(node.prefix);
    const slash = path.indexOf("/", at);
    const end = slash < 0 ? path.length : slash;
    const text = path.slice(at, end);
    if (text === "" && end === path.length) return this.#trailing(node, at);
    const literal = node.literal(text);
    const below = literal && this.walk(literal, end + 1);
    if (below !== undefined) return below;
    const { mixed, param } = node;
    if (mixed !== undefined) {
      const taken = this.#mixed(mixed, text, end);
      if (taken !== undefined) return taken;
    }
    if (param !== undefined && text !== "") {
      this.captured.push(text);
      const taken = this.walk(param, end + 1);
      if (taken !== undefined) return taken;
      this.captured.pop();
    }
    return this.#remaining(node, at);
  }

  #mixed(mixed: readonly Mixed[], text: string, end: number): CandidatePlan | undefined {
    for (const { texts, segment } of mixed) {
      const values = split(text, texts);
      if (values === undefined) continue;
      const before = this.captured.length;
      this.captured.push(...values);
      const taken = this.walk(segment, end + 1);
      if (taken !== undefined) return taken;
      this.captured.length = before;
    }
    return undefined;
  }

  /** The path ends in a slash: an empty last segment, nothing for a prefix, and an empty rest. */
  #trailing(node: Segment, at: number): CandidatePlan | undefined {
    const literal = node.literal("");
    const exact = literal && this.#at(literal.full);
    if (exact !== undefined) return exact;
    if (at === 1) {
      const root = this.#at(node.full);
      if (root !== undefined) return root;
    }
    return this.#remaining(node, at);
  }

  #remaining(node: Segment, at: number): CandidatePlan | undefined {
    if (node.rest !== undefined) {
      this.captured.push(this.#path.slice(at));
      const taken = this.#at(node.rest);
      this.tookRest = taken !== undefined;
      if (taken !== undefined) return taken;
      this.captured.pop();
    }
    return this.#at(node.prefix);
  }

  #at(leaf: Leaf | undefined): CandidatePlan | undefined {
    if (leaf === undefined) return undefined;
    const candidates = leaf.methods.get(this.#method) ?? leaf.any;
    for (const candidate of candidates) if (this.#fits(candidate)) return candidate;
    if (candidates.length === 0 && leaf.methods.size > 0) {
      this.allow ??= new Set();
      for (const method of leaf.methods.keys()) this.allow.add(method);
    }
    return undefined;
  }

  /** The first route whose regular expression takes the path; those of other methods are remembered where none does. */
  byRegex({ methods, any }: Leaf): CandidatePlan | undefined {
    const known: (boolean | undefined)[] = [];
    const takesPath = ({ regex }: CandidatePlan): boolean =>
      (known[regex!] ??= this.#regexes![regex!]!(this.#path));
    const candidates = methods.get(this.#method) ?? any;
    for (const candidate of candidates) if (takesPath(candidate) && this.#fits(candidate)) return candidate;
    const own = new Set(candidates.map(({ regex }) => regex));
    for (const [method, others] of methods) {
      if (!others.some((other) => !own.has(other.regex) && takesPath(other))) continue;
      this.allow ??= new Set();
      this.allow.add(method);
    }
    return undefined;
  }

  #fits(candidate: CandidatePlan): boolean {
    if (candidate.headers !== undefined && !this.#preflight) {
      const { headers } = this.#request.request;
      if (!candidate.headers.every((condition) => this.#holds(condition, headers.get(condition.name))))
        return false;
    }
    if (candidate.query === undefined) return true;
    const query = new URLSearchParams(this.#request.query);
    return candidate.query.every((condition) => this.#holds(condition, query.get(condition.name)));
  }

  #holds({ value, regex }: ConditionPlan, actual: string | null): boolean {
    if (actual === null) return false;
    return value === undefined ? regex === undefined || this.#regexes![regex]!(actual) : value === actual;
  }
}
