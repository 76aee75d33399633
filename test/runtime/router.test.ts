import { describe, expect, it } from "vitest";
import { matcherPlan, plant } from "../../src/compiler/matcher.ts";
import github from "../conformance/routes/github.json" with { type: "json" };
import kubernetes from "../conformance/routes/kubernetes.json" with { type: "json" };
import { seededRandom } from "../support/ports.ts";
import { type RouteWords, requestOf, routed, routeOf, routerOf } from "../support/routes.ts";

const table: [what: string, routes: RouteWords[], method: string, url: string, expected: string][] = [
  ["an exact path takes itself", [{ id: "a.x", path: "/orders" }], "GET", "/orders", "a.x"],
  ["exact is exact: no trailing slash", [{ id: "a.x", path: "/orders" }], "GET", "/orders/", "none"],
  [
    "exact is exact: a trailing slash is part of it",
    [{ id: "a.x", path: "/orders/" }],
    "GET",
    "/orders",
    "none",
  ],
  ["a path with a trailing slash takes itself", [{ id: "a.x", path: "/orders/" }], "GET", "/orders/", "a.x"],
  ["paths are case-sensitive", [{ id: "a.x", path: "/orders" }], "GET", "/Orders", "none"],
  ["the root takes the root", [{ id: "a.x", path: "/" }], "GET", "/", "a.x"],
  ["the root takes nothing else", [{ id: "a.x", path: "/" }], "GET", "/x", "none"],
  ["a prefix takes its own path", [{ id: "a.p", prefix: "/orders" }], "GET", "/orders", "a.p"],
  ["a prefix takes a trailing slash", [{ id: "a.p", prefix: "/orders" }], "GET", "/orders/", "a.p"],
  ["a prefix takes what is below", [{ id: "a.p", prefix: "/orders" }], "GET", "/orders/1/items", "a.p"],
  ["a prefix goes by segments", [{ id: "a.p", prefix: "/orders" }], "GET", "/ordersX", "none"],
  ["a trailing slash of a prefix is ignored", [{ id: "a.p", prefix: "/orders/" }], "GET", "/orders", "a.p"],
  ["the empty prefix takes everything", [{ id: "a.p", prefix: "/" }], "GET", "/a/b/c", "a.p"],
  [
    "a longer prefix goes first",
    [
      { id: "a.p", prefix: "/a" },
      { id: "a.q", prefix: "/a/b" },
    ],
    "GET",
    "/a/b/c",
    "a.q",
  ],
  [
    "a shorter prefix takes the rest",
    [
      { id: "a.p", prefix: "/a" },
      { id: "a.q", prefix: "/a/b" },
    ],
    "GET",
    "/a/c",
    "a.p",
  ],
  [
    "a literal goes before a parameter",
    [
      { id: "a.l", path: "/a/me" },
      { id: "a.p", path: "/a/{id}" },
    ],
    "GET",
    "/a/me",
    "a.l",
  ],
  ["a parameter takes one segment", [{ id: "a.p", path: "/a/{id}" }], "GET", "/a/b/c", "none"],
  ["a parameter is not empty", [{ id: "a.p", path: "/a/{id}" }], "GET", "/a/", "none"],
  [
    "a parameter goes before the rest",
    [
      { id: "a.p", path: "/a/{id}" },
      { id: "a.r", path: "/a/{rest...}" },
    ],
    "GET",
    "/a/b",
    "a.p",
  ],
  [
    "text and parameters share a segment",
    [{ id: "a.c", path: "/c/{base}...{head}" }],
    "GET",
    "/c/main...fix.1",
    "a.c",
  ],
  [
    "a segment without the text is another",
    [{ id: "a.c", path: "/c/{base}...{head}" }],
    "GET",
    "/c/main",
    "none",
  ],
  [
    "the parameters of a mixed segment are not empty",
    [{ id: "a.c", path: "/c/{name}.json" }],
    "GET",
    "/c/.json",
    "none",
  ],
  [
    "a mixed segment goes before a parameter",
    [
      { id: "a.p", path: "/c/{x}" },
      { id: "a.c", path: "/c/{name}.json" },
    ],
    "GET",
    "/c/a.b.json",
    "a.c",
  ],
  [
    "more text goes first",
    [
      { id: "a.s", path: "/c/{x}.json" },
      { id: "a.l", path: "/c/v{x}.json" },
    ],
    "GET",
    "/c/v1.json",
    "a.l",
  ],
  [
    "a literal goes before a mixed segment",
    [
      { id: "a.l", path: "/c/a.json" },
      { id: "a.m", path: "/c/{x}.json" },
    ],
    "GET",
    "/c/a.json",
    "a.l",
  ],
  ["the rest takes several segments", [{ id: "a.r", path: "/a/{rest...}" }], "GET", "/a/b/c", "a.r"],
  ["the rest may be empty after a slash", [{ id: "a.r", path: "/a/{rest...}" }], "GET", "/a/", "a.r"],
  ["the rest needs its slash", [{ id: "a.r", path: "/a/{rest...}" }], "GET", "/a", "none"],
  [
    "a full path goes before a prefix",
    [
      { id: "a.f", path: "/a/b" },
      { id: "a.p", prefix: "/a/b" },
    ],
    "GET",
    "/a/b",
    "a.f",
  ],
  [
    "literals decide from the left",
    [
      { id: "a.x", path: "/{v}/b/c" },
      { id: "a.y", path: "/a/{v}/d" },
    ],
    "GET",
    "/a/b/d",
    "a.y",
  ],
  [
    "what fails further down is tried elsewhere",
    [
      { id: "a.x", path: "/a/{v}/d" },
      { id: "a.y", path: "/{v}/b/c" },
    ],
    "GET",
    "/a/b/c",
    "a.y",
  ],
  [
    "the method decides where paths differ in kind",
    [
      { id: "a.l", path: "/a/me", methods: ["POST"] },
      { id: "a.p", path: "/a/{id}", methods: ["GET"] },
    ],
    "GET",
    "/a/me",
    "a.p",
  ],
  [
    "a method goes before any method",
    [
      { id: "a.any", path: "/a" },
      { id: "a.get", path: "/a", methods: ["GET"] },
    ],
    "GET",
    "/a",
    "a.get",
  ],
  [
    "any method takes the others",
    [
      { id: "a.any", path: "/a" },
      { id: "a.get", path: "/a", methods: ["GET"] },
    ],
    "PUT",
    "/a",
    "a.any",
  ],
  [
    "HEAD is answered wherever GET is",
    [{ id: "a.get", path: "/a", methods: ["GET"] }],
    "HEAD",
    "/a",
    "a.get",
  ],
  [
    "an explicit HEAD goes before GET",
    [
      { id: "a.get", path: "/a", methods: ["GET"] },
      { id: "a.head", path: "/a", methods: ["HEAD"] },
    ],
    "HEAD",
    "/a",
    "a.head",
  ],
  [
    "another method is told which there are",
    [
      { id: "a.get", path: "/a", methods: ["GET"] },
      { id: "a.put", path: "/a", methods: ["PUT"] },
    ],
    "POST",
    "/a",
    "allow GET,HEAD,PUT",
  ],
  ["no such path has no methods", [{ id: "a.get", path: "/a", methods: ["GET"] }], "POST", "/b", "none"],
  [
    "more headers go first",
    [
      { id: "a.one", path: "/a", headers: [{ name: "x-a" }] },
      { id: "a.two", path: "/a", headers: [{ name: "x-a" }, { name: "x-b" }] },
    ],
    "GET",
    "/a#x-a=1,x-b=1",
    "a.two",
  ],
  [
    "a header must have its value",
    [{ id: "a.v2", path: "/a", headers: [{ name: "x-version", value: "2" }] }],
    "GET",
    "/a#x-version=1",
    "none",
  ],
  [
    "a header's name has no case",
    [{ id: "a.v2", path: "/a", headers: [{ name: "x-version", value: "2" }] }],
    "GET",
    "/a#X-Version=2",
    "a.v2",
  ],
  [
    "a query parameter must be there",
    [{ id: "a.q", path: "/a", query: [{ name: "debug", value: "1" }] }],
    "GET",
    "/a?debug=1",
    "a.q",
  ],
  [
    "the first value of a parameter counts",
    [{ id: "a.q", path: "/a", query: [{ name: "debug", value: "1" }] }],
    "GET",
    "/a?debug=2&debug=1",
    "none",
  ],
  [
    "the first in the alphabet takes a tie",
    [
      { id: "a.z", path: "/a", headers: [{ name: "x-b" }] },
      { id: "a.y", path: "/a", headers: [{ name: "x-a" }] },
    ],
    "GET",
    "/a#x-a=1,x-b=1",
    "a.y",
  ],
  [
    "`before` breaks a tie on purpose",
    [
      { id: "a.z", path: "/a", headers: [{ name: "x-b" }], before: ["a.y"] },
      { id: "a.y", path: "/a", headers: [{ name: "x-a" }] },
    ],
    "GET",
    "/a#x-a=1,x-b=1",
    "a.z",
  ],
  [
    "an exact host goes before a wildcard",
    [
      { id: "a.w", path: "/a", hosts: ["*.example.com"] },
      { id: "a.e", path: "/a", hosts: ["api.example.com"] },
    ],
    "GET",
    "https://api.example.com/a",
    "a.e",
  ],
  [
    "a wildcard takes several labels",
    [{ id: "a.w", path: "/a", hosts: ["*.example.com"] }],
    "GET",
    "https://x.y.example.com/a",
    "a.w",
  ],
  [
    "a wildcard never takes its own domain",
    [{ id: "a.w", path: "/a", hosts: ["*.example.com"] }],
    "GET",
    "https://example.com/a",
    "none",
  ],
  [
    "a host parameter takes one label",
    [{ id: "a.t", path: "/a", hosts: ["{tenant}.example.com"] }],
    "GET",
    "https://x.y.example.com/a",
    "none",
  ],
  [
    "a longer wildcard goes first",
    [
      { id: "a.s", path: "/a", hosts: ["*.example.com"] },
      { id: "a.l", path: "/a", hosts: ["*.shop.example.com"] },
    ],
    "GET",
    "https://x.shop.example.com/a",
    "a.l",
  ],
  [
    "a less specific host takes what the specific one has not",
    [
      { id: "a.w", path: "/b", hosts: ["*.example.com"] },
      { id: "a.e", path: "/a", hosts: ["api.example.com"] },
    ],
    "GET",
    "https://api.example.com/b",
    "a.w",
  ],
  [
    "another host is nobody's",
    [{ id: "a.e", path: "/a", hosts: ["api.example.com"] }],
    "GET",
    "https://evil.example/a",
    "none",
  ],
  [
    "a preflight is routed as the method that it asks for",
    [{ id: "a.put", path: "/a", methods: ["PUT"], headers: [{ name: "x-a" }] }],
    "OPTIONS",
    "/a#access-control-request-method=PUT",
    "a.put",
  ],
  [
    "names of JavaScript's own are plain segments",
    [{ id: "a.p", path: "/{id}" }],
    "GET",
    "/__proto__",
    "a.p",
  ],
  [
    "a literal with the name of a prototype is only itself",
    [{ id: "a.c", path: "/constructor" }],
    "GET",
    "/toString",
    "none",
  ],
  [
    "a method with the name of a prototype is no method",
    [{ id: "a.g", path: "/a", methods: ["GET"] }],
    "__proto__",
    "/a",
    "allow GET,HEAD",
  ],
  [
    "a regular expression takes the whole path",
    [{ id: "a.r", regex: "/v[0-9]+/orders" }],
    "GET",
    "/v12/orders",
    "a.r",
  ],
  [
    "a regular expression takes no more than the whole path",
    [{ id: "a.r", regex: "/v[0-9]+/orders" }],
    "GET",
    "/v12/orders/",
    "none",
  ],
  [
    "a regular expression takes no part of the path",
    [{ id: "a.r", regex: "/.*orders" }],
    "GET",
    "/my-orders/1",
    "none",
  ],
  [
    "a full path goes before a regular expression",
    [
      { id: "a.a", regex: "/orders" },
      { id: "a.z", path: "/orders" },
    ],
    "GET",
    "/orders",
    "a.z",
  ],
  [
    "any prefix goes before any regular expression",
    [
      { id: "a.a", regex: "/orders/[0-9]+" },
      { id: "a.z", prefix: "/" },
    ],
    "GET",
    "/orders/1",
    "a.z",
  ],
  [
    "what remains goes before a regular expression",
    [
      { id: "a.a", regex: "/orders/[0-9]+" },
      { id: "a.z", path: "/{rest...}" },
    ],
    "GET",
    "/orders/1",
    "a.z",
  ],
  [
    "a regular expression takes what a path with another method leaves",
    [
      { id: "a.p", path: "/orders", methods: ["POST"] },
      { id: "a.r", regex: "/o.*", methods: ["GET"] },
    ],
    "GET",
    "/orders",
    "a.r",
  ],
  [
    "a regular expression takes what a path with other headers leaves",
    [
      { id: "a.p", path: "/orders", headers: [{ name: "x-a" }] },
      { id: "a.r", regex: "/o.*" },
    ],
    "GET",
    "/orders",
    "a.r",
  ],
  [
    "the host goes before the kind of path",
    [
      { id: "a.w", path: "/orders", hosts: ["*.example.com"] },
      { id: "a.r", regex: "/o.*", hosts: ["api.example.com"] },
    ],
    "GET",
    "/orders",
    "a.r",
  ],
  [
    "a less specific host's regular expression takes what the specific one has not",
    [
      { id: "a.w", regex: "/o.*", hosts: ["*.example.com"] },
      { id: "a.e", path: "/users", hosts: ["api.example.com"] },
    ],
    "GET",
    "/orders",
    "a.w",
  ],
  [
    "among regular expressions the method decides",
    [
      { id: "a.any", regex: "/orders/[0-9]+" },
      { id: "a.get", regex: "/o.*", methods: ["GET"] },
    ],
    "GET",
    "/orders/1",
    "a.get",
  ],
  [
    "among regular expressions more headers go first",
    [
      { id: "a.a", regex: "/orders/[0-9]+" },
      { id: "a.z", regex: "/o.*", headers: [{ name: "x-a" }] },
    ],
    "GET",
    "/orders/1#x-a=1",
    "a.z",
  ],
  [
    "among regular expressions more query parameters go first",
    [
      { id: "a.a", regex: "/orders/[0-9]+" },
      { id: "a.z", regex: "/o.*", query: [{ name: "q" }] },
    ],
    "GET",
    "/orders/1?q",
    "a.z",
  ],
  [
    "regular expressions that tie go by the alphabet, however long they are",
    [
      { id: "a.z", regex: "/orders/[0-9]+" },
      { id: "a.a", regex: "/o.*" },
    ],
    "GET",
    "/orders/1",
    "a.a",
  ],
  [
    "`before` puts one regular expression in front of another",
    [
      { id: "a.z", regex: "/orders/[0-9]+", before: ["a.a"] },
      { id: "a.a", regex: "/o.*" },
    ],
    "GET",
    "/orders/1",
    "a.z",
  ],
  [
    "the next regular expression is tried when headers do not fit",
    [
      { id: "a.a", regex: "/o.*", headers: [{ name: "x-a" }] },
      { id: "a.z", regex: "/orders/[0-9]+" },
    ],
    "GET",
    "/orders/1",
    "a.z",
  ],
  [
    "HEAD is answered wherever GET is, by regular expression too",
    [{ id: "a.r", regex: "/o.*", methods: ["GET"] }],
    "HEAD",
    "/orders",
    "a.r",
  ],
  [
    "a path known by regular expression with another method",
    [
      { id: "a.r", regex: "/o.*", methods: ["GET"] },
      { id: "a.s", regex: "/.*s", methods: ["PUT"] },
      { id: "a.t", regex: "/x.*", methods: ["DELETE"] },
    ],
    "POST",
    "/orders",
    "allow GET,HEAD,PUT",
  ],
  [
    "methods of paths and of regular expressions are told together",
    [
      { id: "a.p", path: "/orders", methods: ["PUT"] },
      { id: "a.r", regex: "/o.*", methods: ["GET"] },
    ],
    "POST",
    "/orders",
    "allow GET,HEAD,PUT",
  ],
  [
    "a method that lacks only a header is no other method",
    [
      { id: "a.p", regex: "/o.*", methods: ["POST"], headers: [{ name: "x-a" }] },
      { id: "a.r", regex: "/o.*", methods: ["GET"] },
    ],
    "POST",
    "/orders",
    "none",
  ],
  [
    "no such path by regular expression has no methods",
    [{ id: "a.r", regex: "/o.*", methods: ["GET"] }],
    "POST",
    "/users",
    "none",
  ],
  [
    "a header fits a regular expression as a whole",
    [{ id: "a.i", path: "/a", headers: [{ name: "x-client", regex: "ios/.*" }] }],
    "GET",
    "/a#x-client=ios/17",
    "a.i",
  ],
  [
    "a part of a header's value is not enough, at its front",
    [{ id: "a.i", path: "/a", headers: [{ name: "x-client", regex: "ios/.*" }] }],
    "GET",
    "/a#x-client=my-ios/17",
    "none",
  ],
  [
    "a part of a header's value is not enough, at its end",
    [{ id: "a.i", path: "/a", headers: [{ name: "x-client", regex: "ios" }] }],
    "GET",
    "/a#x-client=ios/17",
    "none",
  ],
  [
    "a header that is not there fits no regular expression",
    [{ id: "a.i", path: "/a", headers: [{ name: "x-client", regex: ".*" }] }],
    "GET",
    "/a",
    "none",
  ],
  [
    "a query parameter fits a regular expression decoded",
    [{ id: "a.q", path: "/a", query: [{ name: "q", regex: "[a-z]+ é" }] }],
    "GET",
    "/a?q=abc+%C3%A9",
    "a.q",
  ],
  [
    "a query parameter that does not fit",
    [{ id: "a.q", path: "/a", query: [{ name: "q", regex: "[0-9]+" }] }],
    "GET",
    "/a?q=1x",
    "none",
  ],
  [
    "the first value of a parameter is the one that must fit",
    [{ id: "a.q", path: "/a", query: [{ name: "q", regex: "[0-9]+" }] }],
    "GET",
    "/a?q=x&q=1",
    "none",
  ],
  [
    "a preflight goes by the method and the regular expression of the path, headers ignored",
    [
      { id: "a.put", regex: "/o.*", methods: ["PUT"], headers: [{ name: "x-a", regex: "[0-9]+" }] },
      { id: "a.get", regex: "/.*", methods: ["GET"] },
    ],
    "OPTIONS",
    "/orders#access-control-request-method=PUT",
    "a.put",
  ],
];

/** `/path#name=value` stands for a path and headers. */
const read = (method: string, url: string) => {
  const [target, words = ""] = url.split("#");
  return requestOf(
    method,
    target!,
    Object.fromEntries(
      words
        .split(",")
        .filter(Boolean)
        .map((word) => word.split("=") as [string, string]),
    ),
  );
};

describe("the router", () => {
  it.each(table)("%s", (_, words, method, url, expected) => {
    const routes = words.map(routeOf);
    expect(routed(routerOf(routes), routes, read(method, url))).toBe(expected);
    const reversed = [...routes].reverse();
    expect(routed(routerOf(reversed), reversed, read(method, url)), "in reverse order of definition").toBe(
      expected,
    );
  });

  it("captures decoded parameters of path and host", () => {
    const router = routerOf([
      routeOf({ id: "a.x", path: "/a/{one}/{rest...}", hosts: ["{tenant}.example.com"] }),
    ]);
    expect(router(requestOf("GET", "https://acme.example.com/a/x%20y/b/c"))).toEqual({
      outcome: "found",
      route: 0,
      params: { one: "x y", rest: "b/c", tenant: "acme" },
    });
  });

  it("captures every parameter of a mixed segment", () => {
    const router = routerOf([routeOf({ id: "a.x", path: "/c/v{major}.{minor}-{tag}" })]);
    expect(router(requestOf("GET", "/c/v1.2.3-rc"))).toEqual({
      outcome: "found",
      route: 0,
      params: { major: "1", minor: "2.3", tag: "rc" },
    });
  });

  it("leaves what remains as path text: an encoded slash in it is no border", () => {
    const router = routerOf([routeOf({ id: "a.x", path: "/a/{one}/{rest...}" })]);
    const found = router({ ...requestOf("GET", "/"), path: "/a/x%2Fy/b%2Fc/d%20e" });
    expect(found).toMatchObject({ params: { one: "x/y", rest: "b%2Fc/d%20e" } });
  });

  it("captures nothing of a branch that it left again", () => {
    const router = routerOf([
      routeOf({ id: "a.x", path: "/{a}/{b}/x" }),
      routeOf({ id: "a.y", path: "/{c}/{rest...}" }),
    ]);
    expect(router(requestOf("GET", "/1/2/3"))).toEqual({
      outcome: "found",
      route: 1,
      params: { c: "1", rest: "2/3" },
    });
  });
});

describe("regular expressions in a plan", () => {
  const expressions: RouteWords[] = [
    { id: "a.a", regex: "/(?:a|b)/x", headers: [{ name: "x-v", regex: "[ab]" }] },
    { id: "a.b", regex: "/[ab]/x", methods: ["PUT"] },
    { id: "a.c", path: "/c", query: [{ name: "v", regex: "a|b" }] },
  ];

  it("are stored once where they take the same texts, however they are written", () => {
    const plan = matcherPlan(plant(expressions.map(routeOf)));
    expect(plan.regexes).toHaveLength(2);
    expect(plan.trees[0]!.regex!.any).toEqual([
      { route: 0, regex: 1, params: [], headers: [{ name: "x-v", regex: 0 }] },
    ]);
    expect(plan.trees[0]!.literals!["c"]!.full!.any).toMatchObject([{ query: [{ name: "v", regex: 0 }] }]);
  });

  it("leave no trace where there are none", () => {
    const plan = matcherPlan(
      plant([routeOf({ id: "a.x", path: "/a", headers: [{ name: "x", value: "1" }] })]),
    );
    expect(JSON.stringify(plan)).not.toContain("regex");
  });

  it("capture nothing, and leave the host's parameter", () => {
    const words = { id: "a.r", regex: "/(v[0-9]+)/(.*)", hosts: ["{tenant}.example.com"] };
    expect(routerOf([routeOf(words)])(requestOf("GET", "https://acme.example.com/v1/x"))).toEqual({
      outcome: "found",
      route: 0,
      params: { tenant: "acme" },
    });
  });

  it("are compared with the normalized path, escapes and all", () => {
    const routes = [routeOf({ id: "a.r", regex: "/a%20b/.*" })];
    const request = { ...requestOf("GET", "/"), path: "/a%20b/c%2Fd" };
    expect(routed(routerOf(routes), routes, request)).toBe("a.r");
  });

  it("read a header of 64 KB in less than 5 ms (S24)", () => {
    const hostile = ["(a+)+b", "(a|aa)+b", "(.*a){12}b", "([a-z]+)*[0-9]"];
    const router = routerOf([
      routeOf({
        id: "a.h",
        path: "/a",
        headers: hostile.map((regex, index) => ({ name: `x-${index}`, regex: `${regex}|a+` })),
      }),
    ]);
    const value = "a".repeat(65_536);
    const headers = Object.fromEntries(hostile.map((_, index) => [`x-${index}`, value]));
    const taken = [1, 2, 3, 4, 5].map(() => {
      const request = requestOf("GET", "/a", headers);
      const begun = performance.now();
      expect(router(request)).toMatchObject({ outcome: "found" });
      return (performance.now() - begun) / hostile.length;
    });
    expect(Math.min(...taken)).toBeLessThan(5);
  });

  it("read a path of 64 KB that fits none of a hundred in no time", () => {
    const routes = Array.from({ length: 100 }, (_, index) =>
      routeOf({ id: `a.r${index}`, regex: `/(?:[a-z]+)+${index}`, methods: ["GET"] }),
    );
    const router = routerOf(routes);
    const request = { ...requestOf("POST", "/"), path: `/${"a".repeat(65_535)}` };
    router(request);
    const begun = performance.now();
    expect(router(request)).toEqual({ outcome: "none" });
    // Each reads it once: some tenths of a millisecond. With backtracking this would not end.
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});

type Triple = [method: string, path: string, id: string];
const real: Triple[] = [
  ...(github as Triple[]),
  ...(kubernetes as Triple[]).map(([method, path, id]): Triple => [method, path, id]),
];

/** A path that only its own template should take: parameters get values that are no literal anywhere. */
const exampleOf = (template: string, index: number): string =>
  template.replace(/\{[^}]+\}/g, (name) => `v${index}-${name.length}`);

const shuffled = <T>(list: readonly T[], seed: number): T[] => {
  const random = seededRandom(seed);
  return list
    .map((value) => [random(), value] as const)
    .sort(([one], [other]) => one - other)
    .map(([, value]) => value);
};

describe("2,237 real routes", () => {
  it.each([
    ["as written", 0],
    ["reversed", -1],
    ["shuffled", 7],
    ["shuffled again", 11],
  ])("each finds its own route, %s", (_, seed) => {
    const routes = real.map(([method, path, id]) =>
      routeOf({ id: `${id.includes("/") ? "github" : "kubernetes"}.${id}`, path, methods: [method] }),
    );
    const ordered = seed === 0 ? routes : seed < 0 ? [...routes].reverse() : shuffled(routes, seed);
    const router = routerOf(ordered);
    const wrong = real.flatMap(([method, path, id], index) => {
      const found = routed(router, ordered, requestOf(method, exampleOf(path, index)));
      return found.endsWith(`.${id}`) ? [] : [`${method} ${path}: ${found} instead of ${id}`];
    });
    expect(real).toHaveLength(2237);
    expect(wrong).toEqual([]);
  });
});
