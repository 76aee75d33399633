import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Stored, type StoredResponse, weightOf } from "../../../src/policies/cache/entry.ts";
import { IsolateTier } from "../../../src/policies/cache/isolate-tier.ts";

const KIBIBYTE = 1024;
const LIMIT = 1024 * KIBIBYTE;

/** The garbage collector, which a test may call where Node lets it. */
const collectGarbage = ((): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

const entry = (bytes: number, names: readonly string[] = []): StoredResponse => ({
  kind: "response",
  variant: "",
  names,
  status: 200,
  headers: new Headers({ "content-type": "text/plain" }),
  body: new ArrayBuffer(bytes),
  receivedMs: 0,
  initialAgeMs: 0,
  lifetimeMs: 1000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  noCache: false,
  mustRevalidate: false,
});

describe("entries in the isolate's memory", () => {
  it("are found, replaced and deleted", () => {
    const tier = new IsolateTier(LIMIT);
    const empty = tier.bytes;
    const [one, other] = [entry(10), entry(20)];
    tier.put("a", one);
    expect(tier.get("a")).toBe(one);
    tier.put("a", other);
    expect([tier.get("a"), tier.get("b")]).toEqual([other, undefined]);
    tier.delete("a");
    expect([tier.get("a"), tier.bytes]).toEqual([undefined, empty]);
  });

  it("stay within their bound while very many keys pass", () => {
    const tier = new IsolateTier(LIMIT);
    let most = 0;
    for (let index = 0; index < 100_000; index++) {
      tier.put(`key-${index}`, entry(index % 3000));
      most = Math.max(most, tier.bytes);
    }
    expect(most).toBeLessThanOrEqual(LIMIT);
    expect(most).toBeGreaterThan(LIMIT / 2);
  });

  it("that are used stay while a flood of keys passes that are asked for once", () => {
    const tier = new IsolateTier(LIMIT);
    for (let index = 0; index < 20; index++) tier.put(`used-${index}`, entry(KIBIBYTE));
    for (let index = 0; index < 50_000; index++) {
      tier.put(`flood-${index}`, entry(KIBIBYTE));
      if (index % 10 === 0) tier.get(`used-${(index / 10) % 20}`);
    }
    for (let index = 0; index < 20; index++) expect(tier.get(`used-${index}`), String(index)).toBeDefined();
  });

  it("in use for half of the memory stay while 100,000 keys pass that are asked for once", () => {
    const limit = 4 * LIMIT;
    const tier = new IsolateTier(limit);
    const hot = Array.from(
      { length: Math.floor(limit / 2 / weightOf("hot-0000", entry(KIBIBYTE))) },
      (_, at) => `hot-${at}`,
    );
    // Each is asked for again before it has to go, as what is in use is.
    for (const key of hot) {
      tier.put(key, entry(KIBIBYTE));
      tier.get(key);
    }
    for (let index = 0; index < 100_000; index++) {
      tier.put(`scan-${index}`, entry(KIBIBYTE));
      tier.get(hot[index % hot.length]!);
    }
    expect(hot.filter((key) => tier.get(key) === undefined)).toEqual([]);
  });

  it("of a million distinct keys take no more memory than the bound, by their estimate and by the heap's", () => {
    const limit = 32 * 1024 * KIBIBYTE;
    const tier = new IsolateTier(limit);
    const heap = (): number => {
      collectGarbage();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = heap();
    let most = 0;
    let mostBytes = 0;
    for (let index = 0; index < 1_000_000; index++) {
      const key = `G5:https15:api.example.com${index}`;
      tier.put(key, {
        ...entry(index % 512, index % 5 === 0 ? ["accept"] : []),
        variant: `r9:shop.read${index}`,
      });
      if (index % 3 === 0) tier.get(key);
      mostBytes = Math.max(mostBytes, tier.bytes);
      if (index % 200_000 === 199_999) most = Math.max(most, heap() - before);
    }
    expect(mostBytes).toBeLessThanOrEqual(limit);
    expect(mostBytes).toBeGreaterThan(limit / 2);
    expect(most).toBeLessThan(1.5 * limit);
  });

  it("that nobody uses any more make room", () => {
    const tier = new IsolateTier(LIMIT);
    for (let index = 0; index < 200; index++) {
      tier.put(`old-${index}`, entry(KIBIBYTE));
      tier.get(`old-${index}`);
    }
    for (let index = 0; index < 20_000; index++) {
      const key = `new-${index % 600}`;
      if (tier.get(key) === undefined) tier.put(key, entry(KIBIBYTE));
    }
    const kept = Array.from({ length: 200 }, (_, index) => tier.get(`old-${index}`)).filter(Boolean);
    expect(kept.length).toBeLessThan(20);
  });

  it("that are used again and again stay while others come that are used once", () => {
    const tier = new IsolateTier(LIMIT);
    for (let index = 0; index < 5000; index++) {
      if (tier.get("hot") === undefined) tier.put("hot", entry(KIBIBYTE));
      expect(tier.get("hot"), String(index)).toBeDefined();
      tier.put(`warm-${index}`, entry(KIBIBYTE));
      tier.get(`warm-${index}`);
      if (index > 0) expect(tier.get("hot")).toBeDefined();
    }
  });

  it("that were used much, long ago, make room for what is used now", () => {
    const tier = new IsolateTier(LIMIT);
    for (let index = 0; index < 2000; index++) {
      const key = `old-${index % 400}`;
      if (tier.get(key) === undefined) tier.put(key, entry(KIBIBYTE));
    }
    for (let index = 0; index < 10_000; index++) {
      tier.put(`warm-${index}`, entry(KIBIBYTE));
      tier.get(`warm-${index}`);
    }
    const kept = Array.from({ length: 400 }, (_, index) => tier.get(`old-${index}`)).filter(Boolean);
    expect(kept).toEqual([]);
  });

  it("that come back soon after they had to go are let in at once", () => {
    const tier = new IsolateTier(LIMIT);
    tier.put("a", entry(KIBIBYTE));
    for (let index = 0; index < 2000; index++) tier.put(`flood-${index}`, entry(KIBIBYTE));
    expect(tier.get("a")).toBeUndefined();
    tier.put("a", entry(KIBIBYTE));
    for (let index = 0; index < 500; index++) tier.put(`more-${index}`, entry(KIBIBYTE));
    expect(tier.get("a")).toBeDefined();
  });

  it("that are too large for all others are not kept, and what they would replace goes", () => {
    const tier = new IsolateTier(LIMIT);
    tier.put("b", entry(10));
    tier.put("a", entry(10));
    tier.put("a", entry(LIMIT / 2));
    expect([tier.get("a"), tier.get("b") !== undefined]).toEqual([undefined, true]);
  });

  it("hold the bound, and the sum of their weights, in any order of events", () => {
    const key = fc.constantFrom("a", "b", "c", "d", "e", "f");
    const event = fc.oneof(
      fc.tuple(fc.constant("put"), key, fc.integer({ min: 0, max: 200_000 })),
      fc.tuple(fc.constant("get"), key, fc.constant(0)),
      fc.tuple(fc.constant("delete"), key, fc.constant(0)),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const tier = new IsolateTier(512 * KIBIBYTE);
        const empty = tier.bytes;
        const last = new Map<string, Stored>();
        for (const [what, name, bytes] of events) {
          if (what === "get") {
            const found = tier.get(name as string);
            if (found !== undefined) expect(found).toBe(last.get(name as string));
          } else if (what === "delete") tier.delete(name as string);
          else {
            const stored = entry(bytes as number);
            last.set(name as string, stored);
            tier.put(name as string, stored);
          }
          expect(tier.bytes).toBeLessThanOrEqual(512 * KIBIBYTE);
        }
        for (const name of ["a", "b", "c", "d", "e", "f"]) tier.delete(name);
        expect(tier.bytes).toBe(empty);
      }),
      { numRuns: 300 },
    );
  });
});
