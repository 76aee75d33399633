import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TryOutcome } from "../../../src/core/balancer.ts";
import type { OutlierDetectionPlan } from "../../../src/core/upstream-plan.ts";
import { linkOutlierDetection } from "../../../src/runtime/managed/outlier-detection.ts";
import type { LinkedTarget } from "../../../src/runtime/upstream.ts";
import { FakeClock } from "../../support/ports.ts";
import { SaidHealth, target, targetsNamed } from "./support.ts";

/** What the schema fills in. */
const DEFAULTS: OutlierDetectionPlan = {
  consecutiveErrors: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjected: 0.1,
};

const OUTCOMES: Readonly<Record<string, TryOutcome>> = { f: "failed", a: "answered", x: "abandoned" };

const stage = (targets: readonly LinkedTarget[], plan: Partial<OutlierDetectionPlan> = {}) => {
  const clock = new FakeClock();
  const others = new SaidHealth();
  const detection = linkOutlierDetection({ ...DEFAULTS, ...plan }, clock, [others]);
  /** Ends tries as the letters say: `f`ailed, `a`nswered, abandoned (`x`). */
  const end = (name: string, outcomes: string): void => {
    const one = targets.find((it) => it.name === name)!;
    for (const letter of outcomes) detection.ended!(one, OUTCOMES[letter]!, targets);
  };
  const out = (): string =>
    targets
      .filter((it) => !detection.isHealthy(it))
      .map(({ name }) => name)
      .join(" ");
  return { clock, others, detection, end, out };
};

describe("outlier detection: what ejects", () => {
  it.each([
    { says: "four failures in a row do not", outcomes: "ffff", out: "" },
    { says: "five do", outcomes: "fffff", out: "a" },
    { says: "an answer between begins anew", outcomes: "ffffaffff", out: "" },
    { says: "five after an answer do", outcomes: "ffffafffff", out: "a" },
    { says: "a try that nobody waited for does not count", outcomes: "ffffxxxx", out: "" },
    { says: "nor begin anew", outcomes: "ffxxfxff", out: "a" },
  ])("$says: $outcomes", ({ outcomes, out }) => {
    const it = stage(targetsNamed("a b c"));
    it.end("a", outcomes);
    expect(it.out()).toBe(out);
  });

  it("counts each target for itself", () => {
    const it = stage(targetsNamed("a b c"));
    it.end("a", "fff");
    it.end("b", "fff");
    it.end("a", "f");
    expect(it.out()).toBe("");
    it.end("a", "f");
    expect(it.out()).toBe("a");
  });

  it("takes the number of failures from the plan", () => {
    const it = stage(targetsNamed("a b"), { consecutiveErrors: 1 });
    it.end("b", "f");
    expect(it.out()).toBe("b");
  });
});

describe("outlier detection: for how long", () => {
  it.each([
    { atMs: 0, out: "a" },
    { atMs: 29_999, out: "a" },
    { atMs: 30_000, out: "" },
  ])("after $atMs ms: out is [$out]", ({ atMs, out }) => {
    const it = stage(targetsNamed("a b"));
    it.end("a", "fffff");
    it.clock.advance(atMs);
    expect(it.out()).toBe(out);
  });

  it("failures that arrive while it is out neither lengthen it nor count when it is back", () => {
    const it = stage(targetsNamed("a b"));
    it.end("a", "fffff");
    it.clock.advance(20_000);
    it.end("a", "ffffffffff");
    it.clock.advance(10_000);
    expect(it.out()).toBe("");
    it.end("a", "ffff");
    expect(it.out()).toBe("");
    it.end("a", "f");
    expect(it.out()).toBe("a");
  });

  /** How long each of several ejections lasts that begin so long after the one before ended. */
  const ejections = (pausesMs: readonly number[], plan: Partial<OutlierDetectionPlan> = {}): number[] => {
    const it = stage(targetsNamed("a b"), plan);
    return [0, ...pausesMs].map((pauseMs) => {
      it.clock.advance(pauseMs);
      it.end("a", "fffff");
      let lastedMs = 0;
      for (; it.out() === "a"; lastedMs += 500) it.clock.advance(500);
      return lastedMs / 1000;
    });
  };

  it.each([
    { says: "grows by its base each time", pausesMs: [0, 0, 0], seconds: [30, 60, 90, 120] },
    {
      says: "never exceeds the most",
      pausesMs: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      seconds: [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300],
    },
    { says: "does not shrink before a whole base was well", pausesMs: [29_500], seconds: [30, 60] },
    {
      says: "shrinks by one for each base that it was well",
      pausesMs: [0, 0, 30_000],
      seconds: [30, 60, 90, 90],
    },
    { says: "by two for two", pausesMs: [0, 0, 60_000], seconds: [30, 60, 90, 60] },
    { says: "down to the first", pausesMs: [0, 0, 600_000], seconds: [30, 60, 90, 30] },
    {
      says: "shrinks from the most at once, however often it was out",
      pausesMs: [...new Array<number>(20).fill(0), 60_000],
      seconds: [30, 60, 90, 120, 150, 180, 210, 240, 270, ...new Array<number>(12).fill(300), 270],
    },
    {
      says: "is the most where the base is longer",
      pausesMs: [0],
      seconds: [20, 20],
      plan: { maxEjectionMs: 20_000 },
    },
  ])("$says", ({ pausesMs, seconds, plan }) => {
    expect(ejections(pausesMs, plan)).toEqual(seconds);
  });
});

describe("outlier detection: how many", () => {
  it.each([
    { names: "a", most: 0, maxEjected: 1, because: "the last healthy one stays" },
    { names: "a b", most: 1, maxEjected: 0.1, because: "one always may" },
    { names: "a b c", most: 1, maxEjected: 0, because: "one always may" },
    { names: "a b c d e f g h i j", most: 1, maxEjected: 0.1, because: "10 % of 10 is 1" },
    { names: "a b c d e f g h i j", most: 2, maxEjected: 0.29, because: "29 % of 10 is 2" },
    {
      names: Array.from({ length: 100 }, (_, at) => `t${at}`).join(" "),
      most: 29,
      maxEjected: 0.29,
      because: "29 % of 100 is 29",
    },
    { names: "a b c d e f g h i j", most: 7, maxEjected: 0.7, because: "70 % of 10 is 7" },
    { names: "a b c d", most: 3, maxEjected: 1, because: "the last healthy one stays" },
  ])("of [$names] with $maxEjected at most $most are out: $because", ({ names, most, maxEjected }) => {
    const it = stage(targetsNamed(names), { maxEjected });
    for (const name of names.split(" ")) it.end(name, "ffffff");
    expect(it.out().split(" ").filter(Boolean)).toHaveLength(most);
  });

  it("one that might not be ejected is by its next failure when it may", () => {
    const it = stage(targetsNamed("a b c"));
    it.end("a", "fffff");
    it.end("b", "ffffffff");
    expect(it.out()).toBe("a");
    it.clock.advance(30_000);
    expect(it.out()).toBe("");
    it.end("b", "f");
    expect(it.out()).toBe("b");
  });

  it("targets without weight or without their binding do not count", () => {
    const it = stage([...targetsNamed("a -b"), target("c", { weight: 0 })], { maxEjected: 1 });
    it.end("a", "fffff");
    expect(it.out()).toBe("");
  });

  it("the last one that is healthy by the other sources stays", () => {
    const it = stage(targetsNamed("a b c"), { maxEjected: 1 });
    it.others.ill.add("b").add("c");
    it.end("a", "fffff");
    expect(it.out()).toBe("");
    it.others.ill.delete("c");
    it.end("a", "f");
    expect(it.out()).toBe("a");
  });
});

describe("outlier detection, whatever happens", () => {
  const event = fc.record({
    target: fc.nat(9),
    outcome: fc.constantFrom<TryOutcome>("failed", "failed", "failed", "answered", "abandoned"),
    times: fc.integer({ min: 1, max: 6 }),
    waitMs: fc.nat(20_000),
    ill: fc.nat(9),
  });
  const plans = fc.record({
    consecutiveErrors: fc.integer({ min: 1, max: 5 }),
    baseEjectionMs: fc.integer({ min: 1, max: 60_000 }),
    maxEjectionMs: fc.integer({ min: 1, max: 300_000 }),
    maxEjected: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
  });

  it("keeps to the bound, and never takes out the last healthy target", () => {
    fc.assert(
      fc.property(
        plans,
        fc.integer({ min: 1, max: 10 }),
        fc.array(event, { maxLength: 80 }),
        (plan, size, events) => {
          const targets = targetsNamed("a b c d e f g h i j").slice(0, size);
          const { clock, detection, others } = stage(targets, plan);
          const isOut = (it: LinkedTarget): boolean => !detection.isHealthy(it);
          const healthy = (): number => targets.filter((it) => !isOut(it) && others.isHealthy(it)).length;
          for (const { target: at, outcome, times, waitMs, ill } of events) {
            clock.advance(waitMs);
            others.ill.clear();
            if (ill < size) others.ill.add(targets[ill]!.name);
            const before = healthy();
            for (let i = 0; i < times; i++) detection.ended!(targets[at % size]!, outcome, targets);
            const count = targets.filter(isOut).length;
            expect(count).toBeLessThanOrEqual(Math.max(1, plan.maxEjected * size + 1e-6));
            if (before > 0) expect(healthy()).toBeGreaterThan(0);
          }
          clock.advance(plan.maxEjectionMs);
          expect(targets.filter(isOut)).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
