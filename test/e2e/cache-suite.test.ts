import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Case, Kind } from "../conformance/cache/case.ts";
import { CASES } from "../conformance/cache/cases/index.ts";
import { OWN } from "../conformance/cache/cases/own.ts";
import { PRIVATE } from "../conformance/cache/cases/private.ts";
import { type ScriptedOrigin, startOrigin } from "../conformance/cache/origin.ts";
import { type PlayOptions, playAll } from "../conformance/cache/over-http.ts";
import { atRest, type Watched, watch } from "../conformance/cache/watched.ts";
import { compact, hs256, now } from "../security/support.ts";
import { type CacheService, startCacheService } from "../support/cache-service.ts";
import { type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { isRedisInstalled } from "../support/redis/server.ts";
import { type Served, serve } from "../support/served.ts";

// The cases of the public HTTP caching test suite, and our own, against the production bundle on plain workerd: each tier
// alone, and all together. A cache stands behind workerd's Cache API, and a real Redis behind its REST interface.

const ROUTES = {
  default: "{}",
  lenient: "{ clientDirectives: true, staleIfError: 1m }",
  isolate: "{ clientDirectives: true, tiers: [isolate] }",
  edge: "{ clientDirectives: true, tiers: [edge] }",
  redis: "{ clientDirectives: true, tiers: [redis] }",
  all: "{ clientDirectives: true, tiers: [isolate, edge, redis] }",
} as const;

type Route = keyof typeof ROUTES;

const NEEDS_REDIS: ReadonlySet<Route> = new Set(["redis", "all"]);
const hasRedis = isRedisInstalled();
if (!hasRedis && process.env.CI !== undefined)
  throw new Error("CI skips nothing, and needs redis-server: apt-get install redis-server");
if (!hasRedis) console.warn("SKIPPED: the cases in Redis (apt-get install redis-server)");
const NAMES = (Object.keys(ROUTES) as Route[]).filter((name) => hasRedis || !NEEDS_REDIS.has(name));

const SECRET = "a secret of thirty-two bytes and more";
const caller = (): string =>
  `Bearer ${compact({ alg: "HS256" }, { iss: "suite", aud: "suite", sub: "ann", exp: now() + 600 }, hs256(SECRET))}`;

let origin: ScriptedOrigin;
let edge: CacheService;
let redis: RedisOverHttp | undefined;
const watched: Watched[] = [];
let served: Served;
const failures = {} as Record<Route | "own", ReadonlyMap<string, string>>;

/** Which stores a route writes to when its answer has gone out already. */
const storesOf = (route: Route): readonly Watched[] =>
  ({ default: [0], lenient: [0], isolate: [], edge: [0], redis: [1], all: [0, 1] })[route].map(
    (index) => watched[index]!,
  );

const playing = (route: Route): PlayOptions => {
  const stores = storesOf(route);
  if (stores.length === 0) return {};
  return {
    watch: (name) => {
      const before = stores.map((store) => store.writes(name));
      return (cacheStatus) => atRest(stores, name, before, cacheStatus);
    },
  };
};

/** A look-up in Redis that takes longer than 50 ms is none, as may happen on a busy machine: what failed there is tried again. */
const playRoute = async (route: Route, cases: readonly Case[]): Promise<ReadonlyMap<string, string>> => {
  const url = `${served.url}/${route}`;
  const failed = new Map(await playAll(origin, url, cases, playing(route)));
  if (!NEEDS_REDIS.has(route)) return failed;
  for (let again = 0; again < 3; again++) {
    const left = cases.filter(({ id, kind }) => kind !== "check" && failed.has(id) && !LISTED.has(id));
    const still = await playAll(origin, url, left, { ...playing(route), atOnce: 8 });
    for (const { id } of left) if (!still.has(id)) failed.delete(id);
  }
  return failed;
};

beforeAll(async () => {
  origin = await startOrigin();
  edge = await startCacheService();
  watched.push(await watch(edge.address, (method) => method === "PUT"));
  const vars = ["--var", `SECRET=${SECRET}`];
  let stores = "";
  if (hasRedis) {
    redis = await startRedisOverHttp();
    watched.push(
      await watch(new URL(redis.url).host, (_, body) => /^\["set"/i.test(body) && !/"nx"/i.test(body)),
    );
    vars.push("--var", `REDIS_URL=http://${watched[1]!.address}`, "--var", `REDIS_TOKEN=${redis.token}`);
    stores = ", stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }";
  }
  const routes = NAMES.map(
    (name) => `${name}: { match: { pathPrefix: /${name} }, policies: { cache: ${ROUTES[name]} } }`,
  );
  served = await serve({
    files: {
      "a.yaml": `
gateway: { name: suite, hosts: { public: api.example.com }, clientIp: connection${stores} }
issuers: { suite: { issuer: suite, audiences: [suite], algorithms: [HS256], secret: { env: SECRET } } }
upstreams: { stage: { targets: { only: { url: "${origin.url}", network: private } }, timeout: 30s } }
apis:
  suite: { public: true, upstream: stage, routes: { ${routes.join(", ")} } }
  known: { upstream: stage, policies: { jwt: {}, cache: {} }, routes: { own: { match: { pathPrefix: /own } } } }
`,
    },
    args: [...vars, "--edge-cache", watched[0]!.address],
  });
  const own = async (): Promise<void> => {
    failures.own = await playAll(origin, `${served.url}/own`, PRIVATE, {
      ask: [["Authorization", caller()]],
    });
  };
  const all = NAMES.map(async (name) => {
    failures[name] = await playRoute(name, [
      ...CASES,
      ...OWN.filter(({ heeds }) => !heeds || name !== "default"),
    ]);
  });
  await Promise.all([...all, own()]);
}, 240_000);

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await Promise.all([...watched.map((one) => one.stop()), edge.stop(), redis?.stop(), origin.stop()]);
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

/** Parts are joined in the isolate's memory, and nowhere else: to join them is left to caches (RFC 9111 3.4). */
const WITHOUT_ISOLATE = ["3.4: parts of one strong version make a whole"];

const LISTED = new Set([...Object.keys(REQUIRED), ...Object.keys(OPTIMAL), ...WITHOUT_ISOLATE]);

const explain = (route: Route, ids: readonly string[]): string =>
  ids.map((id) => `${id}: ${failures[route].get(id)}`).join("\n");

describe.each(NAMES)("with cache: %s", (route) => {
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

describe.each(NAMES.filter((name) => name !== "lenient"))("with cache: %s", (route) => {
  const cases = OWN.filter(({ heeds }) => !heeds || route !== "default");
  it.each(cases.map(({ id }) => id))("%s", (id) => {
    const isLeft = (route === "edge" || route === "redis") && WITHOUT_ISOLATE.includes(id);
    if (isLeft) expect(failures[route].has(id)).toBe(true);
    else expect(failures[route].get(id)).toBeUndefined();
  });
});

describe("the entries of one caller", () => {
  it.each(PRIVATE.map(({ id }) => id))("%s", (id) => {
    expect(failures.own.get(id)).toBeUndefined();
  });
});

describe("what the cache is like", () => {
  // In the data centre's cache, what can neither be used nor be asked about is not kept; nor in Redis, where in addition a
  // look-up that takes too long is none, so that its answers to questions are not worth counting.
  it.each<[Route, number]>([
    ["default", 54],
    ["lenient", 67],
    ["isolate", 64],
    ["edge", 61],
  ])("%s: %i of the questions are answered with yes", (route, yes) => {
    expect(totals("check") - failed(route, "check").length, explain(route, failed(route, "check"))).toBe(yes);
  });

  it("asks the client's wishes only where it is told to", () => {
    const wishes = (route: Route) => failed(route, "check").filter((id) => id.startsWith("ccreq-"));
    expect(wishes("isolate")).toEqual(["ccreq-max-stale-age"]);
    expect(wishes("default").length).toBeGreaterThan(5);
  });
});

it("says how many of the public suite's cases pass in each tier", () => {
  const passed = (route: Route, kind: Kind): string =>
    `${totals(kind) - failed(route, kind).length} of ${totals(kind)}`;
  const words = NAMES.map((route) => `${route} ${passed(route, "required")} and ${passed(route, "optimal")}`);
  const own = PRIVATE.filter(({ id }) => !failures.own.has(id)).length;
  process.stdout.write(
    `cache suite, required and optimal passed: ${words.join("; ")}; one caller's own ${own} of ${PRIVATE.length}\n`,
  );
  expect(words).toHaveLength(NAMES.length);
});
