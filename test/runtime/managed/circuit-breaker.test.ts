import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CircuitBreakerPlan } from "../../../src/core/upstream-plan.ts";
import { linkCircuitBreaker } from "../../../src/runtime/managed/circuit-breaker.ts";
import { FakeClock } from "../../support/ports.ts";

/** What the schema fills in. */
const DEFAULTS: CircuitBreakerPlan = { minimumRequests: 20, windowMs: 10_000, openMs: 10_000 };
const WITHIN_MS = 5000;

const stage = (plan: Partial<CircuitBreakerPlan>) => {
  const clock = new FakeClock();
  const breaker = linkCircuitBreaker({ ...DEFAULTS, ...plan }, clock);
  const enter = (withinMs = WITHIN_MS) => breaker.enter(withinMs);
  /** Lets a request in that must be, and answers how it leaves. */
  const into = (withinMs?: number): ((succeeded: boolean | undefined) => void) => {
    const entry = enter(withinMs);
    if (entry.outcome !== "in") throw new Error(`the breaker said ${entry.outcome}`);
    return entry.leave;
  };
  /** Requests one after another: they succeed (`s`), fail (`f`), or end for the client's sake (`c`). */
  const run = (ends: string): void => {
    for (const end of ends) into()(end === "s" ? true : end === "f" ? false : undefined);
  };
  return { clock, enter, into, run, says: (): string => enter().outcome };
};

const failing = { failureRatio: 0.5 };
const TWENTY = "sf".repeat(10);

describe("a breaker by requests under way", () => {
  it("lets as many in as may be under way, and the next when one has left", () => {
    const { into, says } = stage({ maxPending: 3 });
    const leave = [into(), into(), into()];
    expect(says()).toBe("busy");
    leave[1]!(true);
    into();
    expect(says()).toBe("busy");
  });

  it("gives the place back however a request ends", () => {
    const { into } = stage({ maxPending: 1 });
    for (const end of [true, false, undefined]) into()(end);
    into();
  });

  it.each([
    { waitMs: 4999, says: "busy" },
    { waitMs: 6000, says: "in" },
  ])(
    "a request that never leaves is forgotten after its time: $says after $waitMs ms",
    ({ waitMs, says }) => {
      const it = stage({ maxPending: 1 });
      it.into();
      it.clock.advance(waitMs);
      expect(it.says()).toBe(says);
    },
  );

  it("a request that leaves after it was forgotten gives back nobody's place", () => {
    const it = stage({ maxPending: 1 });
    const late = it.into();
    it.clock.advance(6000);
    it.into();
    late(true);
    expect(it.says()).toBe("busy");
  });

  it("never opens for failures where it was not told to", () => {
    const { run, says } = stage({ maxPending: 1 });
    run("f".repeat(100));
    expect(says()).toBe("in");
  });
});

describe("a breaker by failures", () => {
  it.each([
    { says: "stays closed below the ratio", ends: "s".repeat(11) + "f".repeat(10), outcome: "in" },
    { says: "opens at the ratio", ends: TWENTY, outcome: "open" },
    { says: "stays closed below the least number of requests", ends: "f".repeat(19), outcome: "in" },
    { says: "opens with it", ends: "f".repeat(20), outcome: "open" },
    { says: "does not count what ended for the client's sake", ends: "f".repeat(19) + "ccc", outcome: "in" },
    { says: "is opened by a failure only", ends: "f".repeat(10) + "s".repeat(10), outcome: "in" },
  ])("$says", ({ ends, outcome }) => {
    const { run, says } = stage(failing);
    run(ends);
    expect(says()).toBe(outcome);
  });

  it.each([
    { ratio: 0.07, of: 100, failures: 7 },
    { ratio: 0.29, of: 100, failures: 29 },
  ])("takes $ratio of $of for $failures", ({ ratio, of, failures }) => {
    const { run, says } = stage({ failureRatio: ratio, minimumRequests: of });
    run("s".repeat(of - failures) + "f".repeat(failures - 1));
    expect(says()).toBe("in");
    run("f");
    expect(says()).toBe("open");
  });

  it.each([
    { waitMs: 8900, outcome: "open" },
    { waitMs: 10_000, outcome: "in" },
  ])(
    "forgets failures after its window: 10 of them, $waitMs ms, 10 more: $outcome",
    ({ waitMs, outcome }) => {
      const { clock, run, says } = stage(failing);
      run("f".repeat(10));
      clock.advance(waitMs);
      run("f".repeat(10));
      expect(says()).toBe(outcome);
    },
  );

  it("forgets little by little", () => {
    const { clock, run, says } = stage(failing);
    run("f".repeat(15));
    clock.advance(5000);
    run("s".repeat(4));
    clock.advance(5000);
    run("s".repeat(16));
    run("f".repeat(19));
    expect(says()).toBe("in");
    run("f");
    expect(says()).toBe("open");
  });
});

describe("an open breaker", () => {
  const open = (plan: Partial<CircuitBreakerPlan> = {}) => {
    const it = stage({ ...failing, ...plan });
    it.run(TWENTY);
    return it;
  };

  it.each([
    { atMs: 0, seconds: 10 },
    { atMs: 1, seconds: 10 },
    { atMs: 1000, seconds: 9 },
    { atMs: 9999, seconds: 1 },
  ])("says after $atMs ms to come back in $seconds s", ({ atMs, seconds }) => {
    const { clock, enter } = open();
    clock.advance(atMs);
    expect(enter()).toEqual({ outcome: "open", seconds });
  });

  it("lets exactly one through when its time is over", () => {
    const { clock, enter } = open();
    clock.advance(10_000);
    expect(enter().outcome).toBe("in");
    for (let i = 0; i < 5; i++) expect(enter()).toEqual({ outcome: "open", seconds: 1 });
  });

  it("closes when the probe succeeds, and counts from nothing", () => {
    const { clock, run, says } = open({ openMs: 1000 });
    clock.advance(1000);
    run("s");
    run("f".repeat(19));
    expect(says()).toBe("in");
    run("f");
    expect(says()).toBe("open");
  });

  it("opens for as long again when the probe fails", () => {
    const { clock, enter, run, says } = open();
    clock.advance(10_000);
    const probe = enter();
    clock.advance(3000);
    if (probe.outcome === "in") probe.leave(false);
    expect(enter()).toEqual({ outcome: "open", seconds: 10 });
    clock.advance(9999);
    expect(says()).toBe("open");
    clock.advance(1);
    run("s");
    expect(says()).toBe("in");
    expect(says()).toBe("in");
  });

  it("does not wait for the time that a probe had which failed before it was over", () => {
    const { clock, into, says } = open();
    clock.advance(10_000);
    into(60_000)(false);
    clock.advance(10_000);
    expect(says()).toBe("in");
  });

  it("lets the next probe at once where one ended for the client's sake", () => {
    const { clock, run, says } = open();
    clock.advance(10_000);
    run("c");
    run("c");
    expect(says()).toBe("in");
    expect(says()).toBe("open");
  });

  it("forgets a probe that never leaves after its time", () => {
    const { clock, into, says } = open();
    clock.advance(10_000);
    into(5000);
    clock.advance(4999);
    expect(says()).toBe("open");
    clock.advance(1);
    expect(says()).toBe("in");
    expect(says()).toBe("open");
  });

  it.each([true, false])(
    "does not hear of a forgotten probe when the next one is under way: %s",
    (succeeded) => {
      const { clock, into, says } = open();
      clock.advance(10_000);
      const forgotten = into(5000);
      clock.advance(5000);
      const probe = into(5000);
      forgotten(succeeded);
      expect(says()).toBe("open");
      probe(true);
      expect(says()).toBe("in");
    },
  );

  it.each([true, false])("does not hear how requests end that came in before it opened: %s", (succeeded) => {
    const it = stage(failing);
    const before = Array.from({ length: 40 }, () => it.into());
    it.run(TWENTY);
    for (const leave of before.slice(0, 20)) leave(succeeded);
    expect(it.enter()).toEqual({ outcome: "open", seconds: 10 });
    it.clock.advance(10_000);
    it.run("s");
    for (const leave of before.slice(20)) leave(succeeded);
    expect(it.says()).toBe("in");
  });
});

describe("a breaker, whatever happens", () => {
  const event = fc.record({
    waitMs: fc.nat(3000),
    ends: fc.constantFrom(true, false, undefined, "never" as const),
    afterEvents: fc.nat(5),
  });

  it("never has more under way than it may, nor two probes, and comes back to rest", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(event, { maxLength: 100 }),
        (maxPending, events) => {
          const it = stage({ ...failing, maxPending, minimumRequests: 3 });
          const inside: {
            leave(succeeded: boolean | undefined): void;
            end: (typeof events)[number];
            left: number;
            atMs: number;
          }[] = [];
          for (const end of events) {
            it.clock.advance(end.waitMs);
            for (const one of inside.filter(({ left }) => left === 0)) {
              inside.splice(inside.indexOf(one), 1);
              if (one.end.ends !== "never") one.leave(one.end.ends);
            }
            for (const one of inside) one.left--;
            const entry = it.enter();
            if (entry.outcome === "open") expect(entry.seconds).toBeGreaterThanOrEqual(1);
            if (entry.outcome !== "in") continue;
            inside.push({ leave: entry.leave, end, left: end.afterEvents, atMs: it.clock.now() });
            const underWay = inside.filter(({ atMs }) => atMs + WITHIN_MS > it.clock.now());
            expect(underWay.length).toBeLessThanOrEqual(maxPending);
          }
          it.clock.advance(60_000);
          it.run("s");
          expect(Array.from({ length: maxPending }, () => it.says())).toEqual(
            new Array<string>(maxPending).fill("in"),
          );
          expect(it.says()).toBe("busy");
        },
      ),
    );
  });
});
