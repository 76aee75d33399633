import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { stage } from "./active-health-support.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("an isolate that checks for itself", () => {
  it("asks each target with the first request, and then once an interval, however many requests come", async () => {
    const { request, probes, pass } = stage();
    for (let ms = 0; ms < 30_000; ms += 100) {
      await request();
      await pass(100);
    }
    const rounds = [0, 10_000, 20_000];
    expect(probes).toEqual(rounds.flatMap((ms) => ["a", "b", "c"].map((name) => `${name}@${ms}`)));
  });

  it("asks nobody while no request comes", async () => {
    const { request, probes, pass } = stage();
    await request();
    await pass(3_600_000);
    expect(probes).toHaveLength(3);
  });

  it("lets the request that begins a round go by what was known before it", async () => {
    const { request, statuses, healthy, source, targets } = stage({ plan: { unhealthyAfter: 1 } });
    statuses["b"] = 500;
    const works: Promise<unknown>[] = [];
    source.look!(targets, { waitUntil: (work) => void works.push(work) });
    expect(healthy()).toBe("abc");
    expect(works).toHaveLength(1);
    await works[0];
    expect(healthy()).toBe("ac");
    expect(await request()).toBe("ac");
  });

  it("takes a target out after its failures in a row, and back in after its passes, at the stated instants", async () => {
    const { request, statuses, healthy, pass } = stage();
    const course: string[] = [];
    for (const status of [200, 500, 500, "stalls", 500, 200, 200, 200] as const) {
      statuses["b"] = status;
      await request();
      if (status === "stalls") await pass(2000);
      course.push(healthy());
      await pass(status === "stalls" ? 8000 : 10_000);
    }
    expect(course).toEqual(["abc", "abc", "abc", "ac", "ac", "ac", "abc", "abc"]);
  });

  it("keeps what it knew through a pause, and checks with the first request after it", async () => {
    const { request, statuses, pass, probes, healthy } = stage({
      plan: { unhealthyAfter: 1, healthyAfter: 1 },
    });
    statuses["b"] = 500;
    await request();
    statuses["b"] = 200;
    await pass(3_600_000);
    expect(await request()).toBe("ac");
    expect(probes).toHaveLength(6);
    expect(healthy()).toBe("abc");
  });

  it("is not kept from the next round by one whose request was ended with it", async () => {
    const { request, statuses, probes, source, targets, pass, healthy } = stage({
      plan: { unhealthyAfter: 1 },
    });
    // What belongs to an ended request never settles, and its timers never fire.
    for (const name of ["a", "b", "c"]) statuses[name] = "stalls";
    source.look!(targets, { waitUntil: () => {} });
    vi.clearAllTimers();
    for (const name of ["a", "b", "c"]) statuses[name] = 200;
    statuses["c"] = 500;
    await pass(9999);
    await request();
    expect(probes).toHaveLength(3);
    await pass(1);
    await request();
    expect(probes).toHaveLength(6);
    expect(healthy()).toBe("ab");
  });

  it("takes no notice of a round that ends after the next has begun", async () => {
    const { request, statuses, probes, source, targets, pass, healthy, wake } = stage({
      plan: { unhealthyAfter: 1 },
    });
    for (const name of ["a", "b", "c"]) statuses[name] = "stalls";
    source.look!(targets, { waitUntil: () => {} });
    vi.clearAllTimers();
    for (const name of ["a", "b", "c"]) statuses[name] = 200;
    await pass(10_000);
    await request();
    wake(500);
    await pass(5000);
    await request();
    expect(probes).toHaveLength(6);
    expect(healthy()).toBe("abc");
  });

  it("begins no round while one is under way, also where all targets stall and there are many", async () => {
    const { request, statuses, probes, target, pass } = stage({ plan: { intervalMs: 2000 } });
    const many = Array.from({ length: 9 }, (_, index) => {
      statuses[`t${index}`] = "stalls";
      return target(`t${index}`);
    });
    await request(many);
    for (let ms = 0; ms < 6000; ms += 500) {
      await pass(500);
      if (ms < 5500) await request(many);
    }
    expect(probes).toHaveLength(9);
    await request(many);
    expect(probes).toHaveLength(13);
  });

  it("waits no longer for an answer than work may live after its request", async () => {
    const { request, statuses, pass, healthy } = stage({
      plan: { intervalMs: 60_000, timeoutMs: 60_000, unhealthyAfter: 1 },
    });
    statuses["b"] = "stalls";
    await request();
    await pass(24_999);
    expect(healthy()).toBe("abc");
    await pass(1);
    expect(healthy()).toBe("ac");
  });

  it("forgets a target that is gone, and begins healthy with one that is new", async () => {
    const { request, statuses, targets, target, pass, source } = stage({ plan: { unhealthyAfter: 1 } });
    statuses["b"] = 500;
    await request();
    await pass(10_000);
    const fourth = target("d");
    statuses["d"] = 200;
    await request([targets[0]!, fourth]);
    expect(source.isHealthy(fourth)).toBe(true);
    await pass(10_000);
    expect(await request()).toBe("abc");
  });

  it("knows a target by its name, where discovery made it anew", async () => {
    const { request, statuses, target, pass } = stage({ plan: { unhealthyAfter: 2 } });
    statuses["b"] = 500;
    for (let round = 0; round < 2; round++) {
      await request(["a", "b", "c"].map(target));
      await pass(10_000);
    }
    expect(await request(["a", "b", "c"].map(target))).toBe("ac");
  });
});
