import { balancer as smoothWeightedRoundRobin } from "../../../src/balancers/smooth-weighted-round-robin.ts";
import type { BalancerFactory } from "../../../src/core/balancer.ts";
import type { Metrics } from "../../../src/core/ports.ts";
import type { UpstreamPlan } from "../../../src/core/upstream-plan.ts";
import { linkPool, type Pool } from "../../../src/runtime/managed/pool.ts";
import type { HealthSource } from "../../../src/runtime/parts.ts";
import type { LinkedTarget } from "../../../src/runtime/upstream.ts";
import { type FakePorts, fakeExchange, fakePorts } from "../../support/ports.ts";

/** A target that can be called, of weight 1 and priority 0. */
export const target = (name: string, over: Partial<LinkedTarget> = {}): LinkedTarget => ({
  name,
  weight: 1,
  priority: 0,
  origin: `http://${name}`,
  scheme: "http",
  basePath: "",
  fetcher: { fetch: () => Promise.reject(new TypeError("no network in this test")) },
  ...over,
});

/** Targets from their names; `a1` is one of priority 1, `-a` one whose binding does not exist. */
export const targetsNamed = (names: string): LinkedTarget[] =>
  names
    .split(" ")
    .filter((name) => name !== "")
    .map((name) =>
      target(name, {
        priority: Number(/\d+$/.exec(name)?.[0] ?? 0),
        ...(name.startsWith("-") && { fetcher: undefined }),
      }),
    );

/** Health that a test says: every target is well but those in `ill`. */
export class SaidHealth implements HealthSource {
  readonly ill = new Set<string>();
  readonly told: string[] = [];
  isHealthy({ name }: LinkedTarget): boolean {
    return !this.ill.has(name);
  }
  ended({ name }: LinkedTarget, outcome: string): void {
    this.told.push(`${name} ${outcome}`);
  }
}

export interface PoolStage {
  readonly pool: Pool;
  readonly ports: FakePorts;
  readonly said: SaidHealth;
  /** What the gauges showed, in order. */
  readonly gauges: string[];
  /** Gives the pool another list. */
  replace(targets: readonly LinkedTarget[]): void;
  /** Picks for one more try and says whom; `-` for nobody. */
  pick(tried?: readonly LinkedTarget[]): string;
  /** Picks so many times, tries ending well at once, and answers how often each was picked. */
  count(times: number): Record<string, number>;
}

export const exchange = fakeExchange(new Request("https://api.example.com/"));

/** A pool of targets, with health that the test says and, on demand, further sources. */
export const stagePool = (
  targets: readonly LinkedTarget[],
  plan: Partial<UpstreamPlan> = {},
  over: {
    balancer?: BalancerFactory;
    health?: (ports: FakePorts, said: SaidHealth) => readonly HealthSource[];
  } = {},
): PoolStage => {
  const gauges: string[] = [];
  const metrics: Metrics = {
    count: () => {},
    observe: () => {},
    gauge: (name, labels, value) => void gauges.push(`${name} ${labels.join(".")} ${value}`),
  };
  const ports = fakePorts({ metrics });
  const said = new SaidHealth();
  let current = targets;
  const pool = linkPool(
    "shop",
    { balancer: { name: "test" }, targets: [], timeoutMs: 10_000, ...plan },
    { current: () => current },
    [said, ...(over.health?.(ports, said) ?? [])],
    { ports, balancers: { test: over.balancer ?? smoothWeightedRoundRobin } },
  );
  const pick = (tried: readonly LinkedTarget[] = []): string => {
    const picked = pool.pick(exchange, tried);
    picked?.end(1, "answered");
    return picked?.target.name ?? "-";
  };
  return {
    pool,
    ports,
    said,
    gauges,
    replace: (others) => {
      current = others;
    },
    pick,
    count: (times) => {
      const counts: Record<string, number> = {};
      for (let i = 0; i < times; i++) {
        const name = pick();
        counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    },
  };
};
