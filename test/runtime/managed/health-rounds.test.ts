import { describe, expect, it } from "vitest";
import type { HealthStates } from "../../../src/core/health.ts";
import type { Defer } from "../../../src/core/ports.ts";
import type { HealthCheckPlan, TargetPlan, UpstreamPlan } from "../../../src/core/upstream-plan.ts";
import { linkHealthRounds } from "../../../src/runtime/managed/health-rounds.ts";
import type { TargetSource } from "../../../src/runtime/parts.ts";
import { linkTarget } from "../../../src/runtime/upstream.ts";
import { fakePorts } from "../../support/ports.ts";

const healthCheck: HealthCheckPlan = {
  path: "/healthz",
  intervalMs: 10_000,
  timeoutMs: 2000,
  unhealthyAfter: 1,
  healthyAfter: 1,
  statuses: [200, 299],
};

const target = (name: string): TargetPlan => ({ name, weight: 1, origin: `http://${name}`, basePath: "/v1" });

const upstream = (more: Partial<UpstreamPlan>): UpstreamPlan => ({
  balancer: { name: "roundRobin" },
  timeoutMs: 1000,
  targets: [target("a"), target("b")],
  ...more,
});

const defer: Defer = { waitUntil: () => {} };

const world = (ill: readonly string[]) => {
  const asked: string[] = [];
  const ports = fakePorts({
    network: (url) => {
      asked.push(url);
      return new Response(null, { status: ill.includes(new URL(url).host) ? 500 : 200 });
    },
  });
  return { asked, ports };
};

const healthy = (states: HealthStates) =>
  Object.fromEntries(Object.entries(states).map(([name, { isHealthy }]) => [name, isHealthy]));

describe("the rounds of an upstream", () => {
  it.each([
    ["that the plan does not have", "users"],
    ["that it does not check", "plain"],
    ["that is named like something of an object", "toString"],
  ])("do not exist for one %s", (_, name) => {
    const upstreams = { orders: upstream({ healthCheck }), plain: upstream({}) };
    expect(linkHealthRounds({ upstreams }, {})(name, fakePorts())).toBeUndefined();
  });

  it("are over the targets that the plan lists, and go on from what is known", async () => {
    const { asked, ports } = world(["b"]);
    const rounds = linkHealthRounds({ upstreams: { orders: upstream({ healthCheck }) } }, {})(
      "orders",
      ports,
    )!;
    expect(rounds.intervalMs).toBe(10_000);
    const first = await rounds.run({}, defer);
    expect(healthy(first)).toEqual({ a: true, b: false });
    expect(asked).toEqual(["http://a/v1/healthz", "http://b/v1/healthz"]);
    const states = { ...first, gone: { address: "http://gone", isHealthy: false, contrary: 0 } };
    expect(healthy(await rounds.run(states, defer))).toEqual({ a: true, b: false });
  });

  it("are over the targets that discovery finds, once there are any", async () => {
    const { asked, ports } = world(["b"]);
    const found: { ready: boolean; names: string[] } = { ready: false, names: ["a", "b"] };
    const source: TargetSource = {
      current: () =>
        found.ready ? found.names.map((name) => linkTarget("orders", target(name), ports)) : [],
      ready: async () => {
        found.ready = true;
      },
    };
    const plan = upstream({ healthCheck, targets: [], discovery: { name: "orders.internal" } as never });
    const rounds = linkHealthRounds({ upstreams: { orders: plan } }, { discovery: () => source })(
      "orders",
      ports,
    )!;
    const states = await rounds.run({}, defer);
    expect(healthy(states)).toEqual({ a: true, b: false });
    found.names = ["b", "c"];
    expect(healthy(await rounds.run(states, defer))).toEqual({ b: false, c: true });
    expect(asked).toHaveLength(4);
  });

  it("change nothing while discovery knows no target", async () => {
    const { ports } = world([]);
    const plan = upstream({ healthCheck, targets: [], discovery: {} as never });
    const discovery = () => ({ current: () => [] });
    const rounds = linkHealthRounds({ upstreams: { orders: plan } }, { discovery })("orders", ports)!;
    const known = { a: { address: "http://a", isHealthy: false, contrary: 0 } };
    expect(await rounds.run(known, defer)).toBe(known);
  });
});
