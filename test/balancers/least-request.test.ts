import { describe, expect, it } from "vitest";
import { balancer as factory } from "../../src/balancers/least-request.ts";
import { anyExchange, link, pool, shares } from "./support.ts";

const loaded = (weights: readonly number[], active: readonly number[]) => {
  const { balancer } = link(factory, pool(...weights));
  for (const [index, count] of active.entries()) for (let i = 0; i < count; i++) balancer.begin!(index);
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
    const balancer = loaded([1, 1], [2, 1]);
    balancer.end!(0, 5, false);
    balancer.end!(0, 5, true);
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
      balancer.begin!(index);
      active[index]!++;
      expect(Math.abs(active[0]! - active[1]!)).toBeLessThanOrEqual(1);
    }
  });
});
