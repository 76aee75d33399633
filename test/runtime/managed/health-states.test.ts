import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TargetState } from "../../../src/core/health.ts";
import { afterCheck, statesOf } from "../../../src/runtime/managed/health-states.ts";
import type { LinkedTarget } from "../../../src/runtime/upstream.ts";

const FRESH: TargetState = { address: "http://a", isHealthy: true, contrary: 0 };

/** Checks as letters, `p` for passed and `f` for failed, and after each of them whether the target is in (`+`) or out (`-`). */
const course = (checks: string, unhealthyAfter: number, healthyAfter: number): string => {
  let state = FRESH;
  return [...checks]
    .map((check) => {
      state = afterCheck(state, check === "p", { unhealthyAfter, healthyAfter });
      return state.isHealthy ? "+" : "-";
    })
    .join("");
};

describe("a target", () => {
  it.each([
    ["begins healthy, and stays so while it passes", "pppp", 3, 2, "++++"],
    ["is taken out by the third failure in a row", "fff", 3, 2, "++-"],
    ["is not by two, however often they come", "ffpffpffp", 3, 2, "+++++++++"],
    ["is not by failures that are not in a row", "fpfpfpfp", 3, 2, "++++++++"],
    ["is taken back in by the second pass in a row", "fffpp", 3, 2, "++--+"],
    ["is not by one", "fffpfpfpf", 3, 2, "++-------"],
    ["stays out while it fails", "fffffff", 3, 2, "++-----"],
    ["needs as many failures again once it is back", "fffppffpfff", 3, 2, "++--++++++-"],
    ["is taken out at once where one failure is enough", "pfp", 1, 2, "+--"],
    ["is taken back at once where one pass is enough", "fp", 1, 1, "-+"],
    ["may need many passes", "fpppp", 1, 4, "----+"],
  ])("%s: %s", (_, checks, unhealthyAfter, healthyAfter, expected) => {
    expect(course(checks, unhealthyAfter, healthyAfter)).toBe(expected);
  });

  it("changes only at the end of a run that is long enough, and always there", () => {
    const checks = fc.array(fc.constantFrom("p", "f"), { maxLength: 40 });
    const limits = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(checks, limits, limits, (list, unhealthyAfter, healthyAfter) => {
        const states = `+${course(list.join(""), unhealthyAfter, healthyAfter)}`;
        for (let at = 1; at < states.length; at++) {
          const wasIn = states[at - 1] === "+";
          const [agreeing, changed, limit] = wasIn
            ? (["p", "-", unhealthyAfter] as const)
            : (["f", "+", healthyAfter] as const);
          // Checks since it was last otherwise, beginning with the one that changed it; and how many at their end disagree.
          const since = list.slice(Math.max(0, states.lastIndexOf(changed, at - 1)), at);
          const run = since.length - 1 - since.lastIndexOf(agreeing);
          expect(states[at] !== states[at - 1]).toBe(run >= limit);
        }
      }),
    );
  });

  it("whose state does not change is the same object, so that nothing is stored", () => {
    expect(afterCheck(FRESH, true, { unhealthyAfter: 3, healthyAfter: 2 })).toBe(FRESH);
  });
});

describe("the states of targets", () => {
  const target = (name: string, origin = "http://a", basePath = ""): LinkedTarget => ({
    name,
    origin,
    basePath,
    weight: 1,
    priority: 0,
    scheme: "http",
    fetcher: undefined,
  });
  const out: TargetState = { address: "http://a", isHealthy: false, contrary: 1 };

  it("are kept while name and address stay", () => {
    expect(statesOf([target("a")], { a: out })).toEqual({ a: out });
  });

  it.each([
    ["origin", target("a", "http://b"), "http://b"],
    ["path", target("a", "http://a", "/v2"), "http://a/v2"],
  ])("begin anew where another %s stands behind the name", (_, moved, address) => {
    expect(statesOf([moved], { a: out })).toEqual({ a: { address, isHealthy: true, contrary: 0 } });
  });

  it("are forgotten with their targets", () => {
    expect(Object.keys(statesOf([target("b")], { a: out }))).toEqual(["b"]);
  });

  it("begin as the caller says where nothing is known", () => {
    const states = statesOf([target("a"), target("b"), target("c")], { a: out }, (name) => name !== "b");
    expect(Object.entries(states).map(([name, { isHealthy }]) => [name, isHealthy])).toEqual([
      ["a", false],
      ["b", false],
      ["c", true],
    ]);
  });

  it.each(["toString", "__proto__", "constructor"])(
    "are no one else's for a target that is named %s",
    (name) => {
      const states = statesOf([target(name)], {});
      expect(Object.getOwnPropertyDescriptor(states, name)?.value).toEqual({ ...FRESH });
    },
  );
});
