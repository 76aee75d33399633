import { describe, expect, it } from "vitest";
import { balancer as factory } from "../../src/balancers/round-robin.ts";
import { link, pool, sequence } from "./support.ts";

describe("round robin", () => {
  it.each([
    { weights: [1, 1, 1], round: "abc" },
    { weights: [9, 1, 1], round: "abc" },
    { weights: [1, 0, 1], round: "ac" },
    { weights: [0, 0, 1], round: "c" },
  ])("weights $weights go round as $round, from anywhere", ({ weights, round }) => {
    const targets = pool(...weights);
    for (let seed = 1; seed <= 5; seed++) {
      const { balancer } = link(factory, targets, { name: "roundRobin" }, seed);
      expect(round.repeat(6)).toContain(sequence(balancer, targets, round.length * 4));
    }
  });

  it("begins at a random target, so that many isolates do not begin with the same", () => {
    const targets = pool(1, 1, 1, 1);
    const first = [0, 0, 0, 0];
    for (let seed = 1; seed <= 400; seed++) {
      const { balancer } = link(factory, targets, { name: "roundRobin" }, seed);
      first["abcd".indexOf(sequence(balancer, targets, 1))]!++;
    }
    for (const times of first) expect(times).toBeGreaterThan(60);
  });

  it("passes over one that is not usable", () => {
    const targets = pool(1, 1, 1);
    const { balancer } = link(factory, targets);
    expect("acacacac").toContain(sequence(balancer, targets, 6, (index) => index !== 1));
  });
});
