import { describe, expect, it } from "vitest";
import { type Compiled, compiledApis, planOf, routeOf } from "../support/compiling.ts";

/** One public route with an action, written as the lines of a map. */
const route = (match: string, action: string, api = ""): Compiled =>
  compiledApis(`apis:
  shop:
    public: true
    ${api}
    routes:
      it:
        match: ${match}
        ${action.replaceAll("\n", "\n        ")}
`);

const action = (result: Compiled): unknown => routeOf(planOf(result), "shop.it").action;
const ORDER = '{ path: "/orders/{id}" }';

describe("forwarding", () => {
  it.each([
    ["to the api's upstream", "{ path: /x }", "", "upstream: orders", { upstream: "orders" }],
    ["to its own", "{ path: /x }", "upstream: orders", "", { upstream: "orders" }],
    [
      "with its own timeout",
      "{ path: /x }",
      "timeout: 2s",
      "upstream: orders\n    timeout: 9s",
      { timeoutMs: 2000 },
    ],
    ["with the api's timeout", "{ path: /x }", "", "upstream: orders\n    timeout: 9s", { timeoutMs: 9000 }],
    [
      "a whole path",
      ORDER,
      'rewrite: { path: "/internal/{params.id}" }',
      "upstream: orders",
      { rewrite: { path: ["/internal/", { from: "params", name: "id" }] } },
    ],
    [
      "another prefix",
      "{ pathPrefix: /orders/ }",
      "rewrite: { prefix: /v1/ }",
      "upstream: orders",
      { rewrite: { strip: 7, prefix: "/v1" } },
    ],
    [
      "no prefix",
      "{ pathPrefix: /orders }",
      "rewrite: { prefix: / }",
      "upstream: orders",
      { rewrite: { strip: 7, prefix: "" } },
    ],
    [
      "a prefix counts as requests have it",
      "{ pathPrefix: /caf%c3%a9 }",
      "rewrite: { prefix: /x }",
      "upstream: orders",
      { rewrite: { strip: "/caf%C3%A9".length, prefix: "/x" } },
    ],
    [
      "another host",
      "{ path: /x }",
      "rewrite: { host: Orders.Internal }",
      "upstream: orders",
      { rewrite: { host: "orders.internal" } },
    ],
  ])("%s", (_, match, own, api, expected) => {
    expect(action(route(match, own, api))).toMatchObject({ kind: "forward", ...expected });
  });

  it.each([
    ["path and prefix", "{ pathPrefix: /x }", "rewrite: { path: /y, prefix: /z }", ["conflicting-keys"]],
    ["a prefix where there is none", ORDER, "rewrite: { prefix: /z }", ["prefix-missing"]],
    [
      "a prefix where there are two",
      "[{ pathPrefix: /x }, { pathPrefix: /y }]",
      "rewrite: { prefix: /z }",
      ["prefix-missing"],
    ],
    ["an unknown name", ORDER, 'rewrite: { path: "/{params.x}" }', ["template-unknown-name"]],
    ["a stray brace", ORDER, 'rewrite: { path: "/{params.id" }', ["bad-path"]],
    ["dot segments", ORDER, 'rewrite: { path: "/a/../{params.id}" }', ["bad-path"]],
    ["doubled slashes", ORDER, 'rewrite: { path: "//{params.id}" }', ["bad-path"]],
    ["a query", ORDER, 'rewrite: { path: "/a?x={params.id}" }', ["bad-path"]],
    ["a backslash", ORDER, 'rewrite: { path: "/a\\\\b" }', ["bad-path"]],
    ["an upstream that is none", ORDER, "upstream: ordres", ["unknown-name"]],
    ["a prefix that is not normal", "{ pathPrefix: /x }", 'rewrite: { prefix: "/a/../b" }', ["bad-path"]],
  ])("%s is refused", (_, match, own, codes) => {
    expect(route(match, own, own.startsWith("upstream") ? "" : "upstream: orders").codes).toEqual(codes);
  });
});

describe("answering", () => {
  it.each([
    ["with a status", "respond: { status: 204 }", { status: 204, headers: {}, body: null }],
    [
      "with headers and a body, which is no template",
      'respond: { status: 200, headers: { Content-Type: text/plain }, body: "{params.id}" }',
      { status: 200, headers: { "content-type": "text/plain" }, body: "{params.id}" },
    ],
  ])("%s", (_, own, expected) => expect(action(route(ORDER, own))).toEqual({ kind: "respond", ...expected }));

  it.each([
    ["a body with 204", 'respond: { status: 204, body: "" }', ["bad-value"]],
    ["a body with 304", "respond: { status: 304, body: x }", ["bad-value"]],
    ["a status of 100", "respond: { status: 100 }", ["bad-value"]],
    ["a status of 600", "respond: { status: 600 }", ["bad-value"]],
    ["framing", "respond: { status: 200, headers: { content-length: '5' } }", ["reserved-header"]],
    ["connection fields", "respond: { status: 200, headers: { Connection: close } }", ["reserved-header"]],
    ["header injection", 'respond: { status: 200, headers: { x: "a\\r\\nb" } }', ["bad-format"]],
    ["a header twice", "respond: { status: 200, headers: { X: a, x: b } }", ["duplicate-header"]],
    ["a rewrite", "respond: { status: 200 }\nrewrite: { path: /x }", ["conflicting-keys"]],
    ["a timeout", "respond: { status: 200 }\ntimeout: 1s", ["conflicting-keys"]],
    ["another action", "respond: { status: 200 }\nredirect: { path: /x }", ["conflicting-keys"]],
  ])("%s is refused", (_, own, codes) => expect(route(ORDER, own).codes).toEqual(codes));
});

describe("redirecting", () => {
  it.each([
    [
      "to another path",
      ORDER,
      'redirect: { path: "/v2/{params.id}" }',
      { status: 302, path: ["/v2/", { from: "params", name: "id" }] },
    ],
    [
      "to another host",
      ORDER,
      "redirect: { status: 301, host: New.example.com }",
      { status: 301, host: "new.example.com" },
    ],
    [
      "to another prefix",
      "{ pathPrefix: /old }",
      "redirect: { status: 308, prefix: /new, scheme: https, port: 8443 }",
      { status: 308, strip: 4, prefix: "/new", scheme: "https", port: 8443 },
    ],
  ])("%s", (_, match, own, expected) =>
    expect(action(route(match, own))).toEqual({ kind: "redirect", ...expected }),
  );

  it.each([
    ["nowhere else", ORDER, "redirect: {}"],
    ["to its own path", ORDER, 'redirect: { path: "/orders/{params.id}" }'],
    [
      "to its own path of text and parameters",
      '{ path: "/a-{x}.json" }',
      'redirect: { path: "/a-{params.x}.json" }',
    ],
    ["to its own host", ORDER, "redirect: { host: API.example.com }"],
    ["to its own prefix", "{ pathPrefix: /x }", "redirect: { prefix: /x/ }"],
    [
      "to its own path with another method",
      "{ path: /x, methods: [POST, GET] }",
      "redirect: { status: 303 }",
    ],
  ])("%s is a loop", (_, match, own) => expect(route(match, own).codes).toEqual(["redirect-loop"]));

  it.each([
    [
      "to what is read at its own path",
      "{ path: /x, methods: [POST] }",
      "redirect: { status: 303, path: /x }",
    ],
    ["which browsers follow with GET", "{ path: /x, methods: [POST] }", "redirect: { status: 302 }"],
  ])("%s is none", (_, match, own) => expect(route(match, own).codes).toEqual([]));

  it("nowhere else only warns: something else may have changed by then", () => {
    const result = route("{ path: /x }", "redirect: { status: 307 }");
    expect(result.diagnostics.map(({ severity }) => severity)).toEqual(["warning"]);
    expect(action(result)).toEqual({ kind: "redirect", status: 307 });
  });

  it.each([
    ["to another scheme", ORDER, "redirect: { scheme: https }"],
    ["to another port", ORDER, "redirect: { port: 8443 }"],
  ])("%s is another place", (_, match, own) => expect(route(match, own).codes).toEqual([]));

  it("path and prefix exclude each other", () =>
    expect(route("{ pathPrefix: /x }", "redirect: { path: /y, prefix: /z }").codes).toEqual([
      "conflicting-keys",
    ]));
});

describe("nothing to do", () => {
  it("is told at the route that has no action", () => {
    const { diagnostics } = route(ORDER, "timeout: 1s");
    expect(diagnostics).toMatchObject([{ code: "action-missing", place: { line: 6 } }]);
  });

  it("is told once at an api none of whose routes has one", () => {
    const { diagnostics } = compiledApis(
      "apis:\n  shop:\n    public: true\n    routes: { a: { match: { path: /a } }, b: { match: { path: /b } } }\n",
    );
    expect(diagnostics).toMatchObject([{ code: "action-missing", place: { line: 2 } }]);
  });
});
