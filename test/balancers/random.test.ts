import { describe, expect, it } from "vitest";
import { balancer as random } from "../../src/balancers/random.ts";
import { balancer as weightedRandom } from "../../src/balancers/weighted-random.ts";
import { link, pool, shares } from "./support.ts";

const all = () => true;

describe.each([
  { name: "random", factory: random, weights: [1, 1], expected: [0.5, 0.5] },
  { name: "random", factory: random, weights: [90, 9, 1], expected: [1 / 3, 1 / 3, 1 / 3] },
  { name: "random", factory: random, weights: [5, 0, 5], expected: [0.5, 0, 0.5] },
  { name: "weightedRandom", factory: weightedRandom, weights: [90, 10], expected: [0.9, 0.1] },
  {
    name: "weightedRandom",
    factory: weightedRandom,
    weights: [0, 1, 2, 0, 5],
    expected: [0, 0.125, 0.25, 0, 0.625],
  },
  { name: "weightedRandom", factory: weightedRandom, weights: [0.1, 0.3], expected: [0.25, 0.75] },
])("$name with weights $weights", ({ factory, weights, expected }) => {
  it.each([
    { state: "no target is in doubt", usable: undefined },
    { state: "all are usable", usable: all },
  ])("shares within a point when $state", ({ usable }) => {
    const { balancer } = link(factory, pool(...weights));
    const found = shares(balancer, weights.length, 50_000, usable);
    for (const [index, share] of found.entries())
      expect(Math.abs(share - expected[index]!)).toBeLessThan(0.01);
    for (const [index, weight] of weights.entries()) if (weight === 0) expect(found[index]).toBe(0);
  });

  it("keeps the proportions of the others when the last is not usable", () => {
    const { balancer } = link(factory, pool(...weights));
    const last = weights.length - 1;
    const found = shares(balancer, weights.length, 50_000, (index) => index !== last);
    const left = 1 - expected[last]!;
    for (let index = 0; index < last; index++)
      expect(Math.abs(found[index]! - expected[index]! / left)).toBeLessThan(0.01);
    expect(found[last]).toBe(0);
  });
});

it("a weighted split of 90 to 10 holds within five points over 500 requests, whatever the seed", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const { balancer } = link(weightedRandom, pool(90, 10), { name: "weightedRandom" }, seed);
    expect(Math.abs(shares(balancer, 2, 500)[0]! - 0.9)).toBeLessThan(0.05);
  }
});
