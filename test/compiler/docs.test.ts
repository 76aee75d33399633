import { describe, expect, it } from "vitest";
import { emit } from "../../src/compiler/emit.ts";
import type { AssetPlan } from "../../src/core/asset-plan.ts";
import type { Plan } from "../../src/core/plan.ts";
import { type Compiled, compiledApis, planOf, routeOf, stepsOf } from "../support/compiling.ts";

const SHOP =
  "apis:\n  shop: { upstream: orders, public: true, routes: { it: { match: { path: /orders } } } }\n";

const docs = (settings: string, { apis = SHOP, policies = "" } = {}): Compiled =>
  compiledApis(apis, { gateway: `  docs: ${settings}\n${policies}` });

const assetOf = (plan: Plan, id: string): AssetPlan => routeOf(plan, id).action as AssetPlan;

const entryOf = (plan: Plan): string =>
  emit(plan, { source: "../src", balancerFiles: { roundRobin: "round-robin.ts" } })["gateway.ts"];

describe("the routes of the documentation", () => {
  it("are there where it is asked for, with defaults", () => {
    const plan = planOf(docs("{}"));
    expect(plan.gateway.docs).toEqual({ path: "/docs", openapi: "/openapi" });
    expect(plan.routes.map(({ id }) => id).filter((id) => id.startsWith("-docs"))).toEqual([
      "-docs.description",
      "-docs.page",
      "-docs.parts",
    ]);
    expect(entryOf(plan)).toContain('import { linkAssets } from "../src/runtime/assets.ts";');
  });

  it("are not there otherwise, nor is their code", () => {
    const plan = planOf(compiledApis(SHOP));
    expect(plan.gateway.docs).toBeUndefined();
    expect(plan.routes.filter(({ api }) => api === "-docs")).toEqual([]);
    expect(entryOf(plan)).not.toContain("assets");
  });

  it("have the paths, the hosts and the title that are written", () => {
    const compiled = docs(
      "{ path: /developers/api, openapi: /developers/shop, hosts: [public], title: The shop }",
    );
    const plan = planOf(compiled);
    expect(plan.gateway.docs).toEqual({
      path: "/developers/api",
      openapi: "/developers/shop",
      title: "The shop",
    });
    const text = JSON.stringify(plan.matcher);
    for (const part of ["developers", "shop.json", "shop.yaml"]) expect(text).toContain(part);
    expect(compiled.codes).toEqual([]);
  });

  it("let the page run nothing but its own files, and call nothing but the gateway's hosts", () => {
    const edits = assetOf(planOf(docs("{}")), "-docs.page").edits ?? [];
    const policy = edits.find(
      ({ op, ...edit }) => op === "set" && "name" in edit && edit.name.endsWith("policy"),
    );
    expect(policy).toMatchObject({
      name: "content-security-policy",
      value:
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
        "connect-src 'self' https://api.example.com https://*.shop.example.com; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    });
  });

  it("are kept for good only where their name changes with them", () => {
    const plan = planOf(docs("{}"));
    expect(assetOf(plan, "-docs.parts").cacheControl).toBe("public, max-age=31536000, immutable");
    for (const id of ["-docs.page", "-docs.description"])
      expect(assetOf(plan, id).cacheControl).toBe("no-cache");
  });

  it("have the gateway's policies but those that ask who calls", () => {
    const policies =
      "  policies: { securityHeaders: {}, jwt: { issuers: [main] }, rateLimit: { limits: [{ name: all, rate: 9/1m, key: ip, store: isolate }] } }\n";
    const plan = planOf(docs("{}", { policies, apis: SHOP.replace("public: true, ", "") }));
    const names = (id: string): string[] => stepsOf(plan, id).map(({ policy }) => policy);
    expect(names("shop.it")).toEqual(expect.arrayContaining(["securityHeaders", "rateLimit", "identity"]));
    expect(names("-docs.page")).toEqual(expect.arrayContaining(["securityHeaders", "rateLimit"]));
    expect(names("-docs.page")).not.toContain("identity");
  });
});

const api = (match: string): string =>
  `apis:\n  shop: { upstream: orders, public: true, routes: { it: { match: ${match} } } }\n`;

describe("what cannot be", () => {
  it.each([
    ["a host that the gateway has not", docs("{ hosts: [publik] }"), ["unknown-name"]],
    ["a path with a slash at its end", docs("{ path: /docs/ }"), ["bad-format"]],
    ["a path with a parameter", docs('{ path: "/docs/{it}" }'), ["bad-format"]],
    ["a path below that of the gateway itself", docs("{ path: /__postern }"), ["reserved-path"]],
    ["a setting that is none", docs("{ pathh: /docs }"), ["unknown-key"]],
    ["a title in two lines", docs('{ title: "a\\nb" }'), ["bad-format"]],
    ["a route of one's own with the page's path", docs("{}", { apis: api("{ path: /docs }") }), []],
    [
      "a route of one's own that takes what the page does",
      docs("{}", { apis: api("{ path: /docs, methods: [GET] }") }),
      ["identical-routes"],
    ],
    [
      "a route of one's own with the paths of its files",
      docs("{}", { apis: api('{ path: "/docs/{it}", methods: [GET] }') }),
      ["identical-routes"],
    ],
    [
      "a route of one's own with the description's path",
      docs("{}", { apis: api("{ path: /openapi.json, methods: [GET] }") }),
      ["identical-routes"],
    ],
  ])("is told: %s", (_, { diagnostics }, codes) => {
    expect([...new Set(diagnostics.map(({ code }) => code))]).toEqual(codes);
  });

  it("is an api that is called as they are", () => {
    const codes = docs("{}", { apis: SHOP.replace("shop:", "-docs:") }).codes;
    expect(codes).toContain("bad-name");
  });
});
