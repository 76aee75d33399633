import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeenSignatures } from "../../../src/policies/hmac/seen-signatures.ts";

describe("the signatures that were seen", () => {
  it("are as many as there is room for, and the oldest are forgotten", () => {
    const seen = new SeenSignatures(10_000);
    for (let at = 0; at < 1000; at++) expect(seen.isNew(`signature ${at}`, 100, 0)).toBe(true);
    expect(seen.bytes).toBeLessThan(10_200);
    expect(seen.isNew("signature 999", 100, 0)).toBe(false);
    expect(seen.isNew("signature 0", 100, 0)).toBe(true);
  });

  it("take no room once they are too old", () => {
    const seen = new SeenSignatures(10_000);
    for (let at = 0; at < 50; at++) seen.isNew(`signature ${at}`, 100, 0);
    seen.isNew("another", 200, 100);
    expect(seen.bytes).toBeLessThan(200);
  });

  it("are new once until they are too old, in any order of any lives", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            name: fc.integer({ min: 0, max: 9 }),
            lifeMs: fc.integer({ min: 1, max: 20 }),
            waitMs: fc.nat(10),
          }),
        ),
        (events) => {
          const seen = new SeenSignatures(1_000_000);
          const model = new Map<number, number>();
          let nowMs = 0;
          for (const { name, lifeMs, waitMs } of events) {
            nowMs += waitMs;
            const expected = !(nowMs < (model.get(name) ?? -1));
            if (expected) model.set(name, nowMs + lifeMs);
            expect(seen.isNew(String(name), nowMs + lifeMs, nowMs)).toBe(expected);
          }
        },
      ),
    );
  });
});
