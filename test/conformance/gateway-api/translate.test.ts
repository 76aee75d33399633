import { describe, expect, it } from "vitest";
import type { Rule, RuleMatch, SuiteTest } from "./suite.ts";
import { ownHost, translate } from "./translate.ts";

const origins = { v1: "http://127.0.0.1:1", v2: "http://127.0.0.1:2" };

const rule = (backend: string, ...match: RuleMatch[]): Rule => ({ match, backends: [{ backend }] });

const testOf = (routes: SuiteTest["routes"]): SuiteTest => ({
  test: "Some (test)",
  needs: [],
  routes,
  cases: [],
});

/** The routes of a test by name, in their order. */
const routesOf = (routes: SuiteTest["routes"]): [string, unknown][] =>
  translate(testOf(routes), origins).flatMap((one) => Object.entries(one.routes));

const root: RuleMatch = { path: { type: "prefix", value: "/" } };

describe("a test", () => {
  it("whose routes take any host gets a host of its own", () => {
    expect(ownHost(testOf([]))).toBe("some-test.test");
    expect(translate(testOf([{ name: "a", rules: [rule("v1", root)] }]), origins)[0]!.hosts).toEqual({
      "h-some-test-test": "some-test.test",
    });
  });

  it("numbers rules by the name of their route, then by their place there", () => {
    const words = routesOf([
      { name: "b", rules: [rule("v1", { path: { type: "exact", value: "/b" } })] },
      {
        name: "a",
        rules: [
          rule("v1", { path: { type: "exact", value: "/a" } }),
          rule("v2", { path: { type: "exact", value: "/c" } }),
        ],
      },
    ]);
    expect(
      words.map(([name, words]) => [name, (words as { match: { path: string }[] }).match[0]!.path]),
    ).toEqual([
      ["r001", "/a"],
      ["r002", "/c"],
      ["r003", "/b"],
    ]);
  });

  it("lets the first of two equal predicates have it, whatever their case and order", () => {
    const headers = [
      { type: "exact", name: "One", value: "1" },
      { type: "exact", name: "two", value: "2" },
    ];
    const other = headers.toReversed().map((one) => ({ ...one, name: one.name.toUpperCase() }));
    const words = routesOf([
      {
        name: "a",
        rules: [
          rule("v1", { headers }),
          rule("v2", { ...root, headers: other }),
          rule("v2", { method: "GET" }),
        ],
      },
    ]);
    expect(words.map(([name]) => name)).toEqual(["r001", "r003"]);
  });

  it("serves nothing where a route is attached to nothing", () => {
    expect(routesOf([{ name: "a", effective_hosts: null, rules: [rule("v1", root)] }])).toEqual([]);
  });

  it("names the host that the backend has to see, but below a wildcard", () => {
    const words = routesOf([
      { name: "a", effective_hosts: ["x.test", "*.y.test"], rules: [rule("v1", root)] },
    ]);
    expect(words).toEqual([
      [
        "r001",
        { match: [{ pathPrefix: "/", hosts: ["h-x-test"] }], upstream: "v1", rewrite: { host: "x.test" } },
      ],
      ["r002", { match: [{ pathPrefix: "/", hosts: ["h-any-y-test"] }], upstream: "v1" }],
    ]);
  });
});

describe("a rule", () => {
  it.each<[string, Partial<Rule>, object]>([
    ["without a backend answers 500", { backends: [] }, { respond: { status: 500 } }],
    [
      "with one that is not there answers 500",
      { backends: [{ backend: "v9" }] },
      { respond: { status: 500 } },
    ],
    [
      "with another kind of backend answers 500",
      { backends: [{ backend: "v1", kind: "Bucket" }] },
      { respond: { status: 500 } },
    ],
    [
      "with a filter of its only backend does what that says",
      { backends: [{ backend: "v1", filters: [{ type: "rewrite", path: { replace_full: "/x" } }] }] },
      { upstream: "v1", rewrite: { path: "/x" } },
    ],
    ["without an end waits a day", { timeouts: { request: "0s" } }, { upstream: "v1", timeout: "1d" }],
    [
      "with a mirror by a fraction has a share",
      { filters: [{ type: "mirror", backend: "v2", fraction: [25, 50] }] },
      { upstream: "v1", mirror: [{ upstream: "v2", share: "50%" }] },
    ],
  ])("%s", (_, words, route) => {
    const [[, found] = []] = routesOf([{ name: "a", rules: [{ ...rule("v1", root), ...words }] }]);
    expect(found).toEqual({ match: [{ pathPrefix: "/", hosts: ["h-some-test-test"] }], ...route });
  });

  it("with weights has the backends as targets of one upstream", () => {
    const backends = [{ backend: "v1", weight: 9 }, { backend: "v2" }];
    const [one] = translate(testOf([{ name: "a", rules: [{ match: [root], backends }] }]), origins);
    expect(Object.values(one!.upstreams)).toEqual([
      { targets: { v1: { url: origins.v1, weight: 9 }, v2: { url: origins.v2, weight: 1 } } },
    ]);
  });

  it("with retries has an upstream that retries, the time of one try being its own", () => {
    const more = {
      retry: { attempts: 2, codes: [500] },
      timeouts: { backend_request: "200ms", request: "400ms" },
    };
    const [one] = translate(testOf([{ name: "a", rules: [{ ...rule("v1", root), ...more }] }]), origins);
    expect(Object.values(one!.upstreams)).toMatchObject([
      { retry: { retries: 2, perTryTimeout: "200ms", on: ["connect-error", "timeout", 500] } },
    ]);
    expect(Object.values(one!.routes)).toMatchObject([{ timeout: "400ms" }]);
  });
});
