import type { Condition, MatchIr, NamedHost, RegexIr, RouteIr } from "../../src/compiler/ir.ts";
import { matcherPlan, plant } from "../../src/compiler/matcher.ts";
import { headerValues, normalPaths, queryValues } from "../../src/compiler/texts.ts";
import type { Routable, Router } from "../../src/core/matcher-plan.ts";
import { parseHostPattern } from "../../src/lib/host-pattern.ts";
import { parsePathTemplate } from "../../src/lib/path-template.ts";
import { exampleOf } from "../../src/lib/regex/compare.ts";
import { compileRegex } from "../../src/lib/regex/compile.ts";
import { linkRouter } from "../../src/runtime/router.ts";

const NOWHERE = { file: "test.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 };

/** A condition whose regular expression is still a text. */
export interface ConditionWords {
  readonly name: string;
  readonly value?: string;
  readonly regex?: string;
}

/** One route of a test, in few words. */
export interface RouteWords {
  readonly id: string;
  readonly path?: string;
  readonly prefix?: string;
  readonly regex?: string;
  readonly methods?: readonly string[];
  readonly hosts?: readonly string[];
  readonly headers?: readonly ConditionWords[];
  readonly query?: readonly ConditionWords[];
  readonly before?: readonly string[];
}

const PATHS = { encodedSlash: "reject", matrixParameters: "reject" } as const;

const regexOf = (text: string, domain: RegexIr["domain"]): RegexIr => {
  const compiled = compileRegex(text);
  if ("faults" in compiled) throw new Error(JSON.stringify(compiled.faults));
  const example = exampleOf([compiled.regex, domain]);
  if (typeof example !== "string") throw new Error(`nothing fits ${text}`);
  return { text, automaton: compiled.regex, domain, example };
};

const conditionOf = ({ regex, ...condition }: ConditionWords, domain: RegexIr["domain"]): Condition =>
  regex === undefined ? condition : { ...condition, regex: regexOf(regex, domain) };

/** A route as the compiler has it. */
export const routeOf = ({
  id,
  path,
  prefix,
  regex,
  methods = [],
  hosts = ["*"],
  headers = [],
  query = [],
  before = [],
}: RouteWords): RouteIr => {
  const segments = regex === undefined ? parsePathTemplate(path ?? (prefix?.replace(/\/+$/, "") || "/")) : [];
  if (typeof segments === "string") throw new Error(segments);
  const named: NamedHost[] = hosts.map((host) => ({ name: host, pattern: parseHostPattern(host)! }));
  const match: MatchIr = {
    hosts: named,
    segments,
    prefix: path === undefined && regex === undefined,
    ...(regex === undefined ? {} : { regex: regexOf(regex, normalPaths(PATHS)) }),
    methods,
    headers: headers.map((condition) => conditionOf(condition, headerValues())),
    query: query.map((condition) => conditionOf(condition, queryValues())),
  };
  return {
    id,
    api: id.split(".")[0]!,
    name: id,
    place: NOWHERE,
    matches: [match],
    params: [],
    declaredQuery: undefined,
    documentPrefix: "",
    document: undefined,
    documentPath: [],
    apiDocument: {},
    apiPath: [],
    levels: [],
    before,
  };
};

/** A router over routes, planted in the order given, through the plan's JSON. */
export const routerOf = (routes: readonly RouteIr[]): Router =>
  linkRouter(JSON.parse(JSON.stringify(matcherPlan(plant(routes)))));

/** What the router sees of `GET https://host/path?query`. */
export const requestOf = (method: string, url: string, headers: Record<string, string> = {}): Routable => {
  const parsed = new URL(url, "https://api.example.com");
  const preflightMethod =
    method === "OPTIONS" ? (headers["access-control-request-method"] ?? undefined) : undefined;
  return {
    method,
    host: parsed.hostname,
    path: parsed.pathname,
    query: parsed.search,
    request: { headers: new Headers(headers) },
    preflightMethod,
  };
};

/** Id of the route that takes a request; the methods that are allowed, or `none`. */
export const routed = (router: Router, routes: readonly RouteIr[], request: Routable): string => {
  const result = router(request);
  return result.outcome === "found"
    ? routes[result.route]!.id
    : result.outcome === "method"
      ? `allow ${result.allow.join(",")}`
      : "none";
};
