import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HealthCheckPlan } from "../../../src/core/upstream-plan.ts";
import { checkTargets, longestRoundMs } from "../../../src/runtime/managed/check-targets.ts";
import { statesOf } from "../../../src/runtime/managed/health-states.ts";
import type { LinkedTarget } from "../../../src/runtime/upstream.ts";
import { fakePorts } from "../../support/ports.ts";

const PLAN: HealthCheckPlan = {
  path: "/healthz",
  intervalMs: 10_000,
  timeoutMs: 2000,
  unhealthyAfter: 1,
  healthyAfter: 1,
  statuses: [200, 299],
};

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const target = (name: string, fetch: Fetch | undefined, basePath = ""): LinkedTarget => ({
  name,
  origin: `http://${name}.example.com`,
  basePath,
  scheme: "http",
  weight: 1,
  priority: 0,
  fetcher: fetch && { fetch: (url, init) => fetch(url, init!) },
});

const answers =
  (status: number, body: BodyInit | null = null): Fetch =>
  async () =>
    new Response(body, { status });

/** One round: whether each target is in after it. */
const round = async (targets: readonly LinkedTarget[], plan: Partial<HealthCheckPlan> = {}) => {
  const ports = fakePorts();
  const states = statesOf(targets, {});
  const checked = checkTargets(targets, states, {
    upstream: "orders",
    plan: { ...PLAN, ...plan },
    log: ports.log,
  });
  return {
    checked,
    records: ports.records,
    healthy: () => Object.fromEntries(Object.entries(states).map(([name, it]) => [name, it.isHealthy])),
  };
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a check", () => {
  it("is a GET of the path below the target's own, that follows nothing and asks no cache", async () => {
    const seen: [string, RequestInit][] = [];
    const fetch: Fetch = async (url, init) => {
      seen.push([url, init]);
      return new Response(null, { status: 204 });
    };
    await (await round([target("a", fetch, "/v1")])).checked;
    const [[url, { signal, ...init }]] = seen as [[string, RequestInit]];
    expect(url).toBe("http://a.example.com/v1/healthz");
    expect(init).toEqual({
      cache: "no-store",
      redirect: "manual",
      headers: { accept: "*/*", "user-agent": "postern-health-check", via: "1.1 postern" },
    });
    expect(signal!.aborted).toBe(false);
  });

  it.each([
    ["200", answers(200, "ok"), undefined, true],
    ["299", answers(299), undefined, true],
    ["204", answers(204), undefined, true],
    ["300", answers(300), undefined, false],
    ["a redirect", answers(302), undefined, false],
    ["a redirect where that is health", answers(302), [200, 399], true],
    ["404", answers(404), undefined, false],
    ["401 where that is health", answers(401), [401, 401], true],
    ["503", answers(503), undefined, false],
    ["no answer: it refuses", () => Promise.reject(new TypeError("refused")), undefined, false],
    [
      "an error that is thrown",
      () => {
        throw new TypeError("no such URL");
      },
      undefined,
      false,
    ],
    ["nothing, for want of its binding", undefined, undefined, false],
  ] as [string, Fetch | undefined, [number, number] | undefined, boolean][])(
    "by which a target answers %s",
    async (_, fetch, statuses, expected) => {
      const { checked, healthy } = await round([target("a", fetch)], statuses && { statuses });
      await checked;
      expect(healthy()).toEqual({ a: expected });
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("cancels every body, and does not mind where that fails", async () => {
    const cancelled: string[] = [];
    const body = (name: string) =>
      new ReadableStream({
        cancel: () => {
          cancelled.push(name);
          throw new Error("cannot be cancelled");
        },
      });
    await (await round([target("a", answers(200, body("a"))), target("b", answers(500, body("b")))])).checked;
    expect(cancelled).toEqual(["a", "b"]);
  });

  it("is over when its time is, and broken off; what comes later is dropped", async () => {
    let answer: (response: Response) => void = () => {};
    let signal: AbortSignal | undefined;
    const cancelled = vi.fn();
    const slow: Fetch = (_, init) => {
      signal = init.signal!;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const { checked, healthy } = await round([target("a", slow), target("b", answers(200))]);
    await vi.advanceTimersByTimeAsync(1999);
    expect(healthy()).toEqual({ a: true, b: true });
    await vi.advanceTimersByTimeAsync(1);
    expect(healthy()).toEqual({ a: false, b: true });
    expect(signal!.aborted).toBe(true);
    await checked;
    answer(new Response(new ReadableStream({ cancel: cancelled }), { status: 200 }));
    await vi.advanceTimersByTimeAsync(0);
    expect(healthy()).toEqual({ a: false, b: true });
    expect(cancelled).toHaveBeenCalledOnce();
  });
});

describe("a round", () => {
  it("asks four at once, and the next when one of them has answered", async () => {
    let underWay = 0;
    let most = 0;
    const asked: string[] = [];
    const one = (name: string, ms: number): LinkedTarget =>
      target(name, async () => {
        asked.push(name);
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, ms));
        underWay--;
        return new Response(null, { status: 200 });
      });
    const { checked } = await round([
      ...["a", "b", "c"].map((name) => one(name, 1000)),
      ...["d", "e", "f", "g"].map((name) => one(name, 10)),
    ]);
    await vi.advanceTimersByTimeAsync(30);
    expect(asked).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    await vi.advanceTimersByTimeAsync(1000);
    await checked;
    expect(most).toBe(4);
  });

  it("over targets that all stall is not longer than it says", async () => {
    const stalls: Fetch = () => new Promise(() => {});
    const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    const { checked, healthy } = await round(names.map((name) => target(name, stalls)));
    let isOver = false;
    void checked.then(() => {
      isOver = true;
    });
    expect(longestRoundMs(names.length, PLAN)).toBe(6000);
    await vi.advanceTimersByTimeAsync(5999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
    expect(Object.values(healthy())).toEqual(names.map(() => false));
  });

  it("over no targets is over", async () => {
    await (await round([])).checked;
    expect(longestRoundMs(0, PLAN)).toBe(0);
  });

  it("tells the log who was taken out and who was taken back, and nothing else", async () => {
    const ports = fakePorts();
    let status = 500;
    const targets = [target("a", async () => new Response(null, { status })), target("b", answers(200))];
    const states = statesOf(targets, {});
    const site = { upstream: "orders", plan: { ...PLAN, unhealthyAfter: 2 }, log: ports.log };
    for (const next of [500, 500, 500, 200, 200]) {
      status = next;
      await checkTargets(targets, states, site);
    }
    const words = { level: "warn", upstream: "orders", target: "a" };
    expect(ports.records).toEqual([
      { ...words, message: "Health checks took a target out." },
      { ...words, message: "Health checks took a target back in." },
    ]);
  });
});
