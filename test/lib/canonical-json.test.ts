import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/lib/canonical-json.ts";

describe("canonical JSON", () => {
  it.each([
    ["keys are sorted at every depth", { b: { d: 1, c: 2 }, a: 0 }, '{"a":0,"b":{"c":2,"d":1}}'],
    ["lists keep their order", [3, 1, 2], "[3,1,2]"],
    ["undefined members are left out", { a: undefined, b: null }, '{"b":null}'],
    ["undefined in a list is null, as in JSON", [undefined], "[null]"],
    ["texts are escaped", { 'a"\n': "\u0000" }, '{"a\\"\\n":"\\u0000"}'],
    ["capitals come before small letters", { a: 1, B: 2 }, '{"B":2,"a":1}'],
    ["numbers are as JSON has them", [1e21, 0.1, -0], "[1e+21,0.1,0]"],
  ])("%s", (_, value, text) => expect(canonicalJson(value)).toBe(text));

  it("is JSON, and says the same", () =>
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    ));

  it("does not show the order in which members were added", () =>
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(canonicalJson(value));
      }),
    ));
});
