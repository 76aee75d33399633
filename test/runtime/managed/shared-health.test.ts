import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stage, type Word } from "./active-health-support.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("where a board is shared", () => {
  it("the isolate goes by its word, and asks no target", async () => {
    const { request, probes, healthy, deferred } = stage({ board: { a: true, b: false, c: true } });
    expect(await request()).toBe("abc");
    expect(healthy()).toBe("ac");
    expect(probes).toEqual([]);
    expect(deferred).toHaveLength(1);
  });

  it("it is read once an interval, however many requests come, and not while none comes", async () => {
    const { request, reads, pass, at } = stage({ board: {} });
    for (let ms = 0; ms < 20_000; ms += 100) {
      await request();
      await pass(100);
    }
    await pass(3_600_000);
    expect(reads).toEqual([0, 10_000]);
    at.board = { b: false };
    await request();
    expect(reads).toHaveLength(3);
  });

  it("its new word counts when it is there, and no request waits for it", async () => {
    const { request, at, pass } = stage({ board: {} });
    await request();
    at.board = { b: false };
    await pass(10_000);
    expect(await request()).toBe("abc");
    expect(await request()).toBe("ac");
    at.board = { b: true };
    await pass(10_000);
    expect(await request()).toBe("ac");
    expect(await request()).toBe("abc");
  });

  it("a target of which it says nothing is healthy", async () => {
    const { request } = stage({ board: { b: false } });
    await request();
    expect(await request()).toBe("ac");
  });

  it.each(["fails", "stalls"] as const)(
    "its last word counts for three intervals when it %s",
    async (how) => {
      const { request, at, pass, probes } = stage({ board: { b: false } });
      await request();
      at.board = how;
      for (let ms = 0; ms < 30_000; ms += 1000) {
        expect(await request()).toBe("ac");
        await pass(1000);
      }
      expect(probes).toEqual([]);
    },
  );

  it("after that the isolate checks for itself, and goes on from the last word", async () => {
    const { request, at, pass, probes, statuses } = stage({ board: { b: false } });
    await request();
    at.board = "fails";
    for (const _ of [10_000, 20_000, 30_000]) {
      await pass(10_000);
      expect(await request()).toBe("ac");
    }
    expect(probes).toEqual([]);
    await pass(1);
    expect(await request()).toBe("ac");
    expect(probes).toEqual(["a@30001", "b@30001", "c@30001"]);
    // b is well: after two passes it is back; c is ill, and out after three failures.
    statuses["c"] = 500;
    const course: string[] = [];
    for (let round = 0; round < 3; round++) {
      await pass(10_000);
      await request();
      course.push(await request());
    }
    expect(course).toEqual(["abc", "abc", "ab"]);
  });

  it("the isolate checks for itself at once where it never had a word", async () => {
    const { request, probes } = stage({ board: "fails" });
    expect(await request()).toBe("abc");
    expect(probes).toEqual([]);
    await request();
    expect(probes).toHaveLength(3);
  });

  it("a board that does not answer in five seconds is away", async () => {
    const { request, probes, pass } = stage({ board: "stalls" });
    await request();
    await pass(4999);
    await request();
    expect(probes).toEqual([]);
    await pass(1);
    await request();
    expect(probes).toHaveLength(3);
  });

  it("its word counts again, and the isolate checks no more, when it is back", async () => {
    const { request, probes, at, pass } = stage({ board: "fails" });
    await request();
    await request();
    expect(probes).toHaveLength(3);
    at.board = { a: false };
    await pass(10_000);
    await request();
    expect(await request()).toBe("bc");
    await pass(10_000);
    await request();
    expect(probes.filter((probe) => probe.endsWith("@20000"))).toEqual([]);
  });

  it("is gone on from each time that it goes away, not from what the isolate knew before", async () => {
    const { request, at, pass, statuses, healthy } = stage({ board: "fails", plan: { unhealthyAfter: 1 } });
    statuses["b"] = 500;
    await request();
    await request();
    expect(healthy()).toBe("ac");
    at.board = { a: false, b: true };
    await pass(10_000);
    await request();
    expect(healthy()).toBe("bc");
    at.board = "fails";
    await pass(30_000);
    await request();
    expect(healthy()).toBe("bc");
  });

  it("a reading whose request was ended with it is a failure, when the next is due", async () => {
    const { request, probes, source, targets, pass } = stage({ board: "stalls" });
    source.look!(targets, { waitUntil: () => {} });
    vi.clearAllTimers();
    await pass(9999);
    await request();
    expect(probes).toEqual([]);
    await pass(1);
    await request();
    expect(probes).toHaveLength(3);
  });

  it("what an ended reading says after all does not count", async () => {
    const readings: ((healthy: Word) => void)[] = [];
    const board = () => new Promise<Word>((resolve) => void readings.push(resolve));
    const { request, healthy, pass } = stage({ board, plan: { intervalMs: 1000 } });
    await request();
    vi.clearAllTimers();
    await pass(1000);
    await request();
    readings[1]!({ b: false });
    readings[0]!({ c: false });
    await pass(0);
    expect(healthy()).toBe("ac");
  });
});
