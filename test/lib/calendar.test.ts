import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Period, parseQuota, spanAt } from "../../src/lib/calendar.ts";

const PERIODS: readonly Period[] = ["hour", "day", "week", "month", "year"];

describe("periods of the calendar", () => {
  it.each<[Period, string, string, string]>([
    ["hour", "2026-03-29T01:59:59.999Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"],
    ["hour", "2026-03-29T02:00:00Z", "2026-03-29T02:00:00Z", "2026-03-29T03:00:00Z"],
    ["day", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"],
    ["week", "2026-01-01T00:00:00Z", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"],
    ["week", "2026-01-04T23:59:59.999Z", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"],
    ["week", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"],
    ["month", "2026-01-31T23:59:59.999Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
    ["month", "2028-02-29T10:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"],
    ["month", "2026-12-31T23:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    ["year", "2028-12-31T23:59:59.999Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"],
  ])("the %s of %s begins at %s and ends at %s", (period, at, start, end) => {
    expect(spanAt(period, Date.parse(at))).toEqual({ startMs: Date.parse(start), endMs: Date.parse(end) });
  });

  it("hold the instant that was asked for, and follow each other without a gap", () => {
    const instant = fc.integer({ min: 0, max: Date.parse("2200-01-01") });
    fc.assert(
      fc.property(instant, fc.constantFrom(...PERIODS), (nowMs, period) => {
        const { startMs, endMs } = spanAt(period, nowMs);
        expect(startMs <= nowMs && nowMs < endMs).toBe(true);
        expect(spanAt(period, endMs).startMs).toBe(endMs);
        expect(spanAt(period, startMs)).toEqual({ startMs, endMs });
        if (period === "week") expect(new Date(startMs).getUTCDay()).toBe(1);
      }),
    );
  });
});

describe("the text of a quota", () => {
  it.each([
    "",
    "100",
    "100/",
    "/month",
    "0/month",
    "1e3/month",
    "-1/day",
    "10/Month",
    "10/1m",
    " 1/day",
    "1/day\n",
  ])("is not %j", (text) => expect(parseQuota(text)).toBeUndefined());

  it("is a quantity and a period", () => {
    expect(parseQuota("1000000/month")).toEqual({ quantity: 1_000_000, period: "month" });
  });
});
