import { describe, expect, it } from "vitest";
import { balancer as factory } from "../../src/balancers/least-request.ts";
import { anyExchange, link, pool, shares, WITHIN_MS } from "./support.ts";

const loaded = (weights: readonly number[], active: readonly number[]) => {
  const { balancer } = link(factory, pool(...weights));
  for (const [index, count] of active.entries())
    for (let i = 0; i < count; i++) balancer.begin!(index, WITHIN_MS);
  return balancer;
};

describe("least request", () => {
  it.each([
    { weights: [1, 1], active: [1, 0], winner: 1 },
    { weights: [1, 1], active: [3, 4], winner: 0 },
    { weights: [10, 1], active: [9, 1], winner: 0 },
    { weights: [10, 1], active: [11, 1], winner: 1 },
    { weights: [1, 0, 1], active: [5, 0, 4], winner: 2 },
  ])(
    "of two with weights $weights and $active under way, target $winner is picked",
    ({ weights, active, winner }) => {
      const balancer = loaded(weights, active);
      expect(shares(balancer, weights.length, 200)[winner]).toBe(1);
    },
  );

  it("compares two of many: the busiest never wins, the least busy one in two draws of three", () => {
    const found = shares(loaded([1, 1, 1], [0, 1, 2]), 3, 30_000);
    expect(found[2]).toBe(0);
    expect(Math.abs(found[0]! - 2 / 3)).toBeLessThan(0.01);
  });

  it.each([
    { weights: [1, 1, 1], expected: [1 / 3, 1 / 3, 1 / 3] },
    { weights: [8, 1, 1], expected: [0.8, 0.1, 0.1] },
  ])("shares an idle pool by weights $weights", ({ weights, expected }) => {
    const found = shares(loaded(weights, []), 3, 30_000);
    for (const [index, share] of found.entries())
      expect(Math.abs(share - expected[index]!)).toBeLessThan(0.01);
  });

  it("forgets work that has ended", () => {
    const { balancer } = link(factory, pool(1, 1));
    const leases = [0, 0, 1].map((index) => balancer.begin!(index, WITHIN_MS));
    expect(shares(balancer, 2, 100)[1]).toBe(1);
    balancer.end!(0, leases[0]!, 5, "answered");
    balancer.end!(0, leases[1]!, 5, "failed");
    expect(shares(balancer, 2, 100)[0]).toBe(1);
  });

  it("picks the only usable one however busy it is", () => {
    const balancer = loaded([1, 1, 1], [9, 0, 0]);
    expect(shares(balancer, 3, 100, (index) => index === 0)[0]).toBe(1);
  });

  it("keeps the work of equals within one of another, where chance alone would not", () => {
    const { balancer } = link(factory, pool(1, 1));
    const active = [0, 0];
    for (let i = 0; i < 1000; i++) {
      const index = balancer.pick(anyExchange);
      balancer.begin!(index, WITHIN_MS);
      active[index]!++;
      expect(Math.abs(active[0]! - active[1]!)).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    { says: "is counted while it may still be under way", waitMs: 9000, winner: 1 },
    { says: "is forgotten when its time is over", waitMs: 11_000, winner: 0 },
  ])("work that never ends $says", ({ waitMs, winner }) => {
    const { balancer, clock } = link(factory, pool(1, 1));
    for (let i = 0; i < 3; i++) balancer.begin!(0, 10_000);
    clock.advance(waitMs);
    balancer.begin!(1, 10_000);
    expect(shares(balancer, 2, 100)[winner]).toBe(1);
  });

  it("goes on counting where the pool has changed, for the targets that stay", () => {
    const [a, b, c] = pool(1, 1, 1);
    const known = new WeakMap();
    const before = link(factory, [a!, b!, c!], undefined, 1, known).balancer;
    const leases = [0, 0, 1].map((index) => before.begin!(index, WITHIN_MS));
    const after = link(factory, [b!, a!], undefined, 1, known).balancer;
    expect(shares(after, 2, 100)[0]).toBe(1);
    for (const lease of leases.slice(0, 2)) before.end!(0, lease, 5, "answered");
    expect(shares(after, 2, 100)[1]).toBe(1);
  });
});
