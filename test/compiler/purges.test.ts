import { describe, expect, it } from "vitest";
import { emit } from "../../src/compiler/emit.ts";
import { compiledApis, planOf, stepsOf } from "../support/compiling.ts";

const REDIS = "stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }";
const CONTROL = "control: { purgeToken: { env: PURGE_TOKEN } }";
const apis = (purge: string): string => `
apis:
  shop:
    public: true
    upstream: orders
    policies: { cache: {} }
    routes:
      read: { match: { path: /orders, methods: [GET] } }
      write: { match: { path: /orders, methods: [POST] }, policies: { ${purge} } }
`;
const PURGE = "purge: { tags: [orders] }";

const compiledWith = (purge: string, ...gateway: readonly string[]) =>
  compiledApis(apis(purge), { gateway: gateway.map((line) => `  ${line}\n`).join("") });

const entryOf = (...words: Parameters<typeof compiledWith>): string =>
  emit(planOf(compiledWith(...words)), {
    source: "../src",
    balancerFiles: { smoothWeightedRoundRobin: "smooth.ts" },
  })["gateway.ts"];

describe("a gateway in which nothing can be purged", () => {
  it.each([
    ["has no stores", []],
    ["shows itself to who has a token", ["control: { token: { env: CONTROL_TOKEN } }"]],
  ])("that %s has no code for it", (_, gateway) => {
    expect(entryOf("", ...gateway)).not.toMatch(/purge/i);
    expect(planOf(compiledWith("", ...gateway)).gateway.purges).toBeUndefined();
  });
});

describe("a gateway whose policies purge", () => {
  it("tells all isolates by Redis where it names one, and needs its secrets", () => {
    const compiled = compiledWith(PURGE, REDIS);
    const { gateway, secrets } = planOf(compiled);
    expect(compiled.codes).toEqual([]);
    expect([gateway.purges, gateway.redisPorts]).toEqual(["redis", ["purgeLog"]]);
    expect(secrets).toEqual(expect.arrayContaining(["REDIS_TOKEN", "REDIS_URL"]));
    const text = entryOf(PURGE, REDIS);
    expect(text).toContain('import { purgeLogPort } from "../src/adapters/upstash/purge-log.ts";');
    expect(text).toContain(
      '}, purgeLogPort({"gateway":"postern","url":"REDIS_URL","token":"REDIS_TOKEN"}));',
    );
    expect(text).not.toMatch(/isolatePurges|purgeRoute/);
  });

  it("purges one isolate where it names none, and says so at the policy", () => {
    const compiled = compiledWith(PURGE);
    expect(compiled.diagnostics).toMatchObject([{ code: "purge-stays-here", severity: "warning" }]);
    expect(planOf(compiled).gateway).toMatchObject({ purges: "isolate" });
    const text = entryOf(PURGE);
    expect(text).toContain('import { isolatePurgesPort } from "../src/adapters/memory/purges.ts";');
    expect(text).toContain("}, isolatePurgesPort);");
    expect(text).not.toMatch(/upstash|purgeRoute/);
  });

  it("is not told so where what it says of Redis cannot be read", () => {
    const { codes } = compiledWith(PURGE, "stores: { redis: { url: REDIS_URL } }");
    expect(codes).not.toContain("purge-stays-here");
  });

  it("purges outside of the cache, and only where something is changed", () => {
    const plan = planOf(compiledWith(PURGE, REDIS));
    expect(stepsOf(plan, "shop.write").map(({ policy }) => policy)).toEqual(["purge", "cache"]);
    expect(stepsOf(plan, "shop.read").map(({ policy }) => policy)).toEqual(["cache"]);
  });

  it("is told of names that templates do not know, where they stand", () => {
    const purge =
      'purge: { tags: ["a:{params.x}"], urls: ["https://a.example.com/{params.y}?z={params.z}"], tagsFrom: { body: /a, as: "{value}:{params.v}" } }';
    const { diagnostics } = compiledWith(purge, REDIS);
    const line = apis(purge)
      .split("\n")
      .findIndex((text) => text.includes("{params.x}"));
    const columns = ["x", "y", "z", "v"].map(
      (name) => apis(purge).split("\n")[line]!.indexOf(`{params.${name}}`) + 1,
    );
    expect(diagnostics.map(({ code }) => code)).toEqual(Array(4).fill("template-unknown-name"));
    expect(diagnostics.map(({ place }) => place.column).sort((a, b) => a - b)).toEqual(
      columns.sort((a, b) => a - b),
    );
  });

  it("knows which parameter takes what remains of a path", () => {
    const { steps } = planOf(
      compiledApis(
        'apis: { shop: { public: true, upstream: orders, routes: { write: { match: { path: "/files/{a}/{rest...}", methods: [PUT] }, policies: { purge: { urls: ["/{params.a}/{params.rest}?{params.a}"] } } } } } }',
        { gateway: `  ${REDIS}\n` },
      ),
    );
    expect(steps.find(({ policy }) => policy === "purge")!.step).toMatchObject({
      urls: [
        {
          authority: null,
          path: ["/", { from: "params", name: "a" }, "/", { from: "params", name: "rest", verbatim: true }],
          query: [{ from: "params", name: "a" }],
        },
      ],
    });
  });
});

describe("a gateway with the control route", () => {
  it("has it beside the port that it needs, and its secret must be set", () => {
    const text = entryOf("", CONTROL, REDIS);
    expect(text).toContain('import { purgeRoute } from "../src/control/purge.ts";');
    expect(text).toMatch(/\}, purgeLogPort\(.*\), \[purgeRoute\]\);/);
    const compiled = compiledWith("", CONTROL, REDIS);
    const { gateway, secrets } = planOf(compiled);
    expect(compiled.codes).toEqual([]);
    expect([gateway.control, gateway.purges]).toEqual([{ purgeToken: "PURGE_TOKEN" }, "redis"]);
    expect(secrets).toContain("PURGE_TOKEN");
  });

  it("is warned at the token where the purge stays in one isolate", () => {
    const compiled = compiledWith("", CONTROL);
    expect(compiled.diagnostics).toMatchObject([
      { code: "purge-stays-here", place: { file: "gateway.yaml", line: 4 } },
    ]);
    expect(entryOf("", CONTROL)).toContain("}, isolatePurgesPort, [purgeRoute]);");
  });

  it.each([
    ["opens nothing", "control: {}"],
    ["opens both by one secret", "control: { token: { env: A }, purgeToken: { env: A } }"],
    ["holds the token itself", "control: { purgeToken: secret }"],
  ])("is at fault where it %s", (_, control) => {
    const { plan, codes } = compiledWith("", control, REDIS);
    expect([plan, codes.length > 0]).toEqual([undefined, true]);
  });
});
