import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { SharedPurges } from "../../src/adapters/memory/shared-purges.ts";
import { UpstashPurgeLog } from "../../src/adapters/upstash/purge-log.ts";
import { EVERYTHING, tagScope } from "../../src/core/purge.ts";
import { FakeClock } from "../support/ports.ts";
import { type Failure, type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";

const A = tagScope("a");
const B = tagScope("b");
const MOST = 8192;

describeWithRedis("a log of purges in Redis", () => {
  let redis: RedisOverHttp;
  let records: unknown[] = [];

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

  const open = (gateway = "shop", clock = new FakeClock()): UpstashPurgeLog =>
    new UpstashPurgeLog({
      access: { fetcher: { fetch: (url, init) => fetch(url, init) }, url: redis.url, token: redis.token },
      gateway,
      clock,
      log: { write: (record) => void records.push(record) },
    });

  it("begins with a purge of everything, once, at the time of Redis", async () => {
    redis.nowMs = 1_790_000_000_123;
    const log = open();
    const first = await log.since(0);
    expect(first).toEqual([{ scope: EVERYTHING, number: 1_790_000_000_123 }]);
    redis.nowMs += 1000;
    expect(await log.since(0)).toEqual(first);
    expect(await open().since(first[0]!.number)).toEqual(first);
  });

  it("numbers purges by time, each above all before it, though the time stands still or goes back", async () => {
    redis.nowMs = 1_790_000_000_000;
    const [log, other] = [open(), open()];
    await log.since(0);
    expect(await log.append([A], 0)).toBe(1_790_000_000_001);
    expect(await other.append([B], 0)).toBe(1_790_000_000_002);
    redis.nowMs = 1_700_000_000_000;
    expect(await log.append([A, B], 0)).toBe(1_790_000_000_003);
    redis.nowMs = 1_790_000_001_000;
    expect(await log.append([A], 0)).toBe(1_790_000_001_000);
  });

  it("of many at once gives each another number, and a reader that goes on from where it was misses none", async () => {
    const [log, reader] = [open(), open()];
    await log.since(0);
    const numbers = Promise.all(
      Array.from({ length: 200 }, (_, index) => open().append([tagScope(`${index}`)], 0)),
    );
    const seen = new Map<string, number>();
    let readTo = 0;
    while (seen.size < 201) {
      for (const { scope, number } of await reader.since(readTo)) {
        seen.set(scope, number);
        readTo = Math.max(readTo, number);
      }
    }
    const given = await numbers;
    expect(new Set(given).size).toBe(200);
    expect(given.map((_, index) => seen.get(tagScope(`${index}`)))).toEqual(given);
  });

  it("answers what was purged since a number, that itself included, and the last number of each scope", async () => {
    const log = open();
    await log.since(0);
    const first = await log.append([A], 0);
    const second = await log.append([B], 0);
    const third = await log.append([A], 0);
    expect(await log.since(first)).toEqual([
      { scope: B, number: second },
      { scope: A, number: third },
    ]);
    expect(await log.since(third)).toEqual([{ scope: A, number: third }]);
  });

  it("keeps scopes as they are, whatever characters they have, and other gateways' apart", async () => {
    const scopes = ['t"\\\n\u0000', "tgrüße \u{1f600}", "u[::1]:8080/a%2Fb", "t(1", "t+inf", "t1.5"];
    const log = open();
    await log.append(scopes, 0);
    expect((await log.since(1)).map(({ scope }) => scope).sort()).toEqual([EVERYTHING, ...scopes].sort());
    expect((await open("other").since(0)).map(({ scope }) => scope)).toEqual([EVERYTHING]);
  });

  it("needs nothing of what came before a purge of everything", async () => {
    const log = open();
    await log.append([A, B], 0);
    const number = await log.append([EVERYTHING], 0);
    expect(await log.since(0)).toEqual([{ scope: EVERYTHING, number }]);
    const both = await log.append([A, EVERYTHING], 0);
    expect(await log.since(number)).toEqual(
      expect.arrayContaining([
        { scope: A, number: both },
        { scope: EVERYTHING, number: both },
      ]),
    );
  });

  it("holds so many scopes and no more; what is older than those which went counts as purged", async () => {
    const log = open();
    redis.nowMs = 1_790_000_000_000;
    await log.since(0);
    const first = await log.append([A], 0);
    for (let from = 0; from < MOST; from += 1024)
      await log.append(
        Array.from({ length: 1024 }, (_, index) => tagScope(`x${from + index}`)),
        0,
      );
    const purges = await log.since(0);
    expect(purges.length).toBeLessThanOrEqual(MOST + 1);
    expect(purges.some(({ scope }) => scope === A)).toBe(false);
    expect(purges.find(({ scope }) => scope === EVERYTHING)!.number).toBeGreaterThanOrEqual(first);
    expect(purges.filter(({ scope }) => scope.startsWith("tx")).length).toBeGreaterThan(MOST - 1025);
  });

  it.each([
    ["was read", (log: UpstashPurgeLog, known: number) => log.since(known)],
    ["is appended to", (log: UpstashPurgeLog, known: number) => log.append([A], known)],
  ])(
    "that lost its data counts as a purge of everything when it %s, above all that was known",
    async (_, call) => {
      const log = open();
      redis.nowMs = 1_790_000_000_000;
      await log.since(0);
      const known = await log.append([A, B], 0);
      await redis.command("FLUSHALL");
      redis.nowMs = 1_700_000_000_000;
      await call(log, known);
      const { number } = (await open().since(0)).find(({ scope }) => scope === EVERYTHING)!;
      expect(number).toBeGreaterThan(known);
      // A reader who knows as much learns of it.
      expect((await log.since(known)).map(({ scope }) => scope)).toContain(EVERYTHING);
    },
  );

  it("that lost the last of its data does so too", async () => {
    const log = open();
    await log.since(0);
    await log.append([A], 0);
    const known = await log.append([B], 0);
    await redis.command("ZREM", "postern:shop:purges:1", B);
    expect((await log.since(known)).map(({ scope }) => scope)).toEqual([EVERYTHING]);
  });

  it("can be read where Redis takes no values, and says that it takes none", async () => {
    const log = open();
    await log.append([A], 0);
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    try {
      expect((await log.since(1)).map(({ scope }) => scope)).toContain(A);
      await expect(log.append([B], 0)).rejects.toThrow("Redis has no answer");
      expect((await log.since(1)).map(({ scope }) => scope)).not.toContain(B);
    } finally {
      await redis.command("CONFIG", "SET", "maxmemory", "0");
    }
  });

  const FAILURES: readonly [string, Failure][] = [
    ["is away", { kind: "away" }],
    ["answers with a page", { kind: "rubbish", status: 200, body: "<html>" }],
    ["answers with something else", { kind: "rubbish", status: 200, body: '{"result":{"a":1}}' }],
    ["answers with half of it", { kind: "rubbish", status: 200, body: '{"result":["ta"]}' }],
    ["answers with no number", { kind: "rubbish", status: 200, body: '{"result":["ta","x"]}' }],
    ["refuses", { kind: "rubbish", status: 401, body: '{"error":"WRONGPASS"}' }],
  ];
  it.each(FAILURES)(
    "rejects where Redis %s, spares it after three times, says so once, and asks again",
    async (_, failure) => {
      const clock = new FakeClock();
      const log = open("shop", clock);
      await log.since(0);
      redis.failure = failure;
      const before = redis.requests;
      for (let time = 0; time < 10; time++) {
        await expect(log.since(0)).rejects.toThrow();
        await expect(log.append([A], 0)).rejects.toThrow();
      }
      expect(redis.requests - before).toBe(6);
      expect(records).toEqual([
        { level: "warn", message: "Redis fails, and is spared for a while: purges elsewhere are not known." },
        { level: "warn", message: "Redis fails, and is spared for a while: it takes no purges." },
      ]);
      redis.failure = undefined;
      clock.advance(2001);
      expect(await log.since(0)).toHaveLength(1);
      expect(await log.append([A], 0)).toBeGreaterThan(0);
    },
  );

  it("tells one isolate of another's purges", async () => {
    const clock = new FakeClock();
    const [here, there] = [new SharedPurges(open(), clock), new SharedPurges(open(), clock)];
    const defer = { waitUntil: () => {} };
    await here.catchUp(defer);
    await there.catchUp(defer);
    const asOf = there.last;
    expect(await here.purge([A])).toBe(true);
    expect(there.lastOf([A])).toBeLessThanOrEqual(asOf);
    clock.advance(5000);
    await there.catchUp(defer);
    expect(there.lastOf([A])).toBe(here.lastOf([A]));
    expect(there.lastOf([A])).toBeGreaterThan(asOf);
    expect(there.lastOf([B])).toBeLessThanOrEqual(asOf);
  });
});
