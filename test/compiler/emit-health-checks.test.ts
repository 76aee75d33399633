import { describe, expect, it } from "vitest";
import { emit } from "../../src/compiler/emit.ts";
import type { Plan } from "../../src/core/plan.ts";
import type { UpstreamPlan } from "../../src/core/upstream-plan.ts";

const entry = (upstreams: Readonly<Record<string, Partial<UpstreamPlan>>>): string => {
  const plan = {
    gateway: { name: "shop" },
    steps: [],
    routes: [],
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([name, more]) => [
        name,
        { balancer: { name: "roundRobin" }, targets: [], timeoutMs: 1000, ...more },
      ]),
    ),
  } as unknown as Plan;
  return emit(plan, { source: "../src", balancerFiles: { roundRobin: "round-robin.ts" } })["gateway.ts"];
};

const healthCheck = { path: "/healthz" } as NonNullable<UpstreamPlan["healthCheck"]>;

describe("the entry of a plan", () => {
  it.each([
    ["nothing of the kind", {}],
    ["retries", { retry: {} as never }],
    ["outlier detection", { outlierDetection: {} as never }],
  ])("with %s exports no class and has no port for health checks", (_, more) => {
    const text = entry({ orders: more });
    expect(text).not.toMatch(/health/i);
    expect(text).toContain("export default createWorker(JSON.parse(plan), {");
    expect(text.match(/^export/gm)).toHaveLength(1);
  });

  it("that checks an upstream exports the class of the objects, over the same plan, and has the port", () => {
    const text = entry({ orders: { healthCheck }, users: {} });
    expect(text).toContain("const parsed = JSON.parse(plan);");
    expect(text).toContain("export default createWorker(parsed, {");
    expect(text).toContain("}, healthPort);");
    expect(text).toContain("export const HealthChecks = healthChecks(linkHealthRounds(parsed, {}));");
    expect(text).toContain("activeHealth: linkActiveHealth");
  });

  it("that discovers targets has the objects discover them too", () => {
    const text = entry({ orders: { healthCheck, discovery: {} as never } });
    expect(text).toContain("healthChecks(linkHealthRounds(parsed, { discovery: linkDiscovery }))");
  });
});
