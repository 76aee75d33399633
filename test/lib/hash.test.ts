import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash32, mix32 } from "../../src/lib/hash.ts";

/** Bits that are set. */
const weight = (bits: number): number => bits.toString(2).replaceAll("0", "").length;

describe("hash32", () => {
  // Published vectors of MurmurHash3 x86_32, those of even length, written as UTF-16LE.
  it.each([
    ["", 0, 0],
    ["", 1, 0x514e28b7],
    ["", 0xffffffff, 0x81f16f39],
    ["\uffff\uffff", 0, 0x76293b50],
    ["\u4321\u8765", 0, 0xf55b516b],
    ["\u4321\u8765", 0x5082edee, 0x2362f9de],
    ["\u4321", 0, 0xa0f7b07a],
    ["\0\0", 0, 0x2362f9de],
    ["\0", 0, 0x30f4c306],
  ])("of %j with seed %i is %i", (text, seed, expected) => {
    expect(hash32(text, seed)).toBe(expected);
  });

  it.each([
    { keys: "numbers", key: (i: number) => String(i) },
    { keys: "users", key: (i: number) => `user-${i}` },
    { keys: "addresses", key: (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
    { keys: "texts with a common end", key: (i: number) => `${i}@example.com` },
  ])("spreads $keys evenly, by its high bits and by its low bits", ({ key }) => {
    const BUCKETS = 256;
    const COUNT = 100_000;
    for (const bucketOf of [(hash: number) => hash >>> 24, (hash: number) => hash & 255]) {
      const filled = new Array<number>(BUCKETS).fill(0);
      for (let i = 0; i < COUNT; i++) filled[bucketOf(hash32(key(i)))]!++;
      const mean = COUNT / BUCKETS;
      const chiSquare = filled.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
      // 255 degrees of freedom: 255 ± 22.6; within four deviations on either side.
      expect(chiSquare).toBeGreaterThan(165);
      expect(chiSquare).toBeLessThan(345);
    }
  });

  it("stays within 32 bits, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.integer(), (text, seed) => {
        const hash = hash32(text, seed);
        expect(Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32).toBe(true);
      }),
    );
  });
});

describe("mix32", () => {
  it("changes half of the bits when one changes", () => {
    const changed = new Array<number>(32).fill(0);
    const COUNT = 2000;
    for (let i = 0; i < COUNT; i++)
      for (let bit = 0; bit < 32; bit++)
        changed[bit]! += weight((mix32(i * 7919) ^ mix32((i * 7919) ^ (1 << bit))) >>> 0);
    for (const total of changed) expect(Math.abs(total / COUNT - 16)).toBeLessThan(0.5);
  });

  it("is one to one", () => {
    const seen = new Set<number>();
    for (let i = 0; i < 100_000; i++) seen.add(mix32(i));
    expect(seen.size).toBe(100_000);
  });
});
