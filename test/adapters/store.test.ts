import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { LOOK_UP_MS, UpstashStore } from "../../src/adapters/upstash/store.ts";
import type { Store } from "../../src/core/ports.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { FakeClock } from "../support/ports.ts";
import { type Failure, type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";

/** A store under test, and how its time passes. */
interface Stage {
  readonly store: Store;
  elapse(ms: number): Promise<void>;
}

const MINUTE = 60_000;
const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes);

/** What every store does. */
const contract = (open: () => Stage): void => {
  it("gives back the very bytes", async () => {
    const { store } = open();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        await store.put("key", bytes, MINUTE);
        expect(await store.get("key")).toEqual(Uint8Array.from(bytes));
      }),
      { numRuns: 50 },
    );
    const long = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7);
    await store.put("key", long, MINUTE);
    expect(await store.get("key")).toEqual(long);
  });

  it("keeps different keys apart, whatever they hold", async () => {
    const { store } = open();
    const key = fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.string({ unit: fc.constantFrom("/", " ", "\r\n", "\u0000", "{", "a", "é"), maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(key, key, async (one, other) => {
        await store.delete(other);
        await store.put(one, bytesOf("one"), MINUTE);
        expect(textOf(await store.get(one))).toBe(one.isWellFormed() ? "one" : undefined);
        if (one !== other) expect(await store.get(other)).toBeUndefined();
        await store.delete(one);
      }),
      { numRuns: 60 },
    );
  });

  it("has nothing under a key that UTF-8 could not tell from another", async () => {
    const { store } = open();
    await store.put("a\ud800", bytesOf("half"), MINUTE);
    expect(await store.get("a\ud800")).toBeUndefined();
    expect(await store.get("a\ufffd")).toBeUndefined();
    await store.put("a\ufffd", bytesOf("whole"), MINUTE);
    await store.delete("a\ud800");
    expect([await store.get("a\ud800"), textOf(await store.get("a\ufffd"))]).toEqual([undefined, "whole"]);
    expect(await store.claim("b\ud800", MINUTE)).toBe(true);
    expect(await store.claim("b\ud800", MINUTE)).toBe(true);
  });

  it("has nothing that was not put, or was deleted, and the last that was put", async () => {
    const { store } = open();
    expect(await store.get("a")).toBeUndefined();
    await store.put("a", bytesOf("first"), MINUTE);
    await store.put("a", bytesOf("second"), MINUTE);
    expect(textOf(await store.get("a"))).toBe("second");
    await store.delete("a");
    await store.delete("a");
    expect(await store.get("a")).toBeUndefined();
  });

  it("keeps an entry for its time, and a new one for its own", async () => {
    const { store, elapse } = open();
    await store.put("a", bytesOf("a"), 30_000);
    await store.put("b", bytesOf("b"), 90_000);
    await elapse(20_000);
    await store.put("a", bytesOf("again"), 30_000);
    await elapse(20_000);
    expect([textOf(await store.get("a")), textOf(await store.get("b"))]).toEqual(["again", "b"]);
    await elapse(20_000);
    expect([await store.get("a"), textOf(await store.get("b"))]).toEqual([undefined, "b"]);
  });

  it.each([0, 0.9, -5, Number.NaN, Number.POSITIVE_INFINITY])("stores nothing for %d ms", async (ttlMs) => {
    const { store } = open();
    await store.put("a", bytesOf("a"), ttlMs);
    expect(await store.get("a")).toBeUndefined();
  });

  it("gives a lease to one of all who ask, until its time is over or it is given back", async () => {
    const { store, elapse } = open();
    const ask = () => store.claim("lease", 5000);
    const asked = await Promise.all(Array.from({ length: 20 }, ask));
    expect(asked.filter((granted) => granted)).toHaveLength(1);
    expect(await store.claim("another lease", 5000)).toBe(true);
    await elapse(5001);
    expect([await ask(), await ask()]).toEqual([true, false]);
    await store.delete("lease");
    expect([await ask(), await ask()]).toEqual([true, false]);
    expect((await store.get("lease"))?.byteLength).toBe(0);
  });

  it("takes a lease back from its holder alone", async () => {
    const { store, elapse } = open();
    const ask = (holder: string) => store.claim("lease", 5000, holder);
    expect([await ask("one"), await ask("other")]).toEqual([true, false]);
    expect(await store.get("lease")).toBeUndefined();
    await store.release("lease", "other");
    expect(await ask("other")).toBe(false);
    await store.release("lease", "one");
    expect([await ask("other"), await ask("one")]).toEqual([true, false]);
    await elapse(5001);
    expect(await ask("third")).toBe(true);
    await store.release("lease", "other");
    expect(await ask("fourth")).toBe(false);
    await store.put("entry", bytesOf("one"), MINUTE);
    await store.release("entry", "one");
    await store.release("nothing", "one");
    expect(textOf(await store.get("entry"))).toBe("one");
  });
};

describe("a store in memory", () => {
  contract(() => {
    const clock = new FakeClock();
    return { store: new MemoryStore(clock), elapse: async (ms) => clock.advance(ms) };
  });
});

describeWithRedis("a store in Redis", () => {
  let redis: RedisOverHttp;
  const clock = new FakeClock();
  let records: Readonly<Record<string, unknown>>[] = [];

  beforeAll(async () => {
    redis = await startRedisOverHttp();
  });
  afterAll(() => redis?.stop());
  beforeEach(async () => {
    redis.failure = undefined;
    records = [];
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await redis.command("FLUSHALL");
  });

  const open = (
    over: { gateway?: string; token?: string; url?: string; lookUpMs?: number } = {},
  ): UpstashStore =>
    new UpstashStore(
      {
        access: {
          fetcher: { fetch: (url, init) => fetch(url, init) },
          url: over.url ?? redis.url,
          token: over.token ?? redis.token,
        },
        gateway: over.gateway ?? "shop",
        clock,
        log: { write: (record) => void records.push(record) },
      },
      // A busy machine may take longer than a request would wait; what is shown in time asks for the product's own.
      over.lookUpMs ?? 5000,
    );

  /** Lets time pass for what is in Redis, without waiting: each entry gets so much less. */
  const elapse = async (ms: number): Promise<void> => {
    for (const key of (await redis.command("KEYS", "*")) as string[]) {
      const left = Number(await redis.command("PTTL", key));
      await redis.command("PEXPIRE", key, String(left - ms));
    }
  };

  contract(() => ({ store: open(), elapse }));

  describe("what it says to Redis", () => {
    it("a look-up is one command of one request, without what the SDK adds by itself", async () => {
      await open().get("a");
      expect([redis.last!.target, JSON.parse(redis.last!.body)]).toEqual([
        "POST /",
        ["get", "postern:shop:1:a"],
      ]);
      const own = Object.keys(redis.last!.headers).filter((name) => name.startsWith("upstash"));
      expect(own).toEqual([]);
    });

    it("an address may end with a slash", async () => {
      const store = open({ url: `${redis.url}/` });
      await store.put("a", bytesOf("a"), MINUTE);
      expect(textOf(await store.get("a"))).toBe("a");
    });

    it("every entry has an end", async () => {
      await open().put("a", bytesOf("a"), MINUTE);
      await open().claim("b", 5000);
      const ends = await Promise.all(
        ["a", "b"].map((key) => redis.command("PTTL", `postern:shop:1:${key}`).then(Number)),
      );
      expect(ends[0]).toBeGreaterThan(MINUTE - 10_000);
      expect(ends[0]).toBeLessThanOrEqual(MINUTE);
      expect(ends[1]).toBeGreaterThan(0);
      expect(ends[1]).toBeLessThanOrEqual(5000);
    });

    it.each([0, 0.9, Number.NaN, Number.POSITIVE_INFINITY])(
      "says nothing of a value for %d ms",
      async (ttlMs) => {
        const before = redis.requests;
        await open().put("a", bytesOf("a"), ttlMs);
        expect(redis.requests).toBe(before);
      },
    );

    it("goes nowhere else with the token, whoever says so", async () => {
      redis.failure = { kind: "rubbish", status: 307, body: "", location: `${redis.url}/elsewhere` };
      const before = redis.requests;
      expect(await open().get("a")).toBeUndefined();
      expect(redis.requests - before).toBe(1);
    });

    it("says nothing of a value that is too long for one request", async () => {
      const before = redis.requests;
      await open().put("a", new Uint8Array(750_001), MINUTE);
      expect(redis.requests).toBe(before);
      await open().put("a", new Uint8Array(750_000), MINUTE);
      expect(redis.last!.body.length).toBeLessThan(1024 * 1024);
    });
  });

  describe("entries of others", () => {
    it("another gateway has its own", async () => {
      await open({ gateway: "other" }).put("a", bytesOf("a"), MINUTE);
      expect(await open().get("a")).toBeUndefined();
    });

    it.each(["postern:shop:0:a", "postern:shop:2:a", "a"])("%s is not read", async (name) => {
      await redis.command("SET", name, "b2xk");
      expect(await open().get("a")).toBeUndefined();
    });

    it.each([
      ["text that is no base64", ["SET", "postern:shop:1:a", "{not base64}"]],
      ["bytes that are no text", ["SET", "postern:shop:1:a", Buffer.from([0xff, 0xfe, 0])]],
      ["a list", ["RPUSH", "postern:shop:1:a", "1"]],
      ["a hash", ["HSET", "postern:shop:1:a", "1", "2"]],
    ] as const)(
      "%s under its name is as if absent, is replaced, and is no failure of Redis",
      async (_, command) => {
        const store = open();
        await redis.command(...command);
        for (let time = 0; time < 5; time++) expect(await store.get("a")).toBeUndefined();
        await store.put("a", bytesOf("ours"), MINUTE);
        expect(textOf(await store.get("a"))).toBe("ours");
        expect(records).toEqual([]);
      },
    );
  });

  const rubbish = (body: string, status = 200): Failure => ({ kind: "rubbish", status, body });
  const FAILURES: readonly [string, Failure][] = [
    ["is away", { kind: "away" }],
    ["is slow", { kind: "slow", delayMs: 300 }],
    ["never answers", { kind: "silent" }],
    ["answers a page", rubbish("<html>It works!</html>")],
    ["is behind something that fails", rubbish("<html>Bad gateway</html>", 502)],
    ["answers half of something", rubbish('{"result":"YWJj')],
    ["answers nothing", rubbish("")],
    ["answers null", rubbish("null")],
    ["answers a list", rubbish('[{"result":"YWJj"}]')],
    ["answers another object", rubbish('{"ok":true}')],
    ["redirects", rubbish('{"result":"YWJj"}', 302)],
    ["answers with a number", rubbish('{"result":7}')],
    ["answers with a list of texts", rubbish('{"result":["YWJj"]}')],
  ];

  describe("when Redis fails", () => {
    it.each(FAILURES)("%s: a look-up finds nothing, in time", async (_, failure) => {
      const store = open({ lookUpMs: LOOK_UP_MS });
      await store.put("a", bytesOf("a"), MINUTE);
      redis.failure = failure;
      const began = performance.now();
      expect(await store.get("a")).toBeUndefined();
      // The budget, and what a busy machine adds to it.
      expect(performance.now() - began).toBeLessThan(LOOK_UP_MS + 150);
    });

    it.each(FAILURES.filter(([, { kind }]) => kind !== "silent"))(
      "%s: writes end, and everybody has the lease",
      async (_, failure) => {
        const store = open();
        redis.failure = failure;
        const answers = [
          store.put("a", bytesOf("a"), MINUTE),
          store.delete("a"),
          store.release("a", "holder"),
          store.claim("a", 5000, "holder"),
        ];
        expect(await Promise.all(answers)).toEqual([undefined, undefined, undefined, true]);
      },
    );

    it("a write that is never answered is given up", async () => {
      redis.failure = { kind: "silent" };
      const began = performance.now();
      await open().put("a", bytesOf("a"), MINUTE);
      expect(performance.now() - began).toBeLessThan(2500);
    });

    it.each([
      ["a wrong token", { token: "wrong" }],
      ["no token", { token: "" }],
      ["an address where nobody listens", { url: "http://127.0.0.1:9" }],
      ["an address that is none", { url: "redis" }],
      ["no address", { url: "" }],
    ])("%s is a failure like any other", async (_, over) => {
      await open().put("a", bytesOf("a"), MINUTE);
      const store = open(over);
      expect(await store.get("a")).toBeUndefined();
      await store.put("a", bytesOf("b"), MINUTE);
      await store.delete("a");
      expect(textOf(await open().get("a"))).toBe("a");
    });

    it("full: what is there is still found and deleted, however often nothing could be put", async () => {
      const store = open();
      await store.put("a", bytesOf("a"), MINUTE);
      await redis.command("CONFIG", "SET", "maxmemory", "1");
      for (let time = 0; time < 5; time++) await store.put("b", bytesOf("b"), MINUTE);
      expect([textOf(await store.get("a")), await store.get("b")]).toEqual(["a", undefined]);
      await store.delete("a");
      expect(await store.get("a")).toBeUndefined();
      expect(records).toEqual([
        { level: "warn", message: "Redis fails, and is spared for a while: it takes no values." },
      ]);
    });

    it("full: everybody gets a lease, and what is there is still found", async () => {
      const store = open();
      await store.put("a", bytesOf("a"), MINUTE);
      await redis.command("CONFIG", "SET", "maxmemory", "1");
      for (let time = 0; time < 5; time++) expect(await store.claim("b", MINUTE)).toBe(true);
      expect(textOf(await store.get("a"))).toBe("a");
      expect(records).toEqual([]);
    });
  });

  describe("spares a Redis that fails", () => {
    const away = async (): Promise<UpstashStore> => {
      const store = open();
      await store.put("a", bytesOf("a"), MINUTE);
      redis.failure = { kind: "away" };
      for (let time = 0; time < 3; time++) await store.get("a");
      return store;
    };
    const requestsOf = async (work: () => Promise<unknown>): Promise<number> => {
      const before = redis.requests;
      await work();
      return redis.requests - before;
    };

    it("after three failures in a row it is not asked, and tells so once", async () => {
      const store = await away();
      const ask = async () => {
        await store.get("a");
        await store.delete("a");
        expect(await store.claim("b", 1000)).toBe(true);
      };
      expect(await requestsOf(ask)).toBe(0);
      for (let time = 0; time < 5; time++) {
        clock.advance(2001);
        await store.get("a");
      }
      expect(records).toEqual([
        { level: "warn", message: "Redis fails, and is spared for a while: it does not answer." },
      ]);
    });

    it("then one look-up in two seconds tries; when it succeeds, all go again", async () => {
      const store = await away();
      const three = () => Promise.all([store.get("a"), store.get("a"), store.get("a")]);
      clock.advance(1999);
      expect(await requestsOf(three)).toBe(0);
      clock.advance(1);
      expect(await requestsOf(three)).toBe(1);
      redis.failure = undefined;
      expect(await requestsOf(three)).toBe(0);
      clock.advance(2000);
      expect((await three()).map(textOf)).toContain("a");
      expect((await three()).map(textOf)).toEqual(["a", "a", "a"]);
    });

    it("failures that are not in a row do not count", async () => {
      const store = open();
      await store.put("a", bytesOf("a"), MINUTE);
      for (let time = 0; time < 4; time++) {
        redis.failure = { kind: "away" };
        for (let failure = 0; failure < 2; failure++) expect(await store.get("a")).toBeUndefined();
        redis.failure = undefined;
        expect(textOf(await store.get("a"))).toBe("a");
      }
    });
  });
});
