import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Purges } from "../../../src/core/purge.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { FakeClock } from "../../support/ports.ts";
import { Crowd, LIVE, texts } from "./crowd.ts";

/** Two isolates with one Redis. `asked` tells which of them has requests at the origin. */
const isolates = (step: object = {}) => {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  const isolate = () =>
    new Crowd({ tiers: ["isolate", "redis"], ...step }, { over: { clock, store } as object });
  return { one: isolate(), other: isolate(), store };
};

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("requests for the same at once in two isolates", () => {
  it("are one request to the upstream; the other isolate finds the answer in Redis", async () => {
    const { one, other } = isolates();
    const first = [one.ask(), one.ask()];
    await one.wait(0);
    const second = [other.ask(), other.ask()];
    await one.wait(200);
    expect([one.open, other.open]).toEqual([1, 0]);
    await one.answer();
    await one.wait(200);
    expect(await texts([...first, ...second])).toEqual(["body", "body", "body", "body"]);
    for (const seen of second) expect((await seen).cacheStatus).toBe("postern; hit; ttl=599; detail=redis");
    expect([one.sent.length, other.sent.length]).toEqual([1, 0]);
  });

  it("about an entry that has ended are one revalidation", async () => {
    const { one, other } = isolates();
    const first = one.ask();
    await one.wait(0);
    await one.answer({ "cache-control": "max-age=1", etag: '"a"' }, "old");
    await first;
    await other.ask();
    one.advance(5);
    const asked = [one.ask(), other.ask()];
    await one.wait(100);
    expect(one.open + other.open).toBe(1);
    await (one.open === 1 ? one : other).answer({ ...LIVE, etag: '"a"' }, null, 304);
    await one.wait(200);
    expect(await texts(asked)).toEqual(["old", "old"]);
  });

  it("looks again after 25, 50, 100 and then every 200 milliseconds, and after five seconds asks by itself", async () => {
    const { one, other, store } = isolates();
    const first = one.ask();
    await one.wait(0);
    const claims: number[] = [];
    const { claim } = store;
    const beganMs = one.ports.clock.now();
    store.claim = (...lease) => {
      claims.push(one.ports.clock.now() - beganMs);
      return claim.apply(store, lease);
    };
    const second = other.ask();
    await one.wait(0);
    for (let ms = 0; ms < 5000 && other.open === 0; ms += 5) await one.wait(5);
    expect(claims.slice(0, 6)).toEqual([0, 25, 75, 175, 375, 575]);
    expect(other.open).toBe(1);
    await other.answer(LIVE, "two");
    await one.answer(LIVE, "one");
    expect(await texts([first, second])).toEqual(["one", "two"]);
  });

  it("what cannot be stored is known to both when its header has come", async () => {
    const { one, other } = isolates();
    const first = [one.ask(), one.ask()];
    await one.wait(0);
    const second = [other.ask(), other.ask()];
    await one.wait(100);
    await one.answer({ "cache-control": "no-store" }, "1");
    await one.wait(200);
    expect([one.open, other.open]).toEqual([1, 2]);
    await one.answer({ "cache-control": "no-store" }, "2");
    await other.answer({ "cache-control": "no-store" }, "3");
    await other.answer({ "cache-control": "no-store" }, "4");
    expect(await texts([...first, ...second])).toEqual(["1", "2", "3", "4"]);
    // Who comes later takes no lease.
    const later = [one.ask(), other.ask()];
    await one.wait(0);
    expect([one.open, other.open]).toEqual([1, 1]);
    await one.answer({ "cache-control": "no-store" }, "5");
    await other.answer({ "cache-control": "no-store" }, "6");
    await Promise.all(later);
  });

  it("nobody takes a lease for what answers nobody else", async () => {
    const { one, other } = isolates();
    const fields = { "cache-control": "no-cache", etag: '"a"' };
    for (const isolate of [one, other]) {
      const first = isolate.ask();
      await one.wait(0);
      await (isolate === one ? isolate.answer(fields, "a") : isolate.answer(fields, null, 304));
      await first;
    }
    const asked = [one.ask(), other.ask()];
    await one.wait(0);
    expect([one.open, other.open]).toEqual([1, 1]);
    await one.answer(fields, null, 304);
    await other.answer(fields, null, 304);
    await Promise.all(asked);
  });

  it("whoever never gets the lease asks by itself in the end", async () => {
    const { one, store } = isolates();
    store.claim = async () => false;
    const asked = one.ask();
    await one.wait(4900);
    expect(one.open).toBe(0);
    await one.wait(101);
    expect(one.open).toBe(1);
    await one.answer();
    expect((await asked).text).toBe("body");
  });

  it("when the one fails, the other asks", async () => {
    const { one, other } = isolates();
    const first = one.ask();
    await one.wait(0);
    const second = other.ask();
    await one.wait(100);
    await one.answer({}, "broken", 500);
    await one.wait(200);
    expect(other.open).toBe(1);
    await other.answer();
    expect(await texts([first, second])).toEqual(["broken", "body"]);
  });

  it("in the background they are one, too", async () => {
    const { one, other } = isolates();
    const first = one.ask();
    await one.wait(0);
    await one.answer({ "cache-control": "max-age=1, stale-while-revalidate=60" }, "old");
    await first;
    await other.ask();
    one.advance(5);
    const asked = [one.ask(), other.ask()];
    await one.wait(0);
    expect(one.open + other.open).toBe(1);
    await (one.open === 1 ? one : other).answer(LIVE, "new");
    expect(await texts(asked)).toEqual(["old", "old"]);
    // The other learns of it when it would have refreshed.
    expect(await texts([one.ask(), other.ask()])).toContain("new");
    expect(await texts([one.ask(), other.ask()])).toEqual(["new", "new"]);
    expect(one.sent.length + other.sent.length).toBe(2);
  });
});

describe("a Redis that does not answer", () => {
  const LOOK_UP_MS = 50;

  it.each<[string, string[], number]>([
    ["a look-up", [], LOOK_UP_MS],
    ["what was purged elsewhere", ["catchUp"], LOOK_UP_MS],
  ])("keeps a request for the time of one call, which is that of %s", async (_what, slow, mostMs) => {
    const clock = new FakeClock();
    const store = new MemoryStore(clock);
    const late = <T>(value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), LOOK_UP_MS));
    store.get = () => late(undefined);
    store.claim = () => late(true);
    const purges: Purges = {
      last: 0,
      lastOf: () => 0,
      catchUp: () => (slow.includes("catchUp") ? late(undefined) : undefined),
      purge: async () => true,
    };
    const gateway = new Crowd({ tiers: ["isolate", "redis"] }, { over: { clock, store, purges } as object });
    const asked = gateway.ask();
    for (let ms = 0; ms < mostMs; ms += 10) await gateway.wait(10);
    expect(gateway.open).toBe(1);
    await gateway.answer();
    expect((await asked).text).toBe("body");
  });
});
