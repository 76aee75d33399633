import { describe, expect, it } from "vitest";
import { contextFor, fallbackContext, type Workshop } from "../../src/compiler/context.ts";
import { emit } from "../../src/compiler/emit.ts";
import type { RedisUse } from "../../src/compiler/redis.ts";
import type { GatewayPlan, Plan } from "../../src/core/plan.ts";
import type { Instance } from "../../src/core/policy.ts";
import type { RedisPlan } from "../../src/core/redis.ts";
import { compiledApis, planOf } from "../support/compiling.ts";

const REDIS: RedisPlan = { url: "REDIS_URL", token: "REDIS_TOKEN" };
const WRITTEN = "redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } }";
const APIS =
  "apis: { shop: { hosts: [public], upstream: orders, routes: { one: { public: true, match: { path: /one } } } } }";

const withStores = (stores: string, apis = APIS) =>
  compiledApis(apis, { gateway: `  stores: { ${stores} }\n` });

describe("where Redis is", () => {
  it("is not in the plan of a gateway that keeps nothing there, and its secrets are not asked for", () => {
    const compiled = withStores(WRITTEN);
    const { gateway, secrets } = planOf(compiled);
    expect([gateway.redis, gateway.redisPorts, secrets]).toEqual([undefined, undefined, ["SECRET"]]);
    expect(compiled.diagnostics).toMatchObject([
      { code: "unused-name", severity: "warning", message: "Nothing is kept in Redis." },
    ]);
  });

  it("is in that of one whose consumers' keys are there, which needs no port for policies", () => {
    const compiled = withStores(`consumers: redis, ${WRITTEN}`);
    const { gateway, secrets } = planOf(compiled);
    expect([gateway.redis, gateway.redisPorts]).toEqual([REDIS, undefined]);
    expect(secrets).toEqual(["REDIS_TOKEN", "REDIS_URL", "SECRET"]);
    expect(compiled.codes).toEqual([]);
  });

  it("is not said to be unused where a policy cannot be read", () => {
    const broken = APIS.replace("public: true", "public: true, policies: { cashe: {} }");
    expect(withStores(WRITTEN, broken).diagnostics.map(({ message }) => message)).not.toContain(
      "Nothing is kept in Redis.",
    );
  });

  it.each([
    ["a value in place of a secret", "redis: { url: https://redis.example.com, token: { env: TOKEN } }"],
    ["no token", "redis: { url: { env: REDIS_URL } }"],
    ["another setting", "redis: { url: { env: A }, token: { env: B }, retries: 5 }"],
  ])("is not told by %s", (_, stores) => {
    const { plan, codes } = withStores(stores);
    expect(plan).toBeUndefined();
    expect(codes).not.toEqual([]);
  });
});

describe("a policy that asks for a port to Redis", () => {
  const asked = (redis: Partial<RedisUse>) => {
    const told: string[] = [];
    const use: RedisUse = { plan: REDIS, isBroken: false, ports: new Set(), ...redis };
    const secrets = new Set<string>();
    const faults = { tell: ({ code }: { code: string }) => void told.push(code) };
    const workshop = { redis: use, secrets, faults, issuers: new Map() } as unknown as Workshop;
    const identity = { policies: [], anonymous: false, steps: [] };
    const context = contextFor(workshop, fallbackContext(), identity, false);
    const place = { file: "apis.yaml", start: 0, end: 0 };
    const instance = { tree: { place }, path: [] } as unknown as Instance<unknown>;
    return {
      given: context.redis("store", instance, []),
      told,
      secrets: [...secrets],
      ports: [...use.ports],
    };
  };

  it("has it where the gateway says where Redis is, and the secrets must be set", () => {
    expect(asked({})).toEqual({
      given: true,
      told: [],
      secrets: ["REDIS_URL", "REDIS_TOKEN"],
      ports: ["store"],
    });
  });

  it("is at fault where it does not", () => {
    expect(asked({ plan: undefined })).toMatchObject({ given: false, told: ["no-redis"], secrets: [] });
  });

  it("is not where what is said of Redis cannot be read, which is told already", () => {
    expect(asked({ plan: undefined, isBroken: true })).toMatchObject({ given: false, told: [] });
  });
});

describe("the entry of a plan", () => {
  const entry = (gateway: Partial<GatewayPlan>): string => {
    const plan = {
      steps: [],
      routes: [],
      upstreams: {},
      gateway: { name: "shop", ...gateway },
    } as unknown as Plan;
    return emit(plan, { source: "../src", balancerFiles: {} })["gateway.ts"];
  };

  it.each<[string, Partial<GatewayPlan>]>([
    ["says nothing of Redis", {}],
    ["needs no port to it", { redis: REDIS }],
    ["needs none of the ports", { redis: REDIS, redisPorts: [] }],
  ])("that %s holds no client", (_, gateway) => {
    expect(entry(gateway)).not.toMatch(/upstash|redis/i);
  });

  it("holds what its policies need, and no more", () => {
    const settings = '{"gateway":"shop","url":"REDIS_URL","token":"REDIS_TOKEN"}';
    const text = entry({ redis: REDIS, redisPorts: ["store"] });
    expect(text).toContain('import { storePort } from "../src/adapters/upstash/store.ts";');
    expect(text).toContain(`}, storePort(${settings}));`);
    expect(text).not.toContain("storeCounterPort");
    const both = entry({ redis: REDIS, redisPorts: ["store", "storeCounter"] });
    expect(both).toContain('import { storeCounterPort } from "../src/adapters/upstash/counter.ts";');
    expect(both).toContain(
      `}, (env, ports) => ({ ...storePort(${settings})(env, ports), ...storeCounterPort(${settings})(env, ports) }));`,
    );
  });
});
