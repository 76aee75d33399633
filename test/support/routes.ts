import type { Condition, MatchIr, NamedHost, RouteIr } from "../../src/compiler/ir.ts";
import { matcherPlan, plant } from "../../src/compiler/matcher.ts";
import { parseHostPattern } from "../../src/lib/host-pattern.ts";
import { parsePathTemplate } from "../../src/lib/path-template.ts";
import { linkRouter, type Routable, type Router } from "../../src/runtime/router.ts";

const NOWHERE = { file: "test.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 };

/** One route of a test, in few words. */
export interface RouteWords {
  readonly id: string;
  readonly path?: string;
  readonly prefix?: string;
  readonly methods?: readonly string[];
  readonly hosts?: readonly string[];
  readonly headers?: readonly Condition[];
  readonly query?: readonly Condition[];
  readonly before?: readonly string[];
}

/** A route as the compiler has it. */
export const routeOf = ({
  id,
  path,
  prefix,
  methods = [],
  hosts = ["*"],
  headers = [],
  query = [],
  before = [],
}: RouteWords): RouteIr => {
  const segments = parsePathTemplate(path ?? (prefix?.replace(/\/+$/, "") || "/"));
  if (typeof segments === "string") throw new Error(segments);
  const named: NamedHost[] = hosts.map((host) => ({ name: host, pattern: parseHostPattern(host)! }));
  const match: MatchIr = { hosts: named, segments, prefix: path === undefined, methods, headers, query };
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
