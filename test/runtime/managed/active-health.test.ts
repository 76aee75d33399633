import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HealthCheckPlan } from "../../../src/core/plan.ts";
import type { HealthBoard } from "../../../src/core/ports.ts";
import { linkActiveHealth } from "../../../src/runtime/managed/active-health.ts";
import type { LinkedTarget } from "../../../src/runtime/upstream.ts";
import { fakePorts } from "../../support/ports.ts";

const PLAN: HealthCheckPlan = {
  path: "/healthz",
  intervalMs: 10_000,
  timeoutMs: 2000,
  unhealthyAfter: 3,
  healthyAfter: 2,
  statuses: [200, 299],
};

/** What a board does when it is read. */
type Word = Readonly<Record<string, boolean>>;
type Manner = Word | "fails" | "stalls" | (() => Promise<Word>);

/** Targets a, b and c, each of which answers checks by a status, or not at all, and a clock that only the test moves. */
const stage = (settings: { plan?: Partial<HealthCheckPlan>; board?: Manner } = {}) => {
  const start = Date.now();
  const statuses: Record<string, number | "stalls"> = { a: 200, b: 200, c: 200 };
  const probes: string[] = [];
  const reads: number[] = [];
  const at = { board: settings.board };
  const health: HealthBoard = {
    read: async (upstream) => {
      expect(upstream).toBe("orders");
      reads.push(Date.now() - start);
      if (at.board === "fails") throw new Error("the object is overloaded");
      if (at.board === "stalls") return new Promise(() => {});
      return typeof at.board === "function" ? at.board() : at.board!;
    },
  };
  const ports = fakePorts({
    clock: { now: () => Date.now() } as never,
    ...(settings.board !== undefined && { health }),
  });
  const target = (name: string): LinkedTarget => ({
    name,
    origin: `http://${name}`,
    basePath: "",
    scheme: "http",
    weight: 1,
    priority: 0,
    fetcher: {
      fetch: async () => {
        probes.push(`${name}@${Date.now() - start}`);
        const status = statuses[name]!;
        if (status === "stalls") return new Promise(() => {});
        return new Response(null, { status });
      },
    },
  });
  const targets = ["a", "b", "c"].map(target);
  const source = linkActiveHealth("orders", { ...PLAN, ...settings.plan }, ports);
  /** Work that requests left behind. */
  const deferred: Promise<unknown>[] = [];
  return {
    source,
    targets,
    target,
    statuses,
    probes,
    reads,
    at,
    deferred,
    /** One request, and what becomes of its work within a moment. Answers who was in when it came. */
    request: async (pool = targets): Promise<string> => {
      source.look!(pool, { waitUntil: (work) => void deferred.push(work) });
      const healthy = pool.filter((it) => source.isHealthy(it)).map(({ name }) => name);
      await vi.advanceTimersByTimeAsync(0);
      return healthy.join("");
    },
    healthy: () =>
      targets
        .filter((it) => source.isHealthy(it))
        .map(({ name }) => name)
        .join(""),
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
};

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

describe("where a board is shared", () => {
  it("the isolate goes by its word, and asks no target", async () => {
    const { request, probes, healthy } = stage({ board: { a: true, b: false, c: true } });
    expect(await request()).toBe("abc");
    expect(healthy()).toBe("ac");
    expect(probes).toEqual([]);
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
