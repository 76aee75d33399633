import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancer as hash } from "../../../src/balancers/hash.ts";
import { balancer as leastRequest } from "../../../src/balancers/least-request.ts";
import { balancer as leastResponseTime } from "../../../src/balancers/least-response-time.ts";
import { balancer as random } from "../../../src/balancers/random.ts";
import { balancer as roundRobin } from "../../../src/balancers/round-robin.ts";
import { balancer as smoothWeightedRoundRobin } from "../../../src/balancers/smooth-weighted-round-robin.ts";
import { balancer as weightedRandom } from "../../../src/balancers/weighted-random.ts";
import type { BalancerFactory, TryOutcome } from "../../../src/core/balancer.ts";
import { linkOutlierDetection } from "../../../src/runtime/managed/outlier-detection.ts";
import type { Picked } from "../../../src/runtime/managed/pool.ts";
import { exchange, stagePool, target, targetsNamed } from "./support.ts";

const FACTORIES: Readonly<Record<string, BalancerFactory>> = {
  hash,
  leastRequest,
  leastResponseTime,
  random,
  roundRobin,
  smoothWeightedRoundRobin,
  weightedRandom,
};

/** Who takes first tries, in the order of their names. */
const takers = (it: ReturnType<typeof stagePool>): string => Object.keys(it.count(60)).sort().join(" ");

describe("the first try goes to the home", () => {
  it.each([
    { names: "a b c", ill: "", picks: "a b c", because: "all are well" },
    { names: "a b c", ill: "b", picks: "a c", because: "b is ill" },
    { names: "a b", ill: "b", picks: "a", because: "half of them is not under 50 %" },
    { names: "a b c", ill: "b c", picks: "a b c", because: "a third is: health is ignored" },
    { names: "a b c", ill: "a b c", picks: "a b c", because: "with none well health is ignored" },
    { names: "a", ill: "a", picks: "a", because: "the only one is called however it is" },
    { names: "a -b", ill: "", picks: "a", because: "b has no binding" },
    { names: "a -b -c", ill: "", picks: "a", because: "not even in panic is one called that cannot be" },
    { names: "-a -b", ill: "", picks: "-", because: "there is none that can be called" },
    { names: "", ill: "", picks: "-", because: "there is none" },
    { names: "a b c1 d1", ill: "", picks: "a b", because: "the first group is well" },
    { names: "a b c1 d1", ill: "a", picks: "b", because: "half of the first group is enough" },
    { names: "a b c1 d1", ill: "a b", picks: "c1 d1", because: "the first group is ill" },
    { names: "a b c c1 d1", ill: "a b", picks: "c1 d1", because: "a third of the first group is not enough" },
    { names: "-a -b c1", ill: "", picks: "c1", because: "nobody in the first group can be called" },
    { names: "a b1 c2", ill: "a b1", picks: "c2", because: "only the third group is well" },
    { names: "b1 a c2", ill: "", picks: "a", because: "priorities count, not the order" },
    {
      names: "a b c d1 e1 f1",
      ill: "a b c d1 e1",
      picks: "d1 e1 f1",
      because: "more of the second is well: panic there",
    },
    {
      names: "a b c d1 e1 f1",
      ill: "a b d1 e1",
      picks: "a b c",
      because: "the first of equals: panic there",
    },
    { names: "a b1", ill: "a b1", picks: "a", because: "the first of equals, though none is well" },
    { names: "-a b1", ill: "b1", picks: "b1", because: "nobody in the first of equals can be called" },
  ])("[$names] with [$ill] ill: [$picks], because $because", ({ names, ill, picks }) => {
    const it = stagePool(targetsNamed(names));
    for (const name of ill.split(" ")) it.said.ill.add(name);
    expect(takers(it)).toBe(picks);
  });

  it.each([
    { threshold: 0.5, ill: "a b c", picks: "a b c d e" },
    { threshold: 0.4, ill: "a b c", picks: "d e" },
    { threshold: 0.2, ill: "a b c d", picks: "e" },
    { threshold: 1, ill: "a", picks: "a b c d e" },
    { threshold: 0, ill: "a b c d", picks: "e" },
    { threshold: 0, ill: "a b c d e", picks: "-" },
  ])("a threshold of $threshold with [$ill] ill of five: [$picks]", ({ threshold, ill, picks }) => {
    const it = stagePool(targetsNamed("a b c d e"), { panicThreshold: threshold });
    for (const name of ill.split(" ")) it.said.ill.add(name);
    expect(takers(it)).toBe(picks);
  });

  it("targets without weight take nothing and count for nothing", () => {
    const spare = ["x", "y", "z"].map((name) => target(name, { weight: 0 }));
    const it = stagePool([...targetsNamed("a b"), ...spare]);
    it.said.ill.add("b").add("x").add("y").add("z");
    expect(takers(it)).toBe("a");
  });

  it("a target is well when every source of health says so", () => {
    const ill = (name: string) => ({ isHealthy: (it: { name: string }) => it.name !== name });
    const it = stagePool(targetsNamed("a b c d"), {}, { health: () => [ill("a"), ill("b")] });
    expect(takers(it)).toBe("c d");
  });

  it("every group has the balancer's order to itself", () => {
    const it = stagePool([
      target("a", { weight: 5 }),
      target("x1", { weight: 3, priority: 1 }),
      target("b"),
      target("y1", { weight: 2, priority: 1 }),
      target("c"),
    ]);
    const seven = () => Array.from({ length: 7 }, () => it.pick()).join("");
    expect(seven()).toBe("aabacaa");
    it.said.ill.add("a").add("b").add("c");
    expect(seven()).toBe("x1y1x1y1x1x1y1");
  });
});

describe("a further try", () => {
  /** Whom a request tries in turn, when so many tries fail. */
  const tries = (names: string, ill: string, count: number): string => {
    const it = stagePool(targetsNamed(names));
    for (const name of ill.split(" ")) it.said.ill.add(name);
    const tried: string[] = [];
    const targets = [];
    for (let i = 0; i < count; i++) {
      const picked = it.pool.pick(exchange, targets);
      if (picked === undefined) break;
      tried.push(picked.target.name);
      targets.push(picked.target);
      picked.end(1, "failed");
    }
    return tried.join(" ");
  };

  it.each([
    { names: "a b c", ill: "", tried: "a b c", because: "each is tried once" },
    { names: "a b", ill: "", tried: "a b a b a b", because: "then not the last one again" },
    {
      names: "a b c",
      ill: "b",
      tried: "a c a",
      because: "rather one that is well again than one that is ill",
    },
    { names: "a b c1 d1", ill: "", tried: "a b c1 d1", because: "the next group after the home" },
    { names: "a b c1 d1", ill: "", tried: "a b c1 d1 b", because: "and the home again at last" },
    { names: "a b c1 d2", ill: "c1", tried: "a b d2", because: "of the later groups those that are well" },
    {
      names: "a b c d1 e1",
      ill: "a b",
      tried: "d1 e1 c e1",
      because: "of the earlier groups too, after the later",
    },
    { names: "a b c d1 e2", ill: "a b", tried: "d1 e2 c", because: "later groups come before earlier ones" },
    { names: "a", ill: "", tried: "a a a", because: "there is no other" },
    { names: "a -b", ill: "", tried: "a a", because: "b cannot be called" },
    {
      names: "a b c d",
      ill: "a b c",
      tried: "a d b c",
      because: "panic: the well one first, then untried ones",
    },
    { names: "a b c", ill: "a b c", tried: "a b c b", because: "panic with none well" },
    { names: "a b c1", ill: "a b c1", tried: "a b c1 b", because: "panic goes on in the next group" },
    { names: "a -b c", ill: "a c", tried: "a c a", because: "panic or not, b cannot be called" },
  ])("[$names] with [$ill] ill: $tried, because $because", ({ names, ill, tried }) => {
    expect(tries(names, ill, tried.split(" ").length)).toBe(tried);
  });

  it("is nobody where a threshold of 0 never panics", () => {
    const it = stagePool(targetsNamed("a b"), { panicThreshold: 0 });
    it.said.ill.add("a").add("b");
    expect(it.pick([])).toBe("-");
  });
});

describe("slow start", () => {
  const slow = { slowStartMs: 10_000 };
  /** The share of 1100 requests that a target gets. */
  const share = (it: ReturnType<typeof stagePool>, name: string): number =>
    (it.count(1100)[name] ?? 0) / 1100;

  it.each([
    { atMs: 0, part: 0.1 },
    { atMs: 500, part: 0.1 },
    { atMs: 1000, part: 0.1 },
    { atMs: 2500, part: 0.25 },
    { atMs: 5000, part: 0.5 },
    { atMs: 9999, part: 1 },
    { atMs: 10_000, part: 1 },
    { atMs: 99_000, part: 1 },
  ])("a target that is well again takes $part of its weight after $atMs ms", ({ atMs, part }) => {
    const it = stagePool(targetsNamed("a b"), slow);
    it.said.ill.add("b");
    expect(share(it, "b")).toBe(0);
    it.said.ill.clear();
    it.pick();
    it.ports.clock.advance(atMs);
    expect(Math.abs(share(it, "b") - part / (1 + part))).toBeLessThan(0.01);
  });

  it("begins with the request that finds the target well", () => {
    const it = stagePool(targetsNamed("a b"), slow);
    it.said.ill.add("b");
    it.pick();
    it.said.ill.clear();
    it.ports.clock.advance(60_000);
    expect(Math.abs(share(it, "b") - 0.1 / 1.1)).toBeLessThan(0.01);
  });

  it("begins anew when the target was ill again", () => {
    const it = stagePool(targetsNamed("a b"), slow);
    for (let round = 0; round < 2; round++) {
      it.said.ill.add("b");
      it.pick();
      it.said.ill.clear();
      it.pick();
      it.ports.clock.advance(5000);
    }
    expect(Math.abs(share(it, "b") - 0.5 / 1.5)).toBeLessThan(0.01);
  });

  it("is not for targets that are there from the start, be they well at once or found so later", () => {
    const it = stagePool([], slow);
    it.pick();
    it.replace(targetsNamed("a b"));
    expect(share(it, "b")).toBe(0.5);
  });

  it("is for a target that joins others", () => {
    const [a, b, c] = targetsNamed("a b c");
    const it = stagePool([a!, b!], slow);
    it.pick();
    it.replace([a!, b!, c!]);
    expect(Math.abs(share(it, "c") - 0.1 / 2.1)).toBeLessThan(0.01);
    it.ports.clock.advance(5000);
    it.replace([a!, c!]);
    expect(Math.abs(share(it, "c") - 0.5 / 1.5)).toBeLessThan(0.01);
    it.ports.clock.advance(5000);
    expect(share(it, "c")).toBe(0.5);
  });

  it("is ignored in panic with the rest of health", () => {
    const it = stagePool(targetsNamed("a b c"), slow);
    for (const name of ["a", "b", "c"]) it.said.ill.add(name);
    it.pick();
    it.said.ill.delete("c");
    expect(Math.abs(share(it, "c") - 1 / 3)).toBeLessThan(0.01);
  });

  it("does not keep a target from taking all where it is the only one", () => {
    const it = stagePool(targetsNamed("a b"), slow);
    it.said.ill.add("b");
    it.pick();
    it.said.ill.clear();
    it.pick();
    it.said.ill.add("a");
    expect(share(it, "b")).toBe(1);
  });

  it("does nothing where the upstream has none", () => {
    const it = stagePool(targetsNamed("a b"));
    it.said.ill.add("b");
    it.pick();
    it.said.ill.clear();
    expect(share(it, "b")).toBe(0.5);
  });
});

describe("a pool with outlier detection", () => {
  const detection = {
    outlierDetection: {
      consecutiveErrors: 5,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjected: 0.1,
    },
  };
  const stage = (names: string, slowStartMs?: number) =>
    stagePool(
      targetsNamed(names),
      { ...detection, ...(slowStartMs && { slowStartMs }) },
      {
        health: ({ clock }, said) => [linkOutlierDetection(detection.outlierDetection, clock, [said])],
      },
    );
  /** Requests one after another, of which those at a bad target fail; answers how often each was picked. */
  const serve = (it: ReturnType<typeof stagePool>, times: number, bad: string): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (let i = 0; i < times; i++) {
      const { target: at, end } = it.pool.pick(exchange, [])!;
      counts[at.name] = (counts[at.name] ?? 0) + 1;
      end(1, at.name === bad ? "failed" : "answered");
    }
    return counts;
  };

  it("sends a failing target five requests, none for 30 s, five more, and none for 60 s", () => {
    const it = stage("a b c");
    expect(serve(it, 300, "b")["b"]).toBe(5);
    it.ports.clock.advance(29_999);
    expect(serve(it, 300, "b")["b"]).toBeUndefined();
    it.ports.clock.advance(1);
    expect(serve(it, 300, "b")["b"]).toBe(5);
    it.ports.clock.advance(59_999);
    expect(serve(it, 300, "b")["b"]).toBeUndefined();
    it.ports.clock.advance(1);
    expect(serve(it, 300, "")).toEqual({ a: 100, b: 100, c: 100 });
  });

  it("shows the gauge at once when a target goes, and with the next request when it is back", () => {
    const it = stage("a b");
    serve(it, 30, "b");
    const shown = (name: string, value: number) => `postern_target_healthy shop.${name} ${value}`;
    expect(it.gauges).toEqual([shown("a", 1), shown("b", 1), shown("b", 0)]);
    it.ports.clock.advance(30_000);
    serve(it, 1, "b");
    expect(it.gauges.slice(3)).toEqual([shown("b", 1)]);
  });

  it("starts it slowly when it is back", () => {
    const it = stage("a b", 10_000);
    serve(it, 30, "b");
    it.ports.clock.advance(30_000);
    expect(Math.abs(serve(it, 1100, "")["b"]! / 1100 - 0.1 / 1.1)).toBeLessThan(0.01);
  });

  it("does not hear of tries that began before their target was ejected", () => {
    const it = stage("a b");
    const begun: Picked[] = [];
    while (begun.filter(({ target: at }) => at.name === "b").length < 20)
      begun.push(it.pool.pick(exchange, [])!);
    const atB = begun.filter(({ target: at }) => at.name === "b");
    it.ports.clock.advance(1000);
    for (const { end } of atB.splice(0, 5)) end(1000, "failed");
    it.ports.clock.advance(30_000);
    for (const { end } of atB) end(31_000, "failed");
    expect(serve(it, 100, "")).toEqual({ a: 50, b: 50 });
  });

  it("keeps what it knows of the targets that stay when the list changes", () => {
    const [a, b, c] = targetsNamed("a b c");
    const it = stage("");
    it.replace([a!, b!]);
    serve(it, 30, "b");
    it.replace([c!, b!, a!]);
    expect(serve(it, 100, "b")["b"]).toBeUndefined();
    it.ports.clock.advance(30_000);
    expect(serve(it, 300, "b")["b"]).toBe(5);
    it.ports.clock.advance(30_000);
    expect(serve(it, 300, "b")["b"]).toBeUndefined();
  });
});

describe("how a try ends", () => {
  it("is told to every source of health", () => {
    const it = stagePool(targetsNamed("a"));
    for (const outcome of ["answered", "failed", "abandoned"] as const)
      it.pool.pick(exchange, [])!.end(5, outcome);
    expect(it.said.told).toEqual(["a answered", "a failed", "a abandoned"]);
  });

  it.each([
    { says: "as told", toldMs: 40, measured: 40 },
    { says: "no longer than since it began, where it is told the request's time", toldMs: 900, measured: 50 },
  ])("is told to the balancer: $says", ({ toldMs, measured }) => {
    const ends: unknown[] = [];
    const balancer: BalancerFactory = () => ({
      pick: () => 0,
      begin: (_index, withinMs) => withinMs,
      end: (...it) => void ends.push(it),
    });
    const it = stagePool(targetsNamed("a b"), {}, { balancer });
    const picked = it.pool.pick(exchange, [], 7000)!;
    it.ports.clock.advance(50);
    picked.end(toldMs, "abandoned");
    it.pool.pick(exchange, [])!.end(0, "answered");
    expect(ends).toEqual([
      [0, 7000, measured, "abandoned"],
      [0, 10_000, 0, "answered"],
    ]);
  });

  it("is no fault of the target where the gateway refused the request meanwhile", () => {
    const it = stagePool(targetsNamed("a"));
    const refused = { ...exchange };
    const { end } = it.pool.pick(refused, [])!;
    refused.problemCode = "body-too-large";
    end(5, "failed");
    expect(it.said.told).toEqual(["a abandoned"]);
  });

  it("reaches the books of the balancer that picked, and of the one that came after it", () => {
    const [a, b, c] = targetsNamed("a b c");
    const it = stagePool([a!, b!], {}, { balancer: leastRequest });
    const begun = Array.from({ length: 8 }, () => it.pool.pick(exchange, [])!);
    const open = (): string =>
      Array.from({ length: 4 }, () => it.pool.pick(exchange, [])!.target.name).join("");
    it.replace([a!, b!, c!]);
    it.said.ill.add("b");
    // Four are under way at a, none at c.
    expect(open()).toBe("cccc");
    it.said.ill.add("c").delete("b");
    for (const { target: at, end } of begun) if (at === b) end(1, "answered");
    it.said.ill.delete("c");
    it.said.ill.add("a");
    expect(open()).toBe("bbbb");
  });
});

describe("whatever happens", () => {
  const outcome = fc.constantFrom<TryOutcome>("answered", "failed", "abandoned");
  const event = fc.record({
    ill: fc.uniqueArray(fc.nat(7)),
    waitMs: fc.nat(3000),
    tries: fc.integer({ min: 1, max: 5 }),
    outcome: fc.option(outcome),
  });
  const life = fc.record({
    weights: fc.array(fc.constantFrom(0, 1, 1, 5), { minLength: 1, maxLength: 8 }),
    priorities: fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
    bound: fc.array(fc.constantFrom(true, true, true, false), { minLength: 8, maxLength: 8 }),
    threshold: fc.constantFrom(0, 0.1, 0.5, 0.7, 1),
    events: fc.array(event, { minLength: 1, maxLength: 15 }),
  });

  it.each(Object.keys(FACTORIES))("%s: who is picked may be, and none is ill without panic", (name) => {
    fc.assert(
      fc.property(life, ({ weights, priorities, bound, threshold, events }) => {
        const targets = weights.map((weight, at) =>
          target(`t${at}`, { weight, priority: priorities[at]!, ...(!bound[at] && { fetcher: undefined }) }),
        );
        const it = stagePool(
          targets,
          {
            panicThreshold: threshold,
            slowStartMs: 2000,
            balancer: { name: "test", by: "ip", fallback: "random" },
          },
          { balancer: FACTORIES[name]! },
        );
        for (const { ill, waitMs, tries, outcome: how } of events) {
          it.ports.clock.advance(waitMs);
          it.said.ill.clear();
          for (const at of ill) it.said.ill.add(`t${at}`);
          const taking = targets.filter(({ weight }) => weight > 0);
          const callable = taking.filter(({ fetcher }) => fetcher !== undefined);
          const isWell = (one: (typeof targets)[number]): boolean =>
            callable.includes(one) && !it.said.ill.has(one.name);
          const groups = [0, 1, 2].map((priority) => taking.filter((one) => one.priority === priority));
          const enough = groups.filter(
            (group) => group.some(isWell) && group.filter(isWell).length >= threshold * group.length - 1e-9,
          );
          const panics = enough.length === 0 && threshold > 0;
          const tried: typeof targets = [];
          for (let i = 0; i < tries; i++) {
            const picked = it.pool.pick(exchange, tried);
            const choice = panics ? callable : enough.length === 0 ? [] : callable.filter(isWell);
            if (picked === undefined) {
              expect(choice).toEqual([]);
              break;
            }
            expect(choice).toContain(picked.target);
            if (i === 0 && !panics) expect(enough[0]).toContain(picked.target);
            const untried = choice.filter((one) => !tried.includes(one));
            if (untried.length > 0) expect(untried).toContain(picked.target);
            else if (choice.length > 1) expect(picked.target).not.toBe(tried.at(-1));
            tried.push(picked.target);
            if (how !== null) picked.end(waitMs, how);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
