import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancer as hash } from "../../src/balancers/hash.ts";
import { balancer as leastRequest } from "../../src/balancers/least-request.ts";
import { balancer as leastResponseTime } from "../../src/balancers/least-response-time.ts";
import { balancer as random } from "../../src/balancers/random.ts";
import { balancer as roundRobin } from "../../src/balancers/round-robin.ts";
import { balancer as smoothWeightedRoundRobin } from "../../src/balancers/smooth-weighted-round-robin.ts";
import { balancer as weightedRandom } from "../../src/balancers/weighted-random.ts";
import type { BalancerFactory } from "../../src/core/balancer.ts";
import { anyExchange, link, pool } from "./support.ts";

const factories: Readonly<Record<string, BalancerFactory>> = {
  hash,
  leastRequest,
  leastResponseTime,
  random,
  roundRobin,
  smoothWeightedRoundRobin,
  weightedRandom,
};

const weight = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 1000 }),
  fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
);

/** A pool and what happens to it: which targets are usable at each pick, and how its tries go. */
const life = fc.array(weight, { maxLength: 8 }).chain((weights) =>
  fc.record({
    weights: fc.constant(weights),
    seed: fc.integer(),
    picks: fc.array(
      fc.record({
        usable: fc.option(fc.array(fc.boolean(), { minLength: weights.length, maxLength: weights.length })),
        key: fc.string(),
        waitMs: fc.nat(100_000),
        elapsedMs: fc.option(fc.nat(60_000)),
        outcome: fc.constantFrom("answered", "failed", "abandoned"),
        parts: fc.option(
          fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), {
            minLength: weights.length,
            maxLength: weights.length,
          }),
        ),
      }),
      { minLength: 1, maxLength: 30 },
    ),
  }),
);

describe.each(Object.keys(factories))("%s", (name) => {
  const plan = { name, by: "ip", fallback: "random" };

  it("picks only what is usable and has weight, and -1 exactly when there is nothing", () => {
    fc.assert(
      fc.property(life, ({ weights, seed, picks }) => {
        const { balancer, clock } = link(factories[name]!, pool(...weights), plan, seed);
        for (const { usable, parts, key, waitMs, elapsedMs, outcome } of picks) {
          const may = (index: number): boolean => weights[index]! > 0 && (usable?.[index] ?? true);
          const asked = usable === null ? undefined : (index: number) => usable[index]!;
          const part = parts === null ? undefined : (index: number) => parts[index]!;
          const index = balancer.pick({ ...anyExchange, clientIp: key }, asked, part);
          if (index === -1) expect(weights.some((_, other) => may(other))).toBe(false);
          else {
            expect(may(index)).toBe(true);
            const lease = balancer.begin?.(index, 60_000);
            clock.advance(waitMs);
            if (elapsedMs !== null) balancer.end?.(index, lease!, elapsedMs, outcome);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    { weights: [1], usable: undefined, index: 0 },
    { weights: [1], usable: () => false, index: -1 },
    { weights: [0], usable: undefined, index: -1 },
    { weights: [], usable: undefined, index: -1 },
    { weights: [0, 7, 0], usable: undefined, index: 1 },
    { weights: [0, 7, 0], usable: (index: number) => index !== 1, index: -1 },
  ])("a pool of $weights picks $index and keeps no books", ({ weights, usable, index }) => {
    const { balancer } = link(factories[name]!, pool(...weights), plan);
    for (let i = 0; i < 3; i++) expect(balancer.pick(anyExchange, usable)).toBe(index);
    expect(balancer.begin).toBeUndefined();
    expect(balancer.end).toBeUndefined();
  });

  it("asks for no randomness and no time while it is linked: a Worker that starts has neither", () => {
    const refuse = () => {
      throw new Error("not while linking");
    };
    const ports = { random: { number: refuse, uuid: refuse }, clock: { now: refuse } };
    expect(() => factories[name]!(pool(1, 2, 3), plan, ports)).not.toThrow();
  });
});
