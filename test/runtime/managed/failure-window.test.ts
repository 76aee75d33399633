import * as fc from "fast-check";
import { expect, it } from "vitest";
import { FailureWindow } from "../../../src/runtime/managed/failure-window.ts";

it("counts all of the last nine tenths of the window, and nothing older than it", () => {
  const event = fc.record({ waitMs: fc.nat(4000), failed: fc.boolean() });
  fc.assert(
    fc.property(fc.constantFrom(1000, 10_000, 60_000), fc.array(event), (windowMs, events) => {
      const window = new FailureWindow(windowMs);
      let nowMs = Date.parse("2026-01-01T00:00:00Z");
      const past: { atMs: number; failed: boolean }[] = [];
      for (const { waitMs, failed } of events) {
        nowMs += waitMs;
        past.push({ atMs: nowMs, failed });
        window.record(nowMs, failed);
        const within = (ms: number) => past.filter(({ atMs }) => atMs > nowMs - ms);
        expect(window.total).toBeGreaterThanOrEqual(within(0.9 * windowMs).length);
        expect(window.total).toBeLessThanOrEqual(within(windowMs).length);
        expect(window.failed).toBeGreaterThanOrEqual(
          within(0.9 * windowMs).filter((one) => one.failed).length,
        );
        expect(window.failed).toBeLessThanOrEqual(within(windowMs).filter((one) => one.failed).length);
      }
      window.clear();
      expect([window.total, window.failed]).toEqual([0, 0]);
      window.record(nowMs, true);
      expect([window.total, window.failed]).toEqual([1, 1]);
    }),
  );
});
