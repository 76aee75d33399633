import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { equal } from "../../../src/policies/body/equality.ts";

describe("equality (RFC 6902 section 4.6)", () => {
  it.each([
    ["1", "1.0"],
    ["1", "1e0"],
    ["100", "1E2"],
    ["0.00120", "12e-4"],
    ["-1.5", "-15e-1"],
    ["0", "-0"],
    ["0", "0.000e9"],
    ["12345678901234567890", "1.234567890123456789e19"],
    ['"a"', '"\\u0061"'],
    ['"\\/"', '"/"'],
    ['{"a":1,"b":[1,2]}', '{ "b" : [1.0,2], "a" : 1 }'],
    ['{"\\u0061":1}', '{"a":1}'],
    ["[]", "[ ]"],
    ["{}", "{ }"],
    ["null", "null"],
    ['{"__proto__":1}', '{"__proto__":1}'],
  ])("%s equals %s", (one, other) => {
    expect([equal(one, other), equal(other, one)]).toEqual([true, true]);
  });

  it.each([
    ["12345678901234567890", "12345678901234567891"],
    ["0.1", "0.1000000000000000055511151231257827"],
    ["1", "-1"],
    ["1", "10"],
    ["1", '"1"'],
    ["1", "true"],
    ["null", "false"],
    ['"a"', '"A"'],
    ["[1,2]", "[2,1]"],
    ["[1]", "[1,1]"],
    ["[]", "{}"],
    ['{"a":1}', '{"a":1,"b":2}'],
    ['{"a":1}', '{"b":1}'],
    ["{}", '{"__proto__":{}}'],
    ['{"a":1,"a":1}', '{"a":1}'],
    ["[1]", "1"],
  ])("%s does not equal %s", (one, other) => {
    expect([equal(one, other), equal(other, one)]).toEqual([false, false]);
  });

  it("agrees with doubles where these are exact", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 6 }), (whole, zeros) => {
        expect(equal(String(whole), `${whole}.${"0".repeat(zeros + 1)}`)).toBe(true);
        expect(equal(String(whole), `${whole}${"0".repeat(zeros)}e-${zeros}`)).toBe(true);
        expect(equal(String(whole), String(whole + 1))).toBe(whole === whole + 1);
      }),
    );
  });

  it("costs no more for many zeros (S24)", () => {
    const begun = performance.now();
    expect(equal(`1${"0".repeat(500_000)}1`, "1")).toBe(false);
    expect(performance.now() - begun).toBeLessThan(200);
  });
});
