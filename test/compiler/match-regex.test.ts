import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../src/core/diagnostic.ts";
import { type Compiled, compiledApis, planOf } from "../support/compiling.ts";

/** A match in an api of one public route; the gateway's paths as `paths`. */
const matching = (match: string, paths = ""): Compiled =>
  compiledApis(`apis:\n  shop: { public: true, upstream: orders, routes: { one: { match: ${match} } } }\n`, {
    gateway: paths === "" ? "" : `  paths: ${paths}\n`,
  });

const codesOf = (match: string, paths = ""): readonly string[] => matching(match, paths).codes;

/** What a diagnostic marks in the one line of the match, from its first character on. */
const marked = (match: string, { place }: Diagnostic): string => {
  const before = "  shop: { public: true, upstream: orders, routes: { one: { match: ";
  return match.slice(place.column - 1 - before.length, place.endColumn - 1 - before.length);
};

describe("regular expressions of matches", () => {
  it.each([
    '{ pathRegex: "/v[0-9]+/orders" }',
    "{ pathRegex: '^/v\\d+/orders$' }",
    "{ pathRegex: '/(?i:orders|users)/.*', methods: [GET] }",
    '{ pathRegex: "/%20[^/]*" }',
    "{ path: /a, headers: { X-Client: { regex: ios/.* } }, query: { q: { regex: '[a-zé]*' } } }",
    "[{ path: /a }, { pathRegex: '/b+' }]",
    "[{ path: /a }, { pathRegex: /a }]",
  ])("%s is fine", (match) => expect(codesOf(match)).toEqual([]));

  it.each([
    ["{ pathRegex: '/(a' }", "regex-syntax", "("],
    ["{ pathRegex: '/orders/{orderId}' }", "regex-syntax", "{"],
    ["{ pathRegex: '/a(?=b)c' }", "regex-not-linear", "(?=b)"],
    ["{ pathRegex: '/(a)\\1' }", "regex-not-linear", "\\1"],
    ["{ pathRegex: '/.*a.{100}' }", "regex-too-large", "/.*a.{100}"],
    ["{ pathRegex: 'orders' }", "regex-never-matches", "orders"],
    ["{ pathRegex: '/a//b' }", "regex-never-matches", "/a//b"],
    ["{ pathRegex: '/a/\\.\\./b' }", "regex-never-matches", "/a/\\.\\./b"],
    ["{ pathRegex: '/a%2fb' }", "regex-never-matches", "/a%2fb"],
    ["{ pathRegex: '/a%2Fb' }", "regex-never-matches", "/a%2Fb"],
    ["{ pathRegex: '/a;v=.*' }", "regex-never-matches", "/a;v=.*"],
    ["{ pathRegex: '/café' }", "regex-never-matches", "é"],
    ["{ pathRegex: '/a b' }", "regex-never-matches", " "],
    ["{ pathRegex: '' }", "regex-never-matches", "'"],
    ["{ pathRegex: '/__postern/[a-z]+' }", "reserved-path", "/__postern/[a-z]+"],
    ["{ path: /a, headers: { X-Client: { regex: 'ios/(' } } }", "regex-syntax", "("],
    ["{ path: /a, headers: { x-client: { regex: ' ios' } } }", "regex-never-matches", " ios"],
    ["{ path: /a, headers: { x-client: { regex: '\\bios' } } }", "regex-not-linear", "\\b"],
    ["{ path: /a, query: { q: { regex: '[]' } } }", "regex-never-matches", "[]"],
    ["{ path: /a, query: { q: { regex: '(?<x>a)' } } }", "regex-syntax", "(?<x>"],
    ["{ path: /a, pathRegex: /a }", "conflicting-keys", "pathRegex"],
    ["{ pathPrefix: /a, pathRegex: /a }", "conflicting-keys", "pathRegex"],
    ["{ pathRegex: 5 }", "wrong-type", "5"],
    ["{ path: /a, headers: { x-a: { regexp: a } } }", "unknown-key", "regexp"],
    ["{ path: /a, headers: { x-a: { regex: a, present: true } } }", "bad-value", "x-a"],
    ["{ path: /a, query: { q: {} } }", "bad-value", "q"],
    ["{ path: /a, headers: { x-a: { regex: 5 } } }", "wrong-type", "5"],
  ])("%s is %s, at %s", (match, code, text) => {
    const { diagnostics, codes } = matching(match);
    expect(codes.slice(0, 1)).toEqual([code]);
    expect(marked(match, diagnostics[0]!)).toBe(text);
    expect(diagnostics).toHaveLength(1);
  });

  it("several faults of one are told at once, each at its place", () => {
    const match = "{ pathRegex: '/(?<id>a)\\bx\\k<id>' }";
    expect(matching(match).diagnostics.map((diagnostic) => marked(match, diagnostic))).toEqual([
      "(?<id>",
      "\\b",
      "\\k<id>",
    ]);
  });

  it("a fault in a text whose characters moved is told at the whole text", () => {
    const match = '{ pathRegex: "/a\\\\b" }';
    expect(matching(match).diagnostics.map((diagnostic) => marked(match, diagnostic))).toEqual(['"/a\\\\b"']);
  });

  it.each([
    ["{ pathRegex: '/a%2Fb' }", "{ encodedSlash: keep }"],
    ["{ pathRegex: '/a;v=.*' }", "{ matrixParameters: keep }"],
  ])("%s can be where the gateway says %s", (match, paths) => expect(codesOf(match, paths)).toEqual([]));

  it("no other fault follows from a broken one", () =>
    expect(
      compiledApis(`apis:
  shop:
    public: true
    upstream: orders
    routes:
      one: { match: { pathRegex: "/(" }, before: [shop.two] }
      two: { match: { pathRegex: "/.*" }, before: [shop.one] }
`).codes,
    ).toEqual(["regex-syntax"]));

  it("nothing can be taken from a path by its parameters or by its prefix", () => {
    const codes = (action: string) =>
      compiledApis(
        `apis:\n  shop: { public: true, routes: { one: { match: { pathRegex: "/(v1)/.*" }, upstream: orders, ${action} } } }\n`,
      ).codes;
    expect(codes("rewrite: { prefix: /x }")).toEqual(["prefix-missing"]);
    expect(codes('rewrite: { path: "/{params.1}" }')).toEqual(["template-unknown-name"]);
    expect(codes('rewrite: { path: "/{params.v}" }')).toEqual(["template-unknown-name"]);
    expect(codes("rewrite: { path: /x }")).toEqual([]);
  });

  it("a redirect to where the very expression takes it again is told", () => {
    const codes = (to: string) =>
      compiledApis(
        `apis:\n  shop: { public: true, routes: { one: { match: { pathRegex: "/v[12]" }, redirect: { path: ${to} } } } }\n`,
      ).codes;
    expect(codes("/v2")).toEqual(["redirect-loop"]);
    expect(codes("/v3")).toEqual([]);
    expect(codes("/")).toEqual([]);
  });

  it("a redirect and a rewrite keep the path that was matched", () => {
    const plan = planOf(matching("{ pathRegex: '/v[0-9]+/orders' }"));
    expect(plan.routes.find(({ id }) => id === "shop.one")?.action).toMatchObject({ kind: "forward" });
    expect(plan.matcher.regexes).toHaveLength(1);
  });
});

describe("beside operations", () => {
  const openapi = {
    "orders.yaml":
      'openapi: 3.1.0\ninfo: { title: Orders, version: "1" }\npaths:\n  /orders:\n    get: { operationId: list, responses: { "200": { description: fine } } }\n',
  };
  const codes = (match: string) =>
    compiledApis(
      `apis:\n  shop: { public: true, upstream: orders, openapi: { file: orders.yaml, operations: all }, routes: { list: { match: ${match} } } }\n`,
      { openapi },
    ).codes;

  it("a header may be added, and the path may not", () => {
    expect(codes("{ headers: { x-client: { regex: ios/.* } } }")).toEqual([]);
    expect(codes("{ headers: { x-client: { regex: '(' } } }")).toEqual(["regex-syntax"]);
    expect(codes("{ pathRegex: /orders }")).toEqual(["match-of-operation"]);
  });
});
