import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Leases } from "../../src/lib/leases.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

describe("leases", () => {
  it.each([
    { says: "counts what is under way", atMs: 0, count: 2 },
    { says: "still counts it just before its time is over", atMs: 9999, count: 2 },
    { says: "forgets what never ended when its time is over", atMs: 10_000, count: 1 },
    { says: "and what may take longer when that is over", atMs: 60_000, count: 0 },
  ])("$says", ({ atMs, count }) => {
    const leases = new Leases();
    leases.begin(START, 10_000);
    leases.begin(START, 60_000);
    expect(leases.count(START + atMs)).toBe(count);
  });

  it("ends the lease that it is given, whatever the order", () => {
    const leases = new Leases();
    const long = leases.begin(START, 60_000);
    const short = leases.begin(START, 1000);
    leases.end(long);
    expect(leases.count(START)).toBe(1);
    leases.end(short);
    expect(leases.count(START)).toBe(0);
  });

  it("does not take away another's place when work ends that was forgotten", () => {
    const leases = new Leases();
    const late = leases.begin(START, 1000);
    expect(leases.count(START + 2000)).toBe(0);
    leases.begin(START + 2000, 10_000);
    leases.end(late);
    expect(leases.count(START + 2000)).toBe(1);
  });

  it("counts as a list of intervals does, a second late at most, and comes back to nothing", () => {
    const work = fc.record({
      waitMs: fc.nat(4000),
      withinMs: fc.integer({ min: 1, max: 20_000 }),
      endsAfterMs: fc.option(fc.nat(20_000)),
    });
    fc.assert(
      fc.property(fc.array(work, { maxLength: 60 }), (all) => {
        const leases = new Leases();
        let nowMs = START;
        const open: { lease: number; overMs: number; endMs: number }[] = [];
        const settle = (): void => {
          for (const it of open.filter(({ endMs }) => endMs <= nowMs)) {
            leases.end(it.lease);
            open.splice(open.indexOf(it), 1);
          }
        };
        for (const { waitMs, withinMs, endsAfterMs } of all) {
          nowMs += waitMs;
          settle();
          const endMs = nowMs + Math.min(withinMs, endsAfterMs ?? Number.POSITIVE_INFINITY);
          open.push({
            lease: leases.begin(nowMs, withinMs),
            overMs: nowMs + withinMs,
            endMs: endsAfterMs === null ? Number.POSITIVE_INFINITY : endMs,
          });
          const count = leases.count(nowMs);
          expect(count).toBeGreaterThanOrEqual(open.filter(({ overMs }) => overMs > nowMs).length);
          expect(count).toBeLessThanOrEqual(open.filter(({ overMs }) => overMs > nowMs - 1000).length);
        }
        expect(leases.count(nowMs + 21_000)).toBe(0);
      }),
    );
  });
});
