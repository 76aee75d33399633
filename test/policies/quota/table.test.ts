import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Period, spanAt } from "../../../src/lib/calendar.ts";
import { type Charge, QuotaTable } from "../../../src/policies/quota/table.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const charge = (key: string, over: Partial<Charge> = {}): Charge => ({
  key,
  quantity: 2,
  cost: 1,
  endMs: NOW + 1000,
  ...over,
});

describe("the table of quotas", () => {
  it("makes all charges or none", () => {
    const table = new QuotaTable(10);
    expect(table.take([charge("a", { quantity: 1 })], NOW)).toBe(true);
    expect(table.take([charge("b"), charge("a", { quantity: 1 })], NOW)).toBe(false);
    expect(table.left(charge("b"))).toBe(2);
  });

  it("begins anew with the next period", () => {
    const table = new QuotaTable(10);
    table.take([charge("a", { cost: 2 })], NOW);
    expect(table.left(charge("a"))).toBe(0);
    const next = charge("a", { endMs: NOW + 2000 });
    expect(table.left(next)).toBe(2);
    expect(table.take([next], NOW + 1000)).toBe(true);
    expect(table.left(next)).toBe(1);
  });

  it("gives nothing back where the clock is set back", () => {
    const table = new QuotaTable(10);
    table.take([charge("a", { cost: 2, endMs: NOW + 2000 })], NOW + 1000);
    expect(table.take([charge("a")], NOW)).toBe(false);
  });

  it("remembers no more keys than it may, and not those that were asked for in vain", () => {
    const table = new QuotaTable(100);
    for (let index = 0; index < 1000; index++) table.take([charge(`key ${index}`)], NOW);
    expect(table.size).toBeLessThanOrEqual(100);
    const other = new QuotaTable(100);
    expect(other.take([charge("a", { cost: 3 })], NOW)).toBe(false);
    expect(other.size).toBe(0);
  });

  it("keeps whoever is being refused", () => {
    const table = new QuotaTable(100);
    table.take([charge("greedy", { cost: 2 })], NOW);
    for (let index = 0; index < 1000; index++) {
      table.take([charge(`key ${index}`)], NOW);
      expect(table.take([charge("greedy")], NOW)).toBe(false);
    }
  });

  it("drops keys whose period is over before others", () => {
    const table = new QuotaTable(80);
    table.take([charge("long", { endMs: NOW + 1_000_000 })], NOW);
    for (let index = 0; index < 79; index++) table.take([charge(`short ${index}`)], NOW);
    table.take([charge("new", { endMs: NOW + 1_000_000 })], NOW + 5000);
    expect(table.size).toBe(2);
  });

  it("never passes more than the quantity in a period, and all of it", () => {
    const requests = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 40 * 3_600_000 }), key: fc.constantFrom("a", "b") }),
      { minLength: 20, maxLength: 200 },
    );
    const measure = fc.record({
      period: fc.constantFrom<Period>("hour", "day", "week", "month", "year"),
      quantity: fc.integer({ min: 1, max: 8 }),
      cost: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(requests, measure, (list, { period, quantity, cost }) => {
        const table = new QuotaTable(10);
        const passed = new Map<string, number>();
        let nowMs = NOW;
        for (const { afterMs, key } of list) {
          nowMs += afterMs;
          const { startMs, endMs } = spanAt(period, nowMs);
          const place = `${key} ${startMs}`;
          const before = passed.get(place) ?? 0;
          const fits = before + cost <= quantity;
          expect(table.take([{ key, quantity, cost, endMs }], nowMs)).toBe(fits);
          if (fits) passed.set(place, before + cost);
        }
      }),
    );
  });
});
