import { describe, expect, it } from "vitest";
import { compiledApis, planOf, routeOf, stepsOf } from "../support/compiling.ts";

const DOCUMENT = `openapi: 3.1.0
servers: [{ url: https://elsewhere.example.com/base }]
paths:
  /orders:
    parameters: [{ name: tenant, in: query }]
    get: { operationId: listOrders, tags: [orders], parameters: [{ $ref: "#/components/parameters/Cursor" }, { name: x, in: header }] }
    post: { operationId: createOrder, tags: [orders, writing] }
  /orders/{orderId}:
    get: { operationId: getOrder, tags: [orders] }
  /reports:
    $ref: "#/x-items/reports"
  /healthz:
    get: { operationId: health, x-internal: true, tags: [orders] }
  /internal:
    x-internal: true
    get: { operationId: inside }
components: { parameters: { Cursor: { name: cursor, in: query } } }
x-items: { reports: { get: { operationId: report, tags: [staff] } } }
`;

const PUBLIC = "upstream: orders\n    public: true";
const api = (lines: string, document = DOCUMENT) =>
  compiledApis(`apis:\n  shop:\n    ${PUBLIC}\n    ${lines}\n`, { openapi: { "orders.yaml": document } });

const ids = (lines: string): string[] =>
  planOf(api(lines))
    .routes.map(({ id }) => id)
    .filter((id) => id.startsWith("shop."));

describe("from OpenAPI", () => {
  it.each([
    ["all", "all", ["shop.createOrder", "shop.getOrder", "shop.listOrders", "shop.report"]],
    ["those with a tag", "{ tags: [writing, staff] }", ["shop.createOrder", "shop.report"]],
    [
      "all but those with a tag",
      "{ except: { tags: [writing, staff] } }",
      ["shop.getOrder", "shop.listOrders"],
    ],
  ])("publishes %s, and never what is internal", (_, operations, expected) =>
    expect(ids(`openapi: { file: orders.yaml, operations: ${operations} }`)).toEqual(expected),
  );

  it("knows the query parameters that an operation declares, by reference and of its path too", () => {
    const plan = planOf(
      api(
        "openapi: { file: orders.yaml, operations: all }\n    routes: { listOrders: { policies: { cache: { ttl: 1s } } } }",
      ),
    );
    expect(stepsOf(plan, "shop.listOrders").find(({ policy }) => policy === "cache")?.step).toMatchObject({
      query: ["cursor", "tenant"],
    });
  });

  it("takes the prefix off for the upstream, and counts it as requests have it", () => {
    const plan = planOf(
      api("openapi: { file: orders.yaml, prefix: /caf%c3%a9/v2, operations: { tags: [staff] } }"),
    );
    expect(routeOf(plan, "shop.report").action).toEqual({
      kind: "forward",
      upstream: "orders",
      rewrite: { strip: "/caf%C3%A9/v2".length, prefix: "" },
    });
    expect(JSON.stringify(plan.matcher)).toContain('"caf%C3%A9"');
  });

  it("uses no servers of the document", () =>
    expect(JSON.stringify(planOf(api("openapi: { file: orders.yaml, operations: all }")))).not.toContain(
      "elsewhere",
    ));

  it("lets a route add hosts, headers and query to its operation's match", () => {
    const result = api(
      `openapi: { file: orders.yaml, operations: all }
    routes: { getOrder: { match: { hosts: [tenants], headers: { X-V: "2" }, query: { debug: { present: true } } } } }`,
    );
    const matcher = JSON.stringify(planOf(result).matcher);
    expect(matcher).toContain('"headers":[{"name":"x-v","value":"2"}],"query":[{"name":"debug"}]');
  });

  it("names host parameters to policies of routes on that host alone", () => {
    const on = (host: string) =>
      api(
        `hosts: [${host}]
    openapi: { file: orders.yaml, operations: { tags: [staff] } }
    routes: { report: { policies: { headers: { request: { set: { x-tenant: "{params.tenant}" } } } } } }`,
      ).codes;
    expect(on("tenants")).toEqual([]);
    expect(on("public")).toEqual(["template-unknown-name"]);
    expect(on("public, tenants")).toEqual(["template-unknown-name"]);
  });

  it("is read from JSON as from YAML", () => {
    const document = JSON.stringify({ openapi: "3.1.0", paths: { "/x": { get: { operationId: "x" } } } });
    const lines = "openapi: { file: orders.json, operations: all }";
    const result = compiledApis(`apis:\n  shop:\n    ${PUBLIC}\n    ${lines}\n`, {
      openapi: { "orders.json": document },
    });
    expect(planOf(result).routes.map(({ id }) => id)).toContain("shop.x");
  });

  it("may be the same document for two apis", () => {
    const one = (prefix: string) =>
      `{ upstream: orders, public: true, openapi: { file: orders.yaml, prefix: ${prefix}, operations: all } }`;
    const result = compiledApis(`apis:\n  a: ${one("/a")}\n  b: ${one("/b")}\n`, {
      openapi: { "orders.yaml": DOCUMENT },
    });
    expect(planOf(result).routes).toHaveLength(9);
  });

  it.each<[string, string, string, string[]]>([
    ["an id that is missing", "operationId: getOrder, ", "", ["operation-without-id"]],
    ["an id that stands twice", "operationId: getOrder", "operationId: listOrders", ["duplicate-name"]],
    ["an id that cannot name a route", "operationId: getOrder", "operationId: 'get \"order\"'", ["bad-name"]],
    ["OpenAPI 2", "openapi: 3.1.0", "swagger: '2.0'", ["openapi-version"]],
    ["OpenAPI 4", "openapi: 3.1.0", "openapi: 4.0.0", ["openapi-version"]],
    ["TRACE", "post: { operationId", "trace: { operationId", ["bad-method"]],
    ["a path without a slash", "/reports:", "reports:", ["bad-path"]],
    ["a path of the gateway's own", "/reports:", "/__postern/plan:", ["reserved-path"]],
    ["a parameter with a forbidden name", "/orders/{orderId}:", "/orders/{__proto__}:", ["forbidden-name"]],
    [
      "two operations that take the same requests",
      "/orders/{orderId}:\n    get",
      "/orders/{id}:\n    get: { operationId: again }\n  /orders/{orderId}:\n    get",
      ["identical-routes"],
    ],
    ["what is no YAML", "paths:", "paths: [", ["yaml-syntax"]],
  ])("refuses %s", (_, from, to, codes) => {
    expect(DOCUMENT).toContain(from);
    const found = api("openapi: { file: orders.yaml, operations: all }", DOCUMENT.replace(from, to)).codes;
    expect(found.filter((code) => code !== "undeclared-parameter")).toEqual(codes);
  });

  it.each([
    ["an id that is missing", "operationId: health, ", ""],
    ["an id that stands twice", "operationId: health", "operationId: getOrder"],
    ["TRACE", "/healthz:\n    get", "/healthz:\n    trace"],
  ])("has no word on %s where nothing of it is published", (_, from, to) =>
    expect(api("openapi: { file: orders.yaml, operations: all }", DOCUMENT.replace(from, to)).codes).toEqual([
      "undeclared-parameter",
    ]),
  );
});

describe("routes that are written", () => {
  const written = (route: string) =>
    compiledApis(`apis:\n  shop:\n    ${PUBLIC}\n    routes:\n      it: ${route}\n`).codes;

  it.each([
    ["a path", "{ match: { path: /x } }"],
    ["a path with methods of other standards", "{ match: { path: /x, methods: [PROPFIND, M-SEARCH] } }"],
    ["a list of matches", "{ match: [{ path: /x }, { pathPrefix: /y }] }"],
    ["the whole of everything", "{ match: {} }"],
    ["a trailing slash in a prefix", "{ match: { pathPrefix: /x/ } }"],
  ])("%s", (_, route) => expect(written(route)).toEqual([]));

  it.each([
    ["no match", "{ upstream: orders }", ["match-missing"]],
    ["an empty list", "{ match: [] }", ["bad-value"]],
    ["no methods", "{ match: { path: /x, methods: [] } }", ["bad-value"]],
    ["path and prefix", "{ match: { path: /x, pathPrefix: /y } }", ["conflicting-keys"]],
    ["a prefix with a parameter", '{ match: { pathPrefix: "/x/{y}" } }', ["bad-path"]],
    ["a host that is none", "{ match: { path: /x, hosts: [staff] } }", ["unknown-name"]],
    ["a path of the gateway's own", "{ match: { path: /__postern } }", ["reserved-path"]],
    ["a prefix of the gateway's own", "{ match: { pathPrefix: /__postern/x } }", ["reserved-path"]],
    ["CONNECT", "{ match: { path: /x, methods: [CONNECT] } }", ["bad-value"]],
    ["a header twice", '{ match: { path: /x, headers: { X: "1", x: "2" } } }', ["duplicate-header"]],
    [
      "a condition that is empty",
      "{ match: { path: /x, headers: { x: { present: false } } } }",
      ["bad-value"],
    ],
    [
      "a name that says nothing to machines",
      "{ match: { path: /x } }\n      'a b': { match: { path: /y } }",
      ["bad-name"],
    ],
  ])("%s is refused", (_, route, codes) => expect(written(route)).toEqual(codes));
});

describe("what routes change that others stored", () => {
  const apis = (cache: string) => `apis:
  orders:
    upstream: orders
    policies: { jwt: { issuers: [main] } }
    routes:
      read: { match: { path: /orders, methods: [GET] }${cache} }
      peek: { match: { path: /orders/x, methods: [GET, HEAD] } }
      write: { match: { path: /orders, methods: [POST] } }
`;
  const cachesOf = (cache: string, id: string) => {
    const plan = planOf(compiledApis(apis(cache)));
    return routeOf(plan, id).chain.flatMap((index) =>
      plan.steps[index]!.policy === "cache" ? [plan.steps[index]!.step] : [],
    );
  };
  const CACHE = ", policies: { cache: { ttl: 1m } }";

  it("is forgotten, wherever it is changed (RFC 9111 section 4.4)", () => {
    expect(cachesOf(CACHE, "orders.write")).toMatchObject([{ forgetOnly: true, perCaller: true }]);
    expect(cachesOf(CACHE, "orders.read")).toMatchObject([{ forgetOnly: false }]);
  });

  it("costs routes nothing that change nothing, or where nothing is stored", () => {
    expect(cachesOf(CACHE, "orders.peek")).toEqual([]);
    expect(cachesOf("", "orders.write")).toEqual([]);
  });
});

describe("a rewrite", () => {
  it("passes on what remains of a path as it is", () => {
    const apis = `apis:
  files:
    upstream: orders
    public: true
    routes: { all: { match: { path: "/files/{folder}/{rest...}" }, rewrite: { path: "/{params.folder}/v1/{params.rest}" } } }
`;
    expect(routeOf(planOf(compiledApis(apis)), "files.all").action).toMatchObject({
      rewrite: {
        path: [
          "/",
          { from: "params", name: "folder" },
          "/v1/",
          { from: "params", name: "rest", verbatim: true },
        ],
      },
    });
  });
});
