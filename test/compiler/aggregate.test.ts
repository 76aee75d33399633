import { describe, expect, it } from "vitest";
import { emit } from "../../src/compiler/emit.ts";
import { usedParts } from "../../src/compiler/parts.ts";
import { targetUrl } from "../../src/compiler/target-url.ts";
import { type Compiled, compiledApis, planOf, routeOf } from "../support/compiling.ts";

const route = (lines: string, api = ""): Compiled =>
  compiledApis(`apis:
  shop:
    public: true
    ${api}
    routes:
      it:
        match: { path: "/page/{id}", methods: [GET] }
        ${lines}
`);

const CALLS = `user: { upstream: orders, path: "/users/{params.id}" }, orders: { upstream: orders, path: /orders }`;

const action = (lines: string, api?: string): unknown => routeOf(planOf(route(lines, api)), "shop.it").action;

describe("an aggregate in the plan", () => {
  it("has its calls with their paths", () => {
    expect(action(`aggregate: { calls: { ${CALLS} } }`)).toEqual({
      kind: "aggregate",
      maxBody: 256 * 1024,
      calls: [
        { name: "orders", upstream: "orders", path: ["/orders"] },
        { name: "user", upstream: "orders", path: ["/users/", { from: "params", name: "id" }] },
      ],
    });
  });

  it.each([
    ["a fallback", "fallback: []", { fallback: { value: [] } }],
    ["null for a fallback", "fallback: null", { fallback: { value: null } }],
    ["time of its own", "timeout: 1s", { timeoutMs: 1000 }],
    [
      "parameters",
      'query: { limit: "5", id: "x{params.id}" }',
      {
        query: [
          { name: "id", value: ["x", { from: "params", name: "id" }] },
          { name: "limit", value: ["5"] },
        ],
      },
    ],
    ["parameters of the request", "forwardQuery: [page]", { forwardQuery: ["page"] }],
    ["a pointer", "pick: /a~1b/0/~0", { pick: ["a/b", "0", "~"] }],
  ])("has of a call %s", (_, words, expected) => {
    const plan = action(
      `aggregate: { calls: { user: { upstream: orders, path: /u, ${words} }, orders: { upstream: orders, path: /o } } }`,
    ) as { calls: object[] };
    expect(plan.calls[1]).toEqual({ name: "user", upstream: "orders", path: ["/u"], ...expected });
  });

  it.each([
    ["its route", "timeout: 2s", "", 2000],
    ["its api", "", "timeout: 3s", 3000],
    ["nobody", "", "", undefined],
  ])("has the time of %s", (_, own, api, timeoutMs) => {
    expect(action(`${own}\n        aggregate: { calls: { ${CALLS} } }`, api)).toMatchObject({
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  });

  it("takes the place of the api's upstream", () => {
    expect(action(`aggregate: { calls: { ${CALLS} } }`, "upstream: orders")).toMatchObject({
      kind: "aggregate",
    });
  });

  it("passes on what {rest...} took as path text", () => {
    const plan = planOf(
      compiledApis(`apis:
  shop:
    public: true
    routes:
      it:
        match: { path: "/files/{rest...}", methods: [GET, HEAD] }
        aggregate: { calls: { a: { upstream: orders, path: "/a/{params.rest}", query: { r: "{params.rest}" } }, b: { upstream: orders, path: /b } } }
`),
    );
    expect(routeOf(plan, "shop.it").action).toMatchObject({
      calls: [
        {
          path: ["/a/", { from: "params", name: "rest", verbatim: true }],
          query: [{ name: "r", value: [{ from: "params", name: "rest" }] }],
        },
        { name: "b" },
      ],
    });
  });
});

describe("the code of an aggregate and of WebSockets", () => {
  it.each([
    ["of neither", "upstream: orders", []],
    ["of an aggregate", `aggregate: { calls: { ${CALLS} } }`, ["aggregate"]],
    ["of WebSockets", "upstream: orders\n        websocket: true", ["websocket"]],
  ])("is in the bundle only where a route has use for it: %s", (_, lines, names) => {
    const plan = planOf(route(lines));
    expect(usedParts(plan).map(({ name }) => name)).toEqual(names);
    const entry = emit(plan, { source: "../src", balancerFiles: {} })["gateway.ts"];
    expect(entry.includes("linkAggregate")).toBe(names.includes("aggregate" as never));
    expect(entry.includes("linkWebSocket")).toBe(names.includes("websocket" as never));
  });
});

describe("the URL of a target", () => {
  it.each([
    ["ws://chat.example.com:8080/v1", "bad-url", "http://chat.example.com:8080/v1"],
    ["wss://chat.example.com", "bad-url", "https://chat.example.com"],
    ["grpc://orders.example.com:50051", "grpc-not-offered", "http://orders.example.com:50051"],
    ["grpcs://orders.example.com", "grpc-not-offered", "https://orders.example.com"],
  ])("by another scheme is told what to write: %s", (text, code, instead) => {
    const wrong = targetUrl(text);
    expect(wrong).toMatchObject({ code });
    expect((wrong as { remedy: string }).remedy).toContain(instead);
  });

  it.each(["http://a.example", "https://a.example/v1", "ftp://a.example", "mailto:a@b.example", "no url"])(
    "by http and https only: %s",
    (text) => {
      expect(targetUrl(text) instanceof URL).toBe(text.startsWith("http"));
    },
  );
});
