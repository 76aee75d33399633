import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSources } from "../../src/adapters/node/files.ts";
import { Rehearsal } from "../../src/cli/rehearsal.ts";
import { compileTree, type Sources } from "../../src/compiler/compile.ts";
import { precedence } from "../../src/compiler/explain/precedence-words.ts";
import { type Anatomy, anatomyOf, type Explanation, explain } from "../../src/compiler/explain.ts";
import type { RouteIr } from "../../src/compiler/ir.ts";
import { matcherPlan, plant } from "../../src/compiler/matcher.ts";
import { readTree } from "../../src/config/load.ts";
import type { Routable } from "../../src/core/matcher-plan.ts";
import { linkRouter } from "../../src/runtime/router.ts";
import { sourcesOf } from "../support/compiling.ts";

const anatomy = (sources: Sources, environment?: string): Anatomy => {
  const tree = readTree(sources.policies).value!;
  const { value: plan, diagnostics } = compileTree(tree, sources, environment);
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  return anatomyOf(plan, tree, sources, environment);
};

const asked = (line: string, headers: Record<string, string> = {}): Routable => {
  const [method, url] = line.split(" ") as [string, string];
  const { host, pathname, search } = new URL(url.includes("://") ? url : `https://api.example.com${url}`);
  const fields = new Headers(headers);
  const preflightMethod = fields.get("access-control-request-method") ?? undefined;
  return { method, host, path: pathname, query: search, request: { headers: fields }, preflightMethod };
};

const GATEWAY = `gateway:
  hosts: { public: api.example.com, staff: admin.example.com, tenants: "{tenant}.example.com" }
  clientIp: connection
upstreams: { one: { targets: { main: { binding: ONE } } } }
`;

/** Explains a request to a gateway whose api has these routes. */
const explained = (routes: string, line: string, headers: Record<string, string> = {}): Explanation =>
  explain(
    anatomy(
      sourcesOf({
        "gateway.yaml": GATEWAY,
        "shop.yaml": `apis:\n  shop:\n    public: true\n    upstream: one\n    routes:\n${routes}`,
      }),
    ),
    asked(line, headers),
    linkRouter,
  );

/** `other: why`, in the order in which they are told. */
const reasons = ({ others }: Explanation): string[] => others.map(({ id, why }) => `${id}: ${why}`);

describe("why the others lost", () => {
  it.each<[string, string, string, string, string]>([
    [
      "an exact host goes before a wildcard",
      "      a: { match: { path: /x, hosts: [tenants] } }\n      b: { match: { path: /x, hosts: [public] } }\n",
      "GET /x",
      "shop.b",
      "shop.a: its host {tenant}.example.com says less than api.example.com: an exact host goes before a wildcard, a longer wildcard before a shorter one",
    ],
    [
      "a literal goes before a parameter",
      "      a: { match: { path: '/x/{id}' } }\n      b: { match: { path: /x/me } }\n",
      "GET /x/me",
      "shop.b",
      "shop.a: at segment 2 it has {id} where the other has me: a literal goes before a parameter",
    ],
    [
      "a parameter goes before what remains",
      "      a: { match: { path: '/x/{rest...}' } }\n      b: { match: { path: '/x/{id}' } }\n",
      "GET /x/me",
      "shop.b",
      "shop.a: at segment 2 it has {rest...} where the other has {id}: a parameter goes before what remains",
    ],
    [
      "more text goes before less",
      "      a: { match: { path: '/{n}.j' } }\n      b: { match: { path: '/{n}.x.j' } }\n",
      "GET /a.x.j",
      "shop.b",
      "shop.a: at segment 1 it has {n}.j where the other has {n}.x.j: more text goes before less",
    ],
    [
      "a longer prefix goes before a shorter one",
      "      a: { match: { pathPrefix: /x } }\n      b: { match: { pathPrefix: /x/y } }\n",
      "GET /x/y/z",
      "shop.b",
      "shop.a: at segment 2 its prefix ends where the other has y: a literal goes before the end of a prefix",
    ],
    [
      "a full path goes before a prefix",
      "      a: { match: { pathPrefix: /x } }\n      b: { match: { path: /x } }\n",
      "GET /x",
      "shop.b",
      "shop.a: it is a prefix, and a full path goes before it",
    ],
    [
      "a prefix goes before a regular expression",
      "      a: { match: { pathRegex: '/x/[0-9]+' } }\n      b: { match: { pathPrefix: /x/1 } }\n",
      "GET /x/1",
      "shop.b",
      "shop.a: it has a regular expression for the path, and paths and prefixes go before these",
    ],
    [
      "a named method goes before any",
      "      a: { match: { path: /x } }\n      b: { match: { path: /x, methods: [GET] } }\n",
      "GET /x",
      "shop.b",
      "shop.a: it takes any method, and the other names GET",
    ],
    [
      "HEAD itself goes before HEAD by way of GET",
      "      a: { match: { path: /x, methods: [GET] } }\n      b: { match: { path: /x, methods: [HEAD] } }\n",
      "HEAD /x",
      "shop.b",
      "shop.a: it takes HEAD by way of GET, and the other names it",
    ],
    [
      "more header fields go first",
      "      a: { match: { path: /x } }\n      b: { match: { path: /x, headers: { x-v: '2' } } }\n",
      "GET /x",
      "shop.b",
      "shop.a: it asks for 0 header fields, and the other for 1: more go first",
    ],
    [
      "more query parameters go first",
      "      a: { match: { path: /x } }\n      b: { match: { path: /x, query: { v: { present: true } } } }\n",
      "GET /x?v=2",
      "shop.b",
      "shop.a: it asks for 0 query parameters, and the other for 1: more go first",
    ],
    [
      "`before` goes before the alphabet",
      "      a: { match: { path: /x, query: { v: '2' } } }\n      b: { match: { path: /x, query: { w: '2' } }, before: [shop.a] }\n",
      "GET /x?v=2&w=2",
      "shop.b",
      "shop.a: `before` of shop.b names it",
    ],
    [
      "at last the alphabet decides",
      "      a: { match: { path: /x, query: { v: '2' } } }\n      b: { match: { path: /x, query: { w: '2' } } }\n",
      "GET /x?v=2&w=2",
      "shop.a",
      "shop.b: the two say equally much, and shop.a is first in the alphabet",
    ],
  ])("%s", (_, routes, line, winner, why) => {
    const explanation = explained(routes, line, { "x-v": "2" });
    expect(explanation.route?.id).toBe(winner);
    expect(reasons(explanation)).toEqual([why]);
  });

  it.each<[string, string, string, string, readonly string[] | undefined, string]>([
    [
      "another method, which is 405",
      "      a: { match: { path: /x, methods: [PUT, POST] } }\n",
      "GET /x",
      "method",
      ["POST", "PUT"],
      "shop.a: the path is its own, but with POST or PUT only",
    ],
    [
      "a header field with another value",
      "      a: { match: { path: /x, headers: { x-v: '3', x-w: { present: true } } } }\n",
      "GET /x",
      "none",
      undefined,
      'shop.a: the request does not have header x-v = "3" and header x-w',
    ],
    [
      "a query parameter that is missing",
      "      a: { match: { path: /x, query: { v: { regex: '[0-9]+' } } } }\n",
      "GET /x?v=a",
      "none",
      undefined,
      "shop.a: the request does not have query v like [0-9]+",
    ],
    [
      "another host",
      "      a: { match: { path: /x, hosts: [staff] } }\n",
      "GET /x",
      "none",
      undefined,
      "shop.a: it is at admin.example.com only",
    ],
  ])("%s", (_, routes, line, outcome, allow, why) => {
    const explanation = explained(routes, line, { "x-v": "2" });
    expect([explanation.outcome, explanation.route, explanation.allow]).toEqual([outcome, undefined, allow]);
    expect(reasons(explanation)).toEqual([why]);
  });

  it("is told of ten at most", () => {
    const routes = Array.from(
      { length: 14 },
      (_, index) => `      r${index}: { match: { path: /x, methods: [PUT], query: { q${index}: '1' } } }\n`,
    );
    const { others, left } = explained(
      `${routes.join("")}      w: { match: { path: /x } }\n`,
      `PUT /x?${Array.from({ length: 14 }, (_, index) => `q${index}=1`).join("&")}`,
    );
    expect([others.length, left]).toEqual([10, 4]);
  });

  it("a preflight is routed as the method that it asks for, whatever fields routes want", () => {
    const routes = "      a: { match: { path: /x, methods: [PUT], headers: { x-v: '9' } } }\n";
    expect(explained(routes, "OPTIONS /x", { "access-control-request-method": "PUT" }).route?.id).toBe(
      "shop.a",
    );
  });

  it("tells the gateway's hosts where there is no such host", () => {
    const { hosts } = explained("      a: { match: { path: /x } }\n", "GET https://other.test/x");
    expect(hosts).toEqual(["api.example.com", "admin.example.com", "{tenant}.example.com"]);
  });
});

describe("policies", () => {
  const written = `
gateway:
  hosts: { public: api.example.com }
  clientIp: connection
  policies:
    requestId: {}
    cors: { origins: [https://a.example.com], maxAge: 1m }
    rateLimit: { limits: [{ name: all, rate: 9/1m, key: ip }, { name: own, rate: 5/1m, key: identity }] }
issuers:
  main: { issuer: main, audiences: [shop], algorithms: [HS256], secret: { env: SECRET } }
upstreams: { one: { targets: { main: { binding: ONE } } } }
apis:
  shop:
    upstream: one
    policies:
      jwt: { scopes: { any: [read] } }
      authorize: { allow: "identity.subject == 'ann'" }
    routes:
      one:
        match: { path: /one }
        policies:
          cors: { inherit: true, maxAge: 2m }
          jwt: { inherit: false }
          rateLimit: { limits: [{ name: more, rate: 5/1m, key: ip }] }
          authorize: none
          cache: { ttl: 10s }
      two: { match: { path: /two }, public: true }
      three: { match: { path: /three, methods: [POST] } }
`;
  const shop = anatomy(sourcesOf({ "all.yaml": written }));
  const lines = (line: string): string[] =>
    explain(shop, asked(line), linkRouter).policies.map(
      ({ policy, stage, place, how, runs }) =>
        `${policy}${stage === undefined ? "" : `/${stage}`} ${place === undefined ? "-" : `${place.line}:${place.column}`} ${how}${runs ? "" : " (idle)"}`,
    );

  it("stand in the order in which they run, each with where it is written and how it came there", () => {
    expect(lines("GET /one")).toEqual([
      "requestId 6:5 from the gateway",
      "cors 22:11 adds to the keys of that of the gateway",
      "rateLimit/before-identity 8:5 from the gateway",
      "rateLimit/before-identity 24:11 holds beside that of the gateway",
      "jwt 23:11 replaces that of the api",
      "identity - follows from jwt: it has to pass",
      "rateLimit/after-identity 8:5 from the gateway",
      "rateLimit/after-identity 24:11 holds beside that of the gateway",
      "cache 26:11 written here",
    ]);
  });

  it("show the settings that hold, inherited ones too", () => {
    const { policies } = explain(shop, asked("GET /one"), linkRouter);
    expect(policies.find(({ policy }) => policy === "cors")?.config).toEqual({
      maxAge: "2m",
      origins: ["https://a.example.com"],
    });
  });

  it.each([
    ["none", "GET /one", [["authorize", 17, 25, "none"]]],
    [
      "public",
      "GET /two",
      [
        ["jwt", 16, 27, "public"],
        ["authorize", 17, 27, "public"],
      ],
    ],
  ] as const)("that are taken away by `%s` are told", (_, line, removed) => {
    const told = explain(shop, asked(line), linkRouter).removed;
    expect(
      told.map(({ policy, stands, removedAt, by }) => [policy, stands.line, removedAt.line, by]),
    ).toEqual(removed);
  });

  it("of other routes are told where they have something to do here", () => {
    expect(lines("POST /three").at(-1)).toBe(
      "cache - other routes have it: this one forgets what its requests change of theirs",
    );
  });

  it("of the gateway hold for what no route takes", () => {
    expect(lines("GET /none").map((line) => line.split(" ")[0])).toEqual(["requestId", "cors", "rateLimit"]);
  });
});

const ROOT = path.resolve(import.meta.dirname, "../..");
const GOLDEN = path.join(ROOT, "test/golden/waists");
/** Routes that meet in every way. */
const MEETING = `apis:
  shop:
    public: true
    upstream: one
    routes:
      host: { match: { pathPrefix: /a, hosts: [public] } }
      wild: { match: { path: /a/b, hosts: [tenants] } }
      prefix: { match: { pathPrefix: /a/b } }
      full: { match: { path: /a/b, methods: [GET] } }
      head: { match: { path: /a/b, methods: [HEAD] } }
      param: { match: [{ path: "/a/{id}" }, { path: "/{top}/b", query: { x: { present: true } } }] }
      mixed: { match: { path: "/a/{base}.{end}" } }
      rest: { match: { path: "/a/{rest...}" } }
      regex: { match: { pathRegex: "/[ab]/[a-z.]+" } }
      field: { match: { path: /a/b, methods: [GET], headers: { x: { present: true } } } }
      query: { match: { path: /a/b, methods: [GET], query: { x: { present: true } } } }
      first: { match: { path: /a/b, methods: [GET], query: { y: { present: true } } }, before: [shop.field, shop.query] }
`;

const readAt = (folder: string): Promise<Sources> =>
  readSources(path.join(folder, "policies"), path.join(folder, "openapi"));

const SETS: readonly [string, () => Promise<Sources>, string?][] = [
  ["the shop", () => readAt(ROOT), "production"],
  ["the shop on a developer's machine", () => readAt(ROOT), "local"],
  ["everything", () => readAt(path.join(GOLDEN, "everything")), "production"],
  ["routes that meet in every way", async () => sourcesOf({ "gateway.yaml": GATEWAY, "shop.yaml": MEETING })],
];

/** A request that may well meet one of the routes: their hosts, segments and methods, and others among them. */
const requests = ({ routes }: Anatomy): fc.Arbitrary<Routable> => {
  const matches = routes.flatMap((route) => route.matches);
  const words = matches.flatMap(({ segments }) =>
    segments.map((segment) => (segment.kind === "literal" ? segment.text : "x")),
  );
  const hosts = matches.flatMap((match) =>
    match.hosts.map(({ pattern }) =>
      pattern.kind === "exact" ? pattern.text : pattern.kind === "any" ? "any.test" : `t${pattern.text}`,
    ),
  );
  const conditions = matches.flatMap(({ query, headers }) => [...query, ...headers]);
  const text = conditions.flatMap(({ name, value, regex }) => [
    [name, value ?? regex?.example ?? "1"] as const,
  ]);
  const pairs = fc.uniqueArray(fc.constantFrom(["x", "1"] as const, ...text), {
    maxLength: 3,
    selector: ([name]) => name,
  });
  const template = fc
    .constantFrom(...matches)
    .map(({ segments }) =>
      segments.map((segment) =>
        segment.kind === "literal" ? segment.text : segment.kind === "mixed" ? segment.texts.join("y") : "y",
      ),
    );
  const free = fc.array(fc.constantFrom("x", "42", ...words), { maxLength: 4 });
  return fc
    .record({
      method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"),
      host: fc.constantFrom("other.test", ...hosts),
      segments: fc.oneof(template, free),
      slash: fc.constantFrom("", "", "", "/"),
      query: pairs,
      fields: pairs,
    })
    .map(({ method, host, segments, slash, query, fields }) => ({
      method,
      host,
      path: `/${segments.filter((segment) => segment !== "").join("/")}${segments.length > 0 ? slash : ""}`.replace(
        /\/+$/,
        slash === "" && segments.length > 0 ? "" : "/",
      ),
      query: query.length === 0 ? "" : `?${new URLSearchParams(query.map(([name, value]) => [name, value]))}`,
      request: { headers: new Headers(fields.map(([name, value]) => [name, value] as [string, string])) },
      preflightMethod: undefined,
    }));
};

describe.each(SETS)("%s", (_, read, environment) => {
  const given = read().then((sources) => anatomy(sources, environment));

  it("is explained as the product does it, whatever the request", async () => {
    const one = await given;
    const rehearsal = new Rehearsal(one.plan);
    await fc.assert(
      fc.asyncProperty(requests(one), async (request) => {
        const { method, host, path: target, query } = request;
        const { headers } = request.request;
        const spoken = { method, url: `https://${host}${target}${query}`, headers };
        const said = await rehearsal.dispatch(spoken);
        const { outcome, route } = explain(one, request, linkRouter);
        const status = "answer" in said ? said.answer.status : undefined;
        expect(route?.id).toBe("route" in said ? said.route : undefined);
        expect(outcome).toBe(status === undefined ? "found" : status === 405 ? "method" : "none");
      }),
      { numRuns: 150 },
    );
  });

  it("has rules of precedence that say what the router does, of any two routes", async () => {
    const one = await given;
    const takes = (routes: readonly RouteIr[], request: Routable): number | undefined => {
      const routed = linkRouter(matcherPlan(plant(routes)))(request);
      return routed.outcome === "found" ? routed.route : undefined;
    };
    fc.assert(
      fc.property(requests(one), (request) => {
        const fits = one.routes.flatMap((route) =>
          route.matches.flatMap((match) =>
            match.hosts.flatMap((host) => {
              const alone = { ...route, matches: [{ ...match, hosts: [host] }] };
              return takes([alone], request) === undefined
                ? []
                : [{ route: alone, match, host: host.pattern }];
            }),
          ),
        );
        for (const first of fits)
          for (const second of fits) {
            if (first.route.id === second.route.id) continue;
            const { order } = precedence(first, second, request.method);
            expect(takes([first.route, second.route], request)).toBe(order < 0 ? 0 : 1);
          }
      }),
      { numRuns: 150 },
    );
  });
});
