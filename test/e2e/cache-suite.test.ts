import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Kind } from "../conformance/cache/case.ts";
import { CASES } from "../conformance/cache/cases/index.ts";
import { OWN } from "../conformance/cache/cases/own.ts";
import { playAll } from "../conformance/cache/judge.ts";
import { type ScriptedOrigin, startOrigin } from "../conformance/cache/origin.ts";
import { type Served, serve } from "../support/served.ts";

// The cases of the public HTTP caching test suite against the production bundle on plain workerd.

const ROUTES = {
  default: "{}",
  heeding: "{ clientDirectives: true }",
  lenient: "{ clientDirectives: true, staleIfError: 1m }",
  isolate: "{ clientDirectives: true, tiers: [isolate] }",
} as const;

type Route = keyof typeof ROUTES;

let origin: ScriptedOrigin;
let served: Served;
const failures = {} as Record<Route, ReadonlyMap<string, string>>;

beforeAll(async () => {
  origin = await startOrigin();
  const routes = Object.entries(ROUTES).map(
    ([name, cache]) => `${name}: { match: { pathPrefix: /${name} }, policies: { cache: ${cache} } }`,
  );
  served = await serve({
    files: {
      "a.yaml": `
gateway: { name: suite, hosts: { public: api.example.com }, clientIp: connection }
upstreams: { stage: { targets: { only: { url: "${origin.url}", network: private } }, timeout: 30s } }
apis: { suite: { public: true, upstream: stage, routes: { ${routes.join(", ")} } } }
`,
    },
  });
  await Promise.all(
    Object.keys(ROUTES).map(async (name) => {
      failures[name as Route] = await playAll(origin, `${served.url}/${name}`, [...CASES, ...OWN]);
    }),
  );
}, 180_000);

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await origin.stop();
});

/** Names of what failed among cases of a kind. */
const failed = (route: Route, kind: Kind): readonly string[] =>
  CASES.filter((one) => one.kind === kind && failures[route].has(one.id)).map(({ id }) => id);

const totals = (kind: Kind): number => CASES.filter((one) => one.kind === kind).length;

/** Each failure of a rule, or of what the best caches do, and why it stays. */
const REQUIRED: Readonly<Record<string, string>> = {
  "headers-store-Set-Cookie": "An answer that sets a cookie is never shared: it may be a session.",
  "invalidate-M-SEARCH": "workerd answers 501 to a method that it does not know.",
  "interim-not-cached": "A Worker sees no informational answers; they are not stored, and not passed on.",
};

const OPTIMAL: Readonly<Record<string, string>> = {
  "vary-normalise-lang-select": "Which language an origin would choose is for the origin to say.",
  "conditional-lm-fresh-no-lm":
    "The answer's Date is later than If-Modified-Since, so it counts as changed (RFC 9111 4.3.2).",
  "invalidate-M-SEARCH-failed": "workerd answers 501 to a method that it does not know.",
  "other-set-cookie": "An answer that sets a cookie is never shared: it may be a session.",
  "partial-store-partial-complete": "Without a strong validator parts must not be combined (RFC 9111 3.4).",
  "interim-102": "A Worker sees no informational answers.",
  "interim-103": "A Worker sees no informational answers.",
  "interim-no-header-reuse": "A Worker sees no informational answers.",
};

describe.each(Object.keys(ROUTES).filter((name) => name !== "lenient") as Route[])(
  "with cache: %s",
  (route) => {
    it.each(OWN.map(({ id }) => id))("%s", (id) => {
      expect(failures[route].get(id)).toBeUndefined();
    });
  },
);

describe.each(Object.keys(ROUTES) as Route[])("with cache: %s", (route) => {
  it("keeps every rule but those that the platform or safety forbid", () => {
    const found = failed(route, "required");
    expect(found.toSorted(), explain(route, found)).toEqual(Object.keys(REQUIRED).toSorted());
    expect([totals("required") - found.length, totals("required")]).toEqual([155, 158]);
  });

  it("does what the best caches do, but for what is listed", () => {
    const found = failed(route, "optimal");
    expect(found.toSorted(), explain(route, found)).toEqual(Object.keys(OPTIMAL).toSorted());
    expect([totals("optimal") - found.length, totals("optimal")]).toEqual([97, 105]);
  });
});

const explain = (route: Route, ids: readonly string[]): string =>
  ids.map((id) => `${id}: ${failures[route].get(id)}`).join("\n");

describe("what the cache is like", () => {
  it.each<[Route, number]>([
    ["default", 54],
    ["heeding", 64],
    ["lenient", 67],
    ["isolate", 64],
  ])("%s: %i of the questions are answered with yes", (route, yes) => {
    expect(totals("check") - failed(route, "check").length, explain(route, failed(route, "check"))).toBe(yes);
  });

  it("asks the client's wishes only where it is told to", () => {
    const wishes = (route: Route) => failed(route, "check").filter((id) => id.startsWith("ccreq-"));
    expect(wishes("heeding")).toEqual(["ccreq-max-stale-age"]);
    expect(wishes("default").length).toBeGreaterThan(5);
  });
});
