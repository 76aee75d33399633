import type { AggregateDocument } from "../config/documents/aggregate.ts";
import { fault } from "../config/tree.ts";
import type { Json } from "../core/json.ts";
import type { AggregateCallPlan, AggregatePlan } from "../core/plan.ts";
import type { Path } from "../core/policy.ts";
import { defined } from "./defined.ts";
import { isUpstream, written } from "./forwarding.ts";
import type { RouteIr } from "./ir.ts";
import { type ActionSite, conflict, pathTemplate, routePlace, textTemplate } from "./rewrites.ts";

/** Several calls that make one answer; undefined where an upstream is not known. */
export const compileAggregate = (route: RouteIr, site: ActionSite): AggregatePlan | undefined => {
  const { calls, maxBody } = route.document!.aggregate!;
  checkMethods(route, site);
  const plans = Object.entries(calls).map(([name, call]) => compileCall(name, call, route, site));
  const known = plans.filter((plan) => plan !== undefined);
  if (known.length < plans.length) return undefined;
  return {
    kind: "aggregate",
    calls: known,
    maxBody,
    ...defined({ timeoutMs: written(route, "timeout")?.value }),
  };
};

type CallDocument = AggregateDocument["calls"][string];

const compileCall = (
  name: string,
  call: CallDocument,
  route: RouteIr,
  site: ActionSite,
): AggregateCallPlan | undefined => {
  const at: Path = ["aggregate", "calls", name];
  const { upstream, query = {}, forwardQuery, timeout, fallback, pick } = call;
  const path = pathTemplate(call.path, [...at, "path"], route, site);
  const parameters = Object.entries(query).map(([key, text]) => ({
    name: key,
    value: textTemplate(text, [...at, "query", key], route, site),
  }));
  for (const [index, key] of forwardQuery?.entries() ?? []) {
    if (Object.hasOwn(query, key))
      conflict(
        route,
        site,
        [...at, "forwardQuery", index],
        `The parameter "${key}" is written, and comes from the request as well.`,
        "Keep it in `query` or in `forwardQuery`, not in both.",
      );
  }
  if (!isUpstream(upstream, [...route.documentPath, ...at, "upstream"], false, site)) return undefined;
  return {
    name,
    upstream,
    path,
    ...defined({
      query: parameters.length > 0 ? parameters : undefined,
      forwardQuery,
      timeoutMs: timeout,
      fallback: fallback === undefined ? undefined : { value: fallback as Json },
      pick: pick === undefined ? undefined : segmentsOf(pick),
    }),
  };
};

/** The segments of a JSON Pointer (RFC 6901 section 4). */
const segmentsOf = (pointer: string): readonly string[] =>
  pointer
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));

/** Calls are made by GET, which must be what the client asked for: any other method wants something done. */
const checkMethods = (route: RouteIr, site: ActionSite): void => {
  const others = route.matches.some(
    ({ methods }) => methods.length === 0 || methods.some((method) => method !== "GET" && method !== "HEAD"),
  );
  if (!others) return;
  const isOperation = route.declaredQuery !== undefined;
  site.report(
    fault(
      routePlace(route, site, ["aggregate"], true),
      "aggregate-method",
      `"${route.id}" takes requests that are not GET, and an aggregate only reads.`,
      isOperation
        ? "Move it to an operation that is a GET."
        : "Write `methods: [GET]` in each of its matches; HEAD is answered with it.",
    ),
  );
};
