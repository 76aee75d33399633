import { describe, expect, it } from "vitest";
import { emit } from "../../src/compiler/emit.ts";
import type { Plan } from "../../src/core/plan.ts";
import { compiledApis, planOf } from "../support/compiling.ts";

const entry = (gateway: string, checked = false): string => {
  const plan = planOf(
    compiledApis(
      "apis: { shop: { public: true, upstream: orders, routes: { buy: { match: { path: /buy } } } } }",
      {
        gateway,
      },
    ),
  );
  const healthCheck = { path: "/healthz" } as never;
  const upstreams = { orders: { ...plan.upstreams["orders"]!, ...(checked && { healthCheck }) } };
  const whole: Plan = { ...plan, upstreams };
  return emit(whole, { source: "../src", balancerFiles: { smoothWeightedRoundRobin: "smooth.ts" } })[
    "gateway.ts"
  ];
};

const STORED =
  "  stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } }, consumers: redis }\n";

describe("the entry of a gateway", () => {
  it.each([
    ["says nothing of stores", ""],
    ["keeps keys in its policies", "  stores: { consumers: inline }\n"],
  ])("that %s has no code for a store", (_, gateway) => {
    expect(entry(gateway)).not.toMatch(/consumerKeys|upstash/);
    expect(entry(gateway)).toMatch(/^\}\);$/m);
  });

  it("that keeps keys in Redis has the port, of its own name", () => {
    const text = entry(`  name: shop\n${STORED}`);
    expect(text).toContain('import { consumerKeysPort } from "../src/adapters/upstash/consumer-keys.ts";');
    expect(text).toContain(
      '}, consumerKeysPort({"gateway":"shop","url":"REDIS_URL","token":"REDIS_TOKEN"}));',
    );
  });

  it("that checks its targets too has both ports", () => {
    expect(entry(STORED, true)).toContain(
      '}, (env, ports) => ({ ...healthPort(env, ports), ...consumerKeysPort({"gateway":"postern","url":"REDIS_URL","token":"REDIS_TOKEN"})(env, ports) }));',
    );
  });

  it("needs the secrets of Redis to start", () => {
    const { secrets } = planOf(
      compiledApis(
        "apis: { shop: { public: true, upstream: orders, routes: { buy: { match: { path: /buy } } } } }",
        {
          gateway: STORED,
        },
      ),
    );
    expect(secrets).toEqual(["REDIS_TOKEN", "REDIS_URL", "SECRET"]);
  });
});

describe("where keys are stored", () => {
  const codes = (consumers: string, routes: string): readonly string[] =>
    compiledApis(
      `consumers: ${consumers}\napis: { shop: { upstream: orders, policies: { apiKey: {} }, routes: ${routes} } }`,
      { gateway: STORED },
    ).codes;
  const ROUTES = "{ buy: { match: { path: /buy } } }";
  const KEY = `keys: [{ id: k1, sha256: "${"a".repeat(64)}" }]`;

  it.each<[string, string, string, readonly string[]]>([
    ["consumers need none in the policies", "{ acme: {}, small: {} }", ROUTES, []],
    ["they may have one there", `{ acme: {}, small: { ${KEY} } }`, ROUTES, []],
    [
      "nothing is said of them on a route that is at fault",
      `{ acme: {}, small: { ${KEY} } }`,
      "{ buy: { match: { path: buy } } }",
      ["bad-format"],
    ],
  ])("%s", (_, consumers, routes, wanted) => expect(codes(consumers, routes)).toEqual(wanted));
});
