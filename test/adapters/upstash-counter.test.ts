import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MemoryCounter } from "../../src/adapters/memory/counter.ts";
import { UpstashCounter } from "../../src/adapters/upstash/counter.ts";
import { COUNTER_SCRIPT, COUNTER_SCRIPT_SHA1 } from "../../src/adapters/upstash/counter-script.ts";
import type { Counter, Limit } from "../../src/core/ports.ts";
import { FakeClock } from "../support/ports.ts";
import { type Failure, type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";
import { ALGORITHMS, counterContract, perMinute } from "./counter-contract.ts";

describe("the script", () => {
  it("is known by the digest of its text", () => {
    expect(createHash("sha1").update(COUNTER_SCRIPT).digest("hex")).toBe(COUNTER_SCRIPT_SHA1);
  });
});

describeWithRedis("a counter in Redis", () => {
  let redis: RedisOverHttp;
  let records: unknown[] = [];
  let gateways = 0;

  beforeAll(async () => {
    redis = await startRedisOverHttp();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    records = [];
    redis.failure = undefined;
    redis.nowMs = undefined;
    await redis.command("FLUSHALL");
  });

  const counterOf = (gateway: string, clock = new FakeClock(), token = redis.token): Counter =>
    new UpstashCounter({
      access: { fetcher: { fetch: (url, init) => fetch(url, init) }, url: redis.url, token },
      gateway,
      clock,
      log: { write: (record) => void records.push(record) },
    });

  /** A counter whose Redis goes by a test's clock. */
  const open = () => {
    const clock = new FakeClock();
    const real = counterOf(`shop${++gateways}`, clock);
    const counter: Counter = {
      take: (...asked) => {
        redis.nowMs = clock.ms;
        return real.take(...asked);
      },
    };
    return { clock, counter };
  };

  counterContract(open);

  // On a clock that goes back the two differ by what dripped in meanwhile: the one in memory keeps it of a refusal too.
  it("decides as the counter in memory does, whatever is asked and when the clock goes on", async () => {
    const limit = fc.record({
      algorithm: fc.constantFrom(...ALGORITHMS),
      quantity: fc.integer({ min: 1, max: 12 }),
      windowMs: fc.constantFrom(1000, 10_000, 60_000, 16_001),
      burst: fc.integer({ min: 1, max: 20 }),
    });
    const request = fc.record({
      gap: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(20_000)),
      keys: fc.subarray([0, 1, 2], { minLength: 1 }),
      cost: fc.integer({ min: 0, max: 4 }),
    });
    const limits = fc.array(limit, { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(request, { maxLength: 40 }), async (trio, requests) => {
        const { clock, counter } = open();
        const memory = new MemoryCounter(clock);
        for (const { gap, keys, cost } of requests) {
          clock.advance(gap);
          const asked = [keys.map((key) => `k${key}`), keys.map((key): Limit => trio[key]!), cost] as const;
          expect(await counter.take(...asked)).toEqual(memory.take(...asked));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("goes by the clock of Redis, and not by that of the isolate", async () => {
    const limit = perMinute("slidingWindow", 1);
    const clock = new FakeClock();
    const counter = counterOf("shop", clock);
    expect((await counter.take(["a"], [limit], 1))[0]!.allowed).toBe(true);
    clock.advance(365 * 86_400_000);
    expect((await counter.take(["a"], [limit], 1))[0]!.allowed).toBe(false);
  });

  it("isolates count together, gateways each for themselves", async () => {
    const limit = perMinute("tokenBucket", 10);
    const isolates = [counterOf("shop"), counterOf("shop"), counterOf("shop")];
    const asked = await Promise.all(
      Array.from({ length: 60 }, (_, index) => isolates[index % 3]!.take(["a"], [limit], 1)),
    );
    expect(asked.filter(([state]) => state!.allowed)).toHaveLength(10);
    expect((await counterOf("other").take(["a"], [limit], 1))[0]!.allowed).toBe(true);
  });

  it("a limit that is changed begins anew", async () => {
    const counter = counterOf("shop");
    await counter.take(["a"], [perMinute("slidingWindow", 1)], 1);
    expect((await counter.take(["a"], [perMinute("tokenBucket", 1)], 1))[0]!.allowed).toBe(true);
    expect((await counter.take(["a"], [perMinute("slidingWindow", 2)], 1))[0]!.remaining).toBe(1);
    for (const quantity of [1, 2, 3]) {
      const limit = perMinute("tokenBucket", quantity, { burst: 5 });
      expect((await counter.take(["b"], [limit], 1))[0]!.remaining).toBe(4);
    }
  });

  it.each(ALGORITHMS)("%s: what is kept ends with the window", async (algorithm) => {
    await counterOf("shop").take(["a"], [perMinute(algorithm, 1)], 1);
    const [key] = (await redis.command("KEYS", "*")) as string[];
    const left = Number(await redis.command("PTTL", key!));
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  it("keeps nothing of what was only asked for, or refused with others", async () => {
    const counter = counterOf("shop");
    const limit = perMinute("fixedWindow", 1);
    await counter.take(["a"], [limit], 0);
    expect(await redis.command("DBSIZE")).toBe(0);
    await counter.take(["a"], [limit], 1);
    await counter.take(["a", "b"], [limit, limit], 1);
    expect(await redis.command("DBSIZE")).toBe(1);
  });

  it("is one request a decision, once Redis has the script", async () => {
    const counter = counterOf("shop");
    const limit = perMinute("slidingWindow", 5);
    await counter.take(["a"], [limit], 1);
    const before = redis.requests;
    await counter.take(["a", "b"], [limit, limit], 1);
    expect(redis.requests - before).toBe(1);
    expect(redis.last!.body).not.toContain("local");
  });

  it.each<[string, Failure | undefined, string?]>([
    ["Redis is away", { kind: "away" }],
    ["Redis does not answer", { kind: "silent" }],
    ["something else answers", { kind: "rubbish", status: 200, body: "<html>" }],
    ["something else is answered", { kind: "rubbish", status: 200, body: '{"result":[1,2]}' }],
    ["nothing is answered", { kind: "rubbish", status: 200, body: '{"result":null}' }],
    ["the token is wrong", undefined, "wrong"],
  ])("rejects where %s, then at once for a while, and quotes nothing", async (_, failure, token) => {
    const clock = new FakeClock();
    const counter = counterOf("shop", clock, token);
    redis.failure = failure;
    const take = () => counter.take(["a-secret-key"], [perMinute("slidingWindow", 5)], 1);
    for (let time = 0; time < 3; time++) await expect(take()).rejects.toThrow(/^Redis does not count$/);
    const before = redis.requests;
    await expect(take()).rejects.toThrow("spared");
    expect(redis.requests).toBe(before);
    expect(records).toEqual([{ level: "warn", message: "Redis does not count, and is spared for a while." }]);
    clock.advance(2000);
    redis.failure = undefined;
    if (token === undefined) expect((await take())[0]!.allowed).toBe(true);
  });

  it("rejects where Redis is full, rather than let through what it cannot count", async () => {
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    const taken = Promise.resolve(counterOf("shop").take(["a"], [perMinute("slidingWindow", 5)], 1));
    await expect(taken.finally(() => redis.command("CONFIG", "SET", "maxmemory", "0"))).rejects.toThrow(
      "Redis does not count",
    );
  });
});
