import { describe, expect, it } from "vitest";
import { balancer as factory } from "../../src/balancers/smooth-weighted-round-robin.ts";
import { link, pool, sequence, shares } from "./support.ts";

describe("smooth weighted round robin", () => {
  it.each([
    { weights: [5, 1, 1], picks: "aabacaa" },
    { weights: [4, 2, 1], picks: "abacaba" },
    { weights: [3, 2], picks: "ababa" },
    { weights: [1, 1, 1], picks: "abc" },
    { weights: [0.5, 0.25, 0.25], picks: "abca" },
    { weights: [1, 0, 1], picks: "ac" },
  ])("weights $weights go round as $picks, again and again", ({ weights, picks }) => {
    const targets = pool(...weights);
    const { balancer } = link(factory, targets);
    expect(sequence(balancer, targets, picks.length * 3)).toBe(picks.repeat(3));
  });

  it("shares by weight among those that are usable, and goes on where it was when all are well again", () => {
    const targets = pool(5, 1, 1);
    const { balancer } = link(factory, targets);
    expect(sequence(balancer, targets, 4, (index) => index !== 0)).toBe("bcbc");
    expect(sequence(balancer, targets, 7)).toBe("aabacaa");
  });

  it("does not drift from the weights over a long time", () => {
    const { balancer } = link(factory, pool(90, 10, 0.3));
    const [a, b, c] = shares(balancer, 3, 100_300);
    expect([a! * 1003, b! * 1003, c! * 1003].map(Math.round)).toEqual([900, 100, 3]);
  });
});
