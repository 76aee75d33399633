import type { RegexPlan } from "../lib/regex/run.ts";

/** Host patterns and, for each, the tables to try from the most to the least specific host. */
export interface MatcherPlan {
  readonly hosts: readonly HostPlan[];
  /** One path tree for each distinct host pattern. */
  readonly trees: readonly PathNode[];
  /** Every distinct regular expression; candidates and conditions refer to them by index. */
  readonly regexes?: readonly RegexPlan[];
}

export interface HostPlan {
  /** `exact` compares whole; `suffix` (".shop.example.com") takes one label, or `many` labels, before it; `any` takes all. */
  readonly kind: "exact" | "suffix" | "any";
  readonly text: string;
  readonly many?: boolean;
  /** Name of the host parameter, when the pattern has one. */
  readonly param?: string;
  /** Indices of trees, most specific first, this host's own at the front. */
  readonly trees: readonly number[];
}

/** One segment of the path tree. */
export interface PathNode {
  /** Literal children. */
  readonly literals?: Readonly<Record<string, PathNode>>;
  /** Children for segments of text and parameters, tried in this order; one text more than there are parameters. */
  readonly mixed?: readonly { readonly texts: readonly string[]; readonly node: PathNode }[];
  /** The child for a `{param}` segment. */
  readonly param?: PathNode;
  /** Routes whose template ends here with `{rest...}`. */
  readonly rest?: PathLeaf;
  /** Routes whose template ends here. */
  readonly full?: PathLeaf;
  /** Routes whose prefix ends here. */
  readonly prefix?: PathLeaf;
  /** Routes by regular expressions of the whole path, for what no template and prefix takes; only at the root. */
  readonly regex?: PathLeaf;
}

/** Candidates in their order of precedence, by method; `any` serves methods that are not listed. */
export interface PathLeaf {
  readonly methods: Readonly<Record<string, readonly CandidatePlan[]>>;
  readonly any: readonly CandidatePlan[];
}

export interface CandidatePlan {
  readonly route: number;
  /** Index of the regular expression that the whole path must match. */
  readonly regex?: number;
  /** Names of the path parameters in the order of their segments. */
  readonly params: readonly string[];
  readonly headers?: readonly ConditionPlan[];
  readonly query?: readonly ConditionPlan[];
}

/** A header or query parameter that must have a value, match a regular expression as a whole, or merely be there. */
export interface ConditionPlan {
  readonly name: string;
  readonly value?: string;
  /** Index of a regular expression. */
  readonly regex?: number;
}

/** What a router looks at of a request. */
export interface Routable {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly request: { readonly headers: Headers };
  readonly preflightMethod: string | undefined;
}

/** What a router says of a request. */
export type RouteResult =
  | { readonly outcome: "found"; readonly route: number; readonly params: Readonly<Record<string, string>> }
  /** The path is known, but not with this method. */
  | { readonly outcome: "method"; readonly allow: readonly string[] }
  | { readonly outcome: "none" };

export type Router = (request: Routable) => RouteResult;
