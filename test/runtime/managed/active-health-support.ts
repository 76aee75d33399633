import { expect, vi } from "vitest";
import type { HealthBoard } from "../../../src/core/ports.ts";
import type { HealthCheckPlan } from "../../../src/core/upstream-plan.ts";
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
export type Word = Readonly<Record<string, boolean>>;
type Manner = Word | "fails" | "stalls" | (() => Promise<Word>);

/** Targets a, b and c, each of which answers checks by a status, or not at all, and a clock that only the test moves. */
export const stage = (settings: { plan?: Partial<HealthCheckPlan>; board?: Manner } = {}) => {
  const start = Date.now();
  const statuses: Record<string, number | "stalls"> = { a: 200, b: 200, c: 200 };
  const probes: string[] = [];
  const stalled: ((response: Response) => void)[] = [];
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
        if (status === "stalls") return new Promise((resolve) => void stalled.push(resolve));
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
    /** Answers all checks that stall. */
    wake: (status: number): void => {
      for (const answer of stalled.splice(0)) answer(new Response(null, { status }));
    },
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
