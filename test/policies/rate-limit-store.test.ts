import { describe, expect, it } from "vitest";
import { MemoryCounter } from "../../src/adapters/memory/counter.ts";
import type { Json } from "../../src/core/json.ts";
import type { FilterFactory } from "../../src/core/policy.ts";
import type { Counter } from "../../src/core/ports.ts";
import type { Step } from "../../src/policies/rate-limit/filter.ts";
import { rateLimit } from "../../src/policies/rate-limit/policy.ts";
import { compiledApis, planOf } from "../support/compiling.ts";
import { FakeClock, fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { type At, clientAnswer, compilePolicy } from "./compiling.ts";

/** A store as a gateway sees it: another one's memory, that answers later, or is away. */
class Store implements Counter {
  isAway = false;
  /** How many limits each question was about, and what it charged. */
  readonly asked: [limits: number, cost: number][] = [];
  readonly #memory: Counter;

  constructor(memory: Counter) {
    this.#memory = memory;
  }

  async take(...[keys, limits, cost]: Parameters<Counter["take"]>) {
    this.asked.push([limits.length, cost]);
    if (this.isAway) throw new Error("away");
    return this.#memory.take(keys, limits, cost);
  }
}

interface Caller {
  readonly ip?: string;
  readonly status?: number;
}

/** One or more gateways that count in one store. */
const gateways = async (instances: readonly At[], count = 1) => {
  const clock = new FakeClock();
  const store = new Store(new MemoryCounter(clock));
  const { step, faults } = compilePolicy(rateLimit, instances, "before-identity");
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  const { filter } = (await rateLimit.filter()) as { filter: FilterFactory<Json> };
  const all = Array.from({ length: count }, () => {
    const ports = fakePorts({ clock, isolateCounter: new MemoryCounter(clock), storeCounter: store });
    const linked = filter(step!, ports, fakeSite())!;
    const ask = async ({ ip = "192.0.2.1", status = 200 }: Caller = {}): Promise<Response> => {
      const exchange = fakeExchange(new Request("https://api.example.com/"), { clientIp: ip });
      const answer = linked(() => new Response(null, { status, headers: { ratelimit: '"upstream";r=1' } }));
      return clientAnswer(exchange, await answer(exchange));
    };
    const passed = async (times: number, caller?: Caller): Promise<number> => {
      const answers = await Promise.all(Array.from({ length: times }, () => ask(caller)));
      return answers.filter((answer) => answer.status === 200).length;
    };
    return { ask, passed };
  });
  return { all, store, clock, ...all[0]! };
};

const on = (...limits: object[]): At[] => [{ config: { limits } }];
const shared = { name: "shared", rate: "5/1m", key: "ip", store: "redis" };
const own = { name: "own", rate: "3/1m", key: "ip" };

describe("store: redis", () => {
  it.each(["slidingWindow", "tokenBucket", "fixedWindow"])(
    "is one count for all copies of the gateway (%s, S34)",
    async (algorithm) => {
      const { all } = await gateways(on({ ...shared, algorithm }), 3);
      const passed = await Promise.all(all.map((gateway) => gateway.passed(50)));
      expect(passed.reduce((sum, part) => sum + part)).toBe(5);
    },
  );

  it("tells where the caller stands, as any limit does", async () => {
    const { ask, passed } = await gateways(on(shared));
    expect((await ask()).headers.get("ratelimit")).toBe('"shared";r=4;t=60');
    await passed(9);
    const over = await ask();
    expect([over.status, over.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(over.headers.get("ratelimit-policy")).toBe('"shared";q=5;w=60');
  });

  it("is asked once a request, for all of its limits, and not for a request that memory refuses", async () => {
    const { passed, store } = await gateways(on(shared, { ...shared, name: "second", key: "host" }, own));
    expect(await passed(10)).toBe(3);
    expect(store.asked).toEqual([
      [2, 1],
      [2, 1],
      [2, 1],
    ]);
  });

  it("stands in answers beside the isolate's limits", async () => {
    const { ask } = await gateways(on(shared, own));
    const answer = await ask();
    expect(answer.headers.get("ratelimit-policy")).toBe('"own";q=3;w=60, "shared";q=5;w=60');
    expect(answer.headers.get("ratelimit")).toBe('"own";r=2;t=60, "shared";r=4;t=60');
  });

  it("counts failed proofs of identity for all copies", async () => {
    const { all, store } = await gateways(on({ ...shared, rate: "3/5m", count: "auth-failures" }), 2);
    const [one, two] = [all[0]!, all[1]!];
    for (const gateway of [one, two, one]) expect((await gateway.ask({ status: 401 })).status).toBe(401);
    expect([(await one.ask()).status, (await two.ask()).status]).toEqual([429, 429]);
    expect((await two.ask({ ip: "192.0.2.2" })).status).toBe(200);
    expect(store.asked.filter(([, cost]) => cost === 1)).toHaveLength(3);
  });
});

describe("while the store is away", () => {
  const failing = (onStoreFailure: string | undefined, ...limits: object[]): At[] => [
    { config: { limits, ...(onStoreFailure && { onStoreFailure }) } },
  ];

  it.each([
    ["counts in each copy's memory where nothing is said", undefined, [5, 5], '"shared";r=0;t=60'],
    ["counts in each copy's memory", "isolate", [5, 5], '"shared";r=0;t=60'],
    ["does not hold, and is not told of", "allow", [9, 9], null],
    ["lets nobody pass", "refuse", [0, 0], null],
  ] as const)("a limit %s", async (_, onStoreFailure, counts, told) => {
    const { all, store } = await gateways(failing(onStoreFailure, shared), 2);
    store.isAway = true;
    expect(await Promise.all(all.map((gateway) => gateway.passed(9)))).toEqual(counts);
    const { headers } = await all[0]!.ask();
    // Never what an upstream says of limits of its own.
    if (onStoreFailure !== "refuse") expect(headers.get("ratelimit")).toBe(told);
  });

  it("a refusal says when to come again, and the store counts again when it is back", async () => {
    const { ask, passed, store } = await gateways(failing("refuse", shared));
    expect(await passed(2)).toBe(2);
    store.isAway = true;
    const answer = await ask();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.json()).toMatchObject({ code: "limits-unavailable" });
    store.isAway = false;
    expect(await passed(9)).toBe(3);
  });

  it("the isolate's own limits hold as ever, and so do those of levels that say otherwise", async () => {
    const outer: At = {
      config: { limits: [{ ...shared, name: "outer" }], onStoreFailure: "allow" },
      level: "gateway",
      node: "gateway",
    };
    const inner = { ...shared, name: "inner", rate: "4/1m" };
    const { ask, passed, store } = await gateways([
      outer,
      { config: { limits: [inner, { ...own, rate: "8/1m" }] } },
    ]);
    store.isAway = true;
    expect((await ask()).headers.get("ratelimit")).toBe('"own";r=7;t=60, "inner";r=3;t=60');
    expect(await passed(20)).toBe(3);
    const refusing = await gateways([outer, { config: { limits: [inner], onStoreFailure: "refuse" } }]);
    refusing.store.isAway = true;
    expect((await refusing.ask()).status).toBe(503);
  });

  it("failed proofs are counted in memory, also those that could be asked for and not charged", async () => {
    const guessing = { ...shared, rate: "2/5m", count: "auth-failures" };
    const { ask, store } = await gateways(failing(undefined, guessing));
    // The question is on its way; by the time of the charge the store is away.
    const first = ask({ status: 401 });
    store.isAway = true;
    expect((await first).status).toBe(401);
    expect((await ask({ status: 401 })).status).toBe(401);
    expect((await ask()).status).toBe(429);
  });

  it("a dry run refuses nobody, whatever it says", async () => {
    for (const onStoreFailure of ["isolate", "allow", "refuse"]) {
      const { passed, store } = await gateways([
        { config: { limits: [shared], dryRun: true, onStoreFailure } },
      ]);
      store.isAway = true;
      expect(await passed(9)).toBe(9);
    }
  });
});

describe("when compiled", () => {
  const written = (policies: string, stores = "") =>
    compiledApis(
      `apis:\n  shop:\n    public: true\n    upstream: orders\n    policies: { rateLimit: { limits: [{ name: all, rate: 5/1m, key: ip, store: redis }]${policies} } }\n    routes: { buy: { match: { path: /buy } } }\n`,
      { gateway: stores },
    );
  const REDIS = "  stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }\n";

  it("the gateway has to say where Redis is, and its entry then has the port", () => {
    expect(written("").diagnostics).toMatchObject([
      { code: "no-redis", place: { file: "apis.yaml", line: 5 } },
    ]);
    const { gateway, secrets } = planOf(written("", REDIS));
    expect(gateway.redisPorts).toEqual(["storeCounter"]);
    expect(secrets).toEqual(expect.arrayContaining(["REDIS_TOKEN", "REDIS_URL"]));
  });

  it("limits of different stores are groups of their own, the isolate's first", () => {
    const { step } = compilePolicy(rateLimit, on(shared, own), "before-identity");
    const { groups } = step as unknown as Step;
    expect(groups.map(({ store, limits }) => [store, limits.map(({ name }) => name)])).toEqual([
      [undefined, ["own"]],
      ["redis", ["shared"]],
    ]);
  });

  it("a word for a store that may fail wants such a store", () => {
    const { faults } = compilePolicy(rateLimit, [{ config: { limits: [own], onStoreFailure: "allow" } }]);
    expect(faults).toMatchObject([{ code: "store-failure-without-store", at: "onStoreFailure" }]);
  });
});
