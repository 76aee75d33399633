import { describe, expect, it } from "vitest";
import { balancer as hash } from "../../src/balancers/hash.ts";
import { balancer as leastRequest } from "../../src/balancers/least-request.ts";
import { balancer as leastResponseTime } from "../../src/balancers/least-response-time.ts";
import { balancer as random } from "../../src/balancers/random.ts";
import { balancer as roundRobin } from "../../src/balancers/round-robin.ts";
import { balancer as smoothWeightedRoundRobin } from "../../src/balancers/smooth-weighted-round-robin.ts";
import { balancer as weightedRandom } from "../../src/balancers/weighted-random.ts";
import type { Exchange } from "../../src/core/exchange.ts";
import { anyExchange, link, pool, sequence, shares, tryAt } from "./support.ts";

/** The last of the targets takes this part of its weight, the others all of it. */
const lastTakes = (part: number, size: number) => (index: number) => (index === size - 1 ? part : 1);

describe("a target that starts slowly gets its part of its weight", () => {
  const byWeight = { smoothWeightedRoundRobin, weightedRandom, leastRequest, leastResponseTime };
  const byHeads = { roundRobin, random };
  const cases = [
    ...Object.entries(byWeight).flatMap(([name, factory]) =>
      [
        { weights: [1, 1, 1], part: 0.1, expected: 0.1 / 2.1 },
        { weights: [1, 1, 1], part: 0.5, expected: 0.5 / 2.5 },
        // Least response time compares by weight besides, so that a heavy target gets more than its share.
        ...(name === "leastResponseTime" ? [] : [{ weights: [1, 1, 2], part: 0.5, expected: 1 / 3 }]),
        { weights: [1, 1, 1], part: 1, expected: 1 / 3 },
      ].map((it) => ({ name, factory, ...it })),
    ),
    ...Object.entries(byHeads).flatMap(([name, factory]) =>
      [
        { weights: [1, 1, 8], part: 0.1, expected: 0.1 / 2.1 },
        { weights: [1, 1, 8], part: 0.5, expected: 0.5 / 2.5 },
        { weights: [1, 1, 8], part: 1, expected: 1 / 3 },
      ].map((it) => ({ name, factory, ...it })),
    ),
  ];

  it.each(cases)("$name: weights $weights, the last at $part, gets $expected", (it) => {
    const { balancer } = link(it.factory, pool(...it.weights));
    const found = shares(balancer, 3, 40_000, undefined, lastTakes(it.part, 3));
    expect(Math.abs(found[2]! - it.expected)).toBeLessThan(0.01);
  });

  it.each(Object.entries({ ...byWeight, ...byHeads }))(
    "%s: with the first left out, too",
    (_name, factory) => {
      const { balancer } = link(factory, pool(1, 1, 1));
      const found = shares(balancer, 3, 40_000, (index) => index !== 0, lastTakes(0.25, 3));
      expect(found[0]).toBe(0);
      expect(Math.abs(found[2]! - 0.2)).toBeLessThan(0.01);
    },
  );
});

describe("a part of the weight", () => {
  it("spreads the turns of smooth weighted round robin as a lower weight does", () => {
    const targets = pool(4, 4, 1);
    const { balancer } = link(smoothWeightedRoundRobin, targets);
    const part = (index: number) => (index === 1 ? 0.5 : 1);
    expect(sequence(balancer, targets, 14, undefined, part)).toBe("abacaba".repeat(2));
  });

  it("leaves the turns of round robin in their order where all targets start slowly", () => {
    const targets = pool(1, 1, 1);
    const { balancer } = link(roundRobin, targets);
    const none = () => Number.MIN_VALUE;
    expect("abc".repeat(5)).toContain(sequence(balancer, targets, 12, undefined, none));
  });

  // Drawn first with part / (1 + part), and else looked at for its part.
  const most = (part: number) => part / (1 + part) + part / (1 + part);

  it.each([0.1, 0.5, 1])("of %d bounds what an idle target gets from least request", (part) => {
    const { balancer } = link(leastRequest, pool(1, 1));
    for (let i = 0; i < 9; i++) balancer.begin!(0, 10_000);
    const found = shares(balancer, 2, 20_000, undefined, lastTakes(part, 2));
    expect(Math.abs(found[1]! - most(part))).toBeLessThan(0.01);
  });

  it.each([0.1, 0.5, 1])("of %d bounds what a fast target gets from least response time", (part) => {
    const { balancer } = link(leastResponseTime, pool(1, 1));
    tryAt(balancer, 0, 300);
    tryAt(balancer, 1, 10);
    const found = shares(balancer, 2, 20_000, undefined, lastTakes(part, 2));
    expect(Math.abs(found[1]! - most(part))).toBeLessThan(0.01);
  });
});

describe("the keys of a consistent hash", () => {
  const KEYS = 20_000;
  const keys = Array.from(
    { length: KEYS },
    (_, key) => ({ ...anyExchange, clientIp: `user-${key}` }) as Exchange,
  );
  const owners = (weights: readonly number[], part?: (index: number) => number): readonly number[] => {
    const { balancer } = link(hash, pool(...weights), { name: "hash", by: "ip", fallback: "random" });
    return keys.map((exchange) => balancer.pick(exchange, undefined, part));
  };

  it.each([[[1, 1, 1, 1]], [[3, 1, 2, 2]]])(
    "move to a target that starts slowly a part at a time, each once, and between no others: weights %j",
    (weights) => {
      const steps = [0.1, 0.2, 0.4, 0.7, 1].map((part) => owners(weights, lastTakes(part, 4)));
      const total = weights.reduce((sum, weight) => sum + weight, 0) - weights[3]!;
      for (const [step, part] of [0.1, 0.2, 0.4, 0.7, 1].entries()) {
        const share = steps[step]!.filter((owner) => owner === 3).length / KEYS;
        const weight = weights[3]! * part;
        expect(Math.abs(share - weight / (total + weight))).toBeLessThan(0.01);
        for (const [key, owner] of steps[step]!.entries()) {
          const before = steps[step - 1]?.[key];
          if (before !== undefined && before !== owner) expect(owner).toBe(3);
        }
      }
      expect(steps[4]).toEqual(owners(weights));
    },
  );
});
