import { describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/ports.ts";
import { Leases } from "../../../src/policies/cache/lease.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { FakeClock, fakePorts, seededRandom } from "../../support/ports.ts";
import { answer, caller, FakeEdge, Gateway, KEPT_WHOLE, settled } from "./harness.ts";

const LIVE = { "cache-control": "max-age=600" };
const ALL = { tiers: ["redis", "isolate", "edge"] } as const;

/** A store that counts, and holds on to writes where a test says so. */
class Redis extends MemoryStore {
  gets = 0;
  puts = 0;
  readonly ttls: number[] = [];
  override async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.gets++;
    return super.get(key);
  }
  override async put(key: string, bytes: Uint8Array, ttlMs: number): Promise<void> {
    this.puts++;
    this.ttls.push(ttlMs);
    return super.put(key, bytes, ttlMs);
  }
}

/** Two data centres with an isolate each, and one Redis. */
const farApart = (step: object = {}) => {
  const clock = new FakeClock();
  const store = new Redis(clock);
  const edges = [new FakeEdge(), new FakeEdge()] as const;
  let uuids = 0;
  const random = { number: seededRandom(), uuid: () => String(++uuids) };
  const gateway = (edge: FakeEdge) =>
    new Gateway({ ...ALL, ...step }, { over: { clock, store, random, edgeCache: edge } as object });
  const [one, other] = [gateway(edges[0]), gateway(edges[1])];
  const advance = (seconds: number) => clock.advance(seconds * 1000);
  return {
    store,
    edges,
    one,
    other,
    advance,
    again: () => gateway(edges[1]),
    isolated: () => gateway(new FakeEdge()),
  };
};

describe("the tiers isolate, edge and redis", () => {
  it("what one data centre stored, another finds in Redis, then in its own cache, then in the isolate", async () => {
    const { store, one, other, advance, again } = farApart();
    one.answers(() => answer({ ...LIVE, age: "5", "x-a": "é", etag: '"a"' }, "stored", 410));
    await one.send("/a");
    advance(10);
    const first = await other.send("/a");
    expect([first.status, first.text, first.result]).toEqual([410, "stored", "hit"]);
    expect([first.headers.get("x-a"), first.headers.get("age")]).toEqual(["é", "15"]);
    expect(first.cacheStatus).toBe("postern; hit; ttl=585; detail=redis");
    expect(other.counted).toEqual(["postern_cache_total{hit,redis}"]);
    const { gets } = store;
    expect((await other.send("/a")).cacheStatus).toContain("detail=isolate");
    expect((await again().send("/a")).cacheStatus).toBe("postern; hit; ttl=585; detail=edge");
    expect([store.gets - gets, other.sent.length]).toEqual([0, 0]);
  });

  it("an entry without Vary is one look-up in Redis, one of several variants two", async () => {
    const { store, one, other } = farApart();
    one.origin = ({ path }) => answer(path === "/b" ? { ...LIVE, vary: "foo" } : LIVE);
    await one.send("/a");
    await one.send("/b");
    store.gets = 0;
    await other.send("/a");
    expect(store.gets).toBe(1);
    await other.send("/b");
    expect([store.gets, other.sent.length]).toEqual([3, 0]);
  });

  it("keeps in Redis no longer than what is left, and for no longer in the nearer tier either", async () => {
    const { store, edges, one, other, advance } = farApart();
    one.answers(() => answer(LIVE));
    await one.send("/a");
    advance(100);
    await other.send("/a");
    expect(store.ttls).toEqual([600_000]);
    expect([...edges[1].entries.values()].map(({ ttlMs }) => ttlMs)).toEqual([500_000]);
  });

  it.each(KEPT_WHOLE)("%s comes back from Redis as it was", async (_sentence, fields, body, status) => {
    const { one, other } = farApart({ perCaller: true });
    one.answers(() => answer(fields, body, status));
    const options = { identity: caller("a") };
    await one.send("/a", options);
    const near = await one.send("/a", options);
    const far = await other.send("/a", options);
    expect(other.sent).toHaveLength(0);
    expect([far.status, far.text]).toEqual([near.status, near.text]);
    const fieldsOf = (headers: Headers) => [...headers].filter(([name]) => name !== "cache-status");
    expect(fieldsOf(far.headers)).toEqual(fieldsOf(near.headers));
    expect((await other.send("/a", { identity: caller("b") })).result).toBe("miss");
  });

  it("a part comes back from Redis as a part", async () => {
    const { one, other } = farApart();
    one.answers(() => answer({ ...LIVE, "content-range": "bytes 0-3/10", etag: '"a"' }, "body", 206));
    const options = { headers: { range: "bytes=0-3" } };
    await one.send("/a", options);
    const part = await other.send("/a", options);
    expect([part.status, part.text, part.headers.get("content-range")]).toEqual([
      206,
      "body",
      "bytes 0-3/10",
    ]);
    expect(other.sent).toHaveLength(0);
  });

  it("asks Redis too where what the data centre has is stale, and takes what is newer", async () => {
    const { one, other, advance } = farApart();
    const fields = (tag: string) => ({ "cache-control": "max-age=10", etag: `"${tag}"` });
    other.answers(() => answer(fields("a"), "old"));
    one.answers(() => answer(fields("b"), "new"));
    await other.send("/a");
    advance(20);
    await one.send("/a");
    const newer = await other.send("/a");
    expect([newer.text, newer.cacheStatus]).toEqual(["new", "postern; hit; ttl=10; detail=redis"]);
    expect((await other.send("/a")).cacheStatus).toContain("detail=isolate");
  });

  it("redis alone keeps nothing anywhere else", async () => {
    const { edges, one } = farApart({ tiers: ["redis"] });
    one.answers(() => answer({ ...LIVE, vary: "foo" }));
    await one.send("/a");
    expect((await one.send("/a")).cacheStatus).toContain("detail=redis");
    expect([edges[0].entries.size, one.sent.length]).toEqual([0, 1]);
  });

  it("where Redis is not among the tiers, nothing is asked of it", async () => {
    const { store, one } = farApart({ tiers: ["isolate"] });
    one.answers(() => answer(LIVE));
    await one.send("/a");
    expect([store.gets, store.puts]).toEqual([0, 0]);
  });

  it("the client waits for no write, and the request that fills nearer tiers neither", async () => {
    const { store, edges, one, other } = farApart();
    one.answers(() => answer({ ...LIVE, "content-length": "4" }));
    const never = () => new Promise<never>(() => undefined);
    edges[1].put = never;
    await one.send("/a");
    expect(await (await other.begin("/a").response).text()).toBe("body");
    store.put = never;
    expect(await (await one.begin("/b").response).text()).toBe("body");
  });

  it("a change is told to Redis, and who reads next gets the new", async () => {
    const { one, other } = farApart();
    const bodies = ["old", "new"];
    one.origin = ({ method }) =>
      method === "GET" ? answer({ ...LIVE, vary: "foo" }, bodies.shift()!) : answer({}, null, 204);
    await one.send("/a");
    await one.send("/a", { method: "PUT" });
    other.answers(() => answer(LIVE, "fetched"));
    expect((await other.send("/a")).text).toBe("fetched");
  });

  it("who changes something waits for Redis no longer than for a look-up", async () => {
    const { store, one } = farApart();
    store.delete = () => new Promise(() => undefined);
    one.answers(() => answer({}, null, 204));
    const began = performance.now();
    await one.begin("/a", { method: "PUT" }).response;
    expect(performance.now() - began).toBeLessThan(500);
  });

  it("what reaches Redis after its target was changed is taken away again", async () => {
    const { store, one, other } = farApart();
    const open = Promise.withResolvers<void>();
    const put = store.put.bind(store);
    store.put = (...args) => open.promise.then(() => put(...args));
    one.answers(
      () => answer({ ...LIVE, vary: "foo" }, "old"),
      () => answer({}, null, 204),
    );
    const { response, exchange } = one.begin("/a");
    await (await response).text();
    await one.send("/a", { method: "PUT" });
    open.resolve();
    await settled(exchange.deferred);
    other.answers(() => answer(LIVE, "fetched"));
    expect((await other.send("/a")).text).toBe("fetched");
  });

  it("where two data centres made indices at once, both use the one that is in Redis", async () => {
    const { store, one, other, isolated } = farApart();
    store.claim = async () => true;
    const vary = (sent: { headers: Headers }) => answer({ ...LIVE, vary: "foo" }, sent.headers.get("foo")!);
    one.origin = vary;
    other.origin = vary;
    const foo = (value: string) => ({ headers: { foo: value } });
    await Promise.all([one.send("/a", foo("1")), other.send("/a", foo("2"))]);
    await one.send("/a", foo("3"));
    await other.send("/a", foo("4"));
    const third = isolated();
    for (const value of ["3", "4"])
      expect((await third.send("/a", foo(value))).cacheStatus).toContain("detail=redis");
  });
});

describe("entries of several lanes, or routes, of one target", () => {
  it.each([
    ["isolate", ["isolate"]],
    ["edge", ["edge"]],
    ["redis", ["redis"]],
    ["all", ["isolate", "edge", "redis"]],
  ] as const)("the second does not displace the first (%s)", async (_sentence, tiers) => {
    const { one } = farApart({ tiers });
    one.origin = (_sent, { lane, route }) => answer(LIVE, `${lane} ${route.id}`);
    const each = [{ lane: "blue" }, { lane: "green" }, { route: "shop.other" }];
    for (const options of each) await one.send("/a", options);
    for (const options of each) expect((await one.send("/a", options)).result).toBe("hit");
    expect(one.sent).toHaveLength(3);
  });

  it("one that varies by a field takes the place of one that said nothing of that", async () => {
    const { one } = farApart();
    one.answers(
      () => answer({ "cache-control": "max-age=1" }, "any"),
      () => answer({ ...LIVE, vary: "foo" }, "one"),
    );
    await one.send("/a");
    one.advance(2);
    await one.send("/a", { headers: { foo: "1" } });
    expect((await one.send("/a", { headers: { foo: "1" } })).text).toBe("one");
    expect((await one.send("/a", { headers: { foo: "2" } })).result).toBe("miss");
  });
});

describe("leases", () => {
  const clock = new FakeClock();
  const { random } = fakePorts();
  const leases = (store: Store | undefined) => new Leases(store, random);

  it("without Redis everybody has one, at once", () => {
    const alone = leases(undefined);
    expect([alone.claim("a"), alone.claim("a"), alone.areShared]).toEqual(["", "", false]);
    expect([alone.release("a", ""), alone.markUncacheable("a")]).toEqual([undefined, undefined]);
  });

  it("one gets it, until it is given back or five seconds are over", async () => {
    const shared = leases(new MemoryStore(clock));
    const first = await shared.claim("a");
    expect([typeof first, await shared.claim("a"), typeof (await shared.claim("b"))]).toEqual([
      "string",
      undefined,
      "string",
    ]);
    await shared.release("a", first!);
    expect([typeof (await shared.claim("a")), await shared.claim("a")]).toEqual(["string", undefined]);
    clock.advance(5000);
    expect(await shared.claim("a")).toBeTypeOf("string");
  });

  it("who is slower than a lease lasts does not give back that of the next", async () => {
    const shared = leases(new MemoryStore(clock));
    const slow = await shared.claim("a");
    clock.advance(5000);
    const next = await shared.claim("a");
    await shared.release("a", slow!);
    expect(await shared.claim("a")).toBeUndefined();
    await shared.release("a", next!);
    expect(await shared.claim("a")).toBeTypeOf("string");
  });

  it("what cannot be stored is known elsewhere for half a minute, and where it is stored after all, no more", async () => {
    const { store, one, other, advance } = farApart();
    const keys: string[] = [];
    const get = store.get.bind(store);
    store.get = (key) => {
      keys.push(key);
      return get(key);
    };
    await one.answers(() => answer({}, "body", 404)).send("/a");
    const primary = keys[0]!.slice("cache:".length);
    await leases(store).markUncacheable(primary);
    expect((await get(keys[0]!))!.byteLength).toBe(0);
    expect((await other.send("/a")).result).toBe("miss");
    advance(30);
    expect(await get(keys[0]!)).toBeUndefined();
    await leases(store).markUncacheable(primary);
    await other.answers(() => answer(LIVE)).send("/a");
    expect((await one.send("/a")).cacheStatus).toContain("detail=redis");
    await leases(store).markUncacheable(primary);
    expect((await get(keys[0]!))!.byteLength).toBeGreaterThan(0);
  });
});
