import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryCounter } from "../../../src/adapters/memory/counter.ts";
import type { Counter } from "../../../src/core/ports.ts";
import { filter, type Step } from "../../../src/policies/quota/filter.ts";
import { quota } from "../../../src/policies/quota/policy.ts";
import { compiledApis, planOf } from "../../support/compiling.ts";
import { FakeClock, fakeExchange, fakePorts, fakeSite } from "../../support/ports.ts";
import { type At, clientAnswer, compilePolicy } from "../compiling.ts";

const START = "2026-01-30T12:00:00Z";

/** Copies of one gateway that count in one store. */
const gateways = (configs: readonly At[], count = 1) => {
  const { step, faults } = compilePolicy(quota, configs);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  const clock = new FakeClock();
  clock.ms = Date.parse(START);
  const memory = new MemoryCounter(clock);
  const store = { isAway: false, asked: 0 };
  const storeCounter: Counter = {
    take: async (...given) => {
      store.asked++;
      if (store.isAway) throw new Error("away");
      return memory.take(...given);
    },
  };
  const all = Array.from({ length: count }, () => {
    const linked = filter(step as Step, fakePorts({ clock, storeCounter }), fakeSite())!;
    const handler = linked(() => new Response("served", { headers: { ratelimit: '"theirs";r=1;t=1' } }));
    const ask = async (): Promise<Response> => {
      const exchange = fakeExchange(new Request("https://api.example.com/"), { clientIp: "192.0.2.1" });
      return clientAnswer(exchange, await handler(exchange));
    };
    const passed = async (times: number): Promise<number> => {
      const answers = await Promise.all(Array.from({ length: times }, ask));
      return answers.filter(({ status }) => status === 200).length;
    };
    return { ask, passed };
  });
  return { all, clock, store, ...all[0]! };
};

const limits = (...list: readonly object[]): At => ({ config: { limits: list } });
const shared = { name: "shared", quota: "5/day", key: "ip", store: "redis" };

describe("store: redis", () => {
  it("is one count for all copies of the gateway, whatever becomes of one of them", async () => {
    const { all } = gateways([limits(shared)], 3);
    const counts = await Promise.all(all.map(({ passed }) => passed(9)));
    expect(counts.reduce((sum, part) => sum + part)).toBe(5);
  });

  it("tells what is left in the caller's units, until when, and refuses until then", async () => {
    const { ask, passed } = gateways([limits({ ...shared, quota: "10/day", cost: 3 })]);
    const first = await ask();
    expect(first.headers.get("ratelimit-policy")).toBe('"shared";q=10;w=86400');
    expect(first.headers.get("ratelimit")).toBe('"shared";r=7;t=43200');
    expect(await passed(9)).toBe(2);
    const over = await ask();
    expect([over.status, over.headers.get("retry-after")]).toEqual([429, "43200"]);
    expect(over.headers.get("ratelimit")).toBe('"shared";r=1;t=43200');
  });

  it("begins anew with the period, and not a moment before", async () => {
    const { passed, clock } = gateways([limits(shared)]);
    expect(await passed(9)).toBe(5);
    clock.advance(12 * 3_600_000 - 1);
    expect(await passed(9)).toBe(0);
    clock.advance(1);
    expect(await passed(9)).toBe(5);
  });

  it("forgets nothing in the middle of a month", async () => {
    const { passed, clock } = gateways([limits({ ...shared, quota: "5/month" })]);
    clock.ms = Date.parse("2026-03-01T00:00:00Z");
    expect(await passed(3)).toBe(3);
    clock.ms = Date.parse("2026-03-20T00:00:00Z");
    expect(await passed(9)).toBe(2);
    clock.ms = Date.parse("2026-03-31T23:59:59Z");
    expect(await passed(9)).toBe(0);
    clock.ms = Date.parse("2026-04-01T00:00:00Z");
    expect(await passed(9)).toBe(5);
  });

  it("never lets more pass in a period than its quota, whenever they ask", async () => {
    const periods = { hour: 3_600_000, day: 86_400_000, week: 7 * 86_400_000 };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(periods) as (keyof typeof periods)[])),
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 10, maxLength: 40 }),
        async (period, waits) => {
          const { ask, clock } = gateways([limits({ ...shared, quota: `3/${period}` })]);
          const monday = Date.parse("1970-01-05T00:00:00Z");
          const passed = new Map<number, number>();
          for (const wait of waits) {
            clock.advance(Math.floor((wait / 1000) * periods[period]));
            const span = Math.floor((clock.ms - monday) / periods[period]);
            const before = passed.get(span) ?? 0;
            // No more, and no less either.
            expect((await ask()).status).toBe(before < 3 ? 200 : 429);
            passed.set(span, before + 1);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("is not asked for what the isolate's quotas refuse, and stands beside them in answers", async () => {
    const own = { name: "own", quota: "2/day", key: "ip" };
    const { ask, passed, store } = gateways([limits(shared, own)]);
    const { headers } = await ask();
    expect(headers.get("ratelimit")).toBe('"own";r=1;t=43200, "shared";r=4;t=43200');
    expect(await passed(9)).toBe(1);
    expect(store.asked).toBe(2);
  });
});

describe("while the store is away", () => {
  it.each([
    ["each copy counts for itself where nothing is said", undefined, [5, 5], '"shared";r=0;t=43200'],
    ["each copy counts for itself", "isolate", [5, 5], '"shared";r=0;t=43200'],
    ["the quota does not hold, and is not told of", "allow", [9, 9], null],
    ["nobody passes", "refuse", [0, 0], null],
  ] as const)("%s", async (_, onStoreFailure, counts, told) => {
    const config = { limits: [shared], ...(onStoreFailure && { onStoreFailure }) };
    const { all, store } = gateways([{ config }], 2);
    store.isAway = true;
    expect(await Promise.all(all.map(({ passed }) => passed(9)))).toEqual(counts);
    const answer = await all[0]!.ask();
    expect(answer.headers.get("ratelimit")).toBe(onStoreFailure === "refuse" ? null : told);
    if (onStoreFailure !== "refuse") return;
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.json()).toMatchObject({ code: "limits-unavailable" });
  });
});

describe("when compiled", () => {
  const written = (stores: string) =>
    compiledApis(
      "apis:\n  shop:\n    public: true\n    upstream: orders\n    policies: { quota: { limits: [{ name: all, quota: 5/day, key: ip, store: redis }] } }\n    routes: { buy: { match: { path: /buy } } }\n",
      { gateway: stores },
    );

  it("the gateway has to say where Redis is, and its entry then has the port", () => {
    expect(written("").diagnostics).toMatchObject([{ code: "no-redis" }]);
    const plan = planOf(
      written("  stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }\n"),
    );
    expect(plan.gateway.redisPorts).toEqual(["storeCounter"]);
  });

  it("a word for a store that may fail wants such a store", () => {
    const config = { limits: [{ ...shared, store: "isolate" }], onStoreFailure: "refuse" };
    expect(compilePolicy(quota, [{ config }]).faults).toMatchObject([
      { code: "store-failure-without-store", at: "onStoreFailure" },
    ]);
  });
});
