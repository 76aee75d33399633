import { describe, expect, it } from "vitest";
import { anyOf, didYouMean, nearestName, pathText } from "../../src/config/faults.ts";

describe("the name that was meant", () => {
  it.each([
    ["a letter too many", "upstreams", ["upstream", "policies"], "upstream"],
    ["two letters in the wrong order", "mian", ["main", "jobs"], "main"],
    ["another case", "RATELIMIT", ["rateLimit", "cors"], "rateLimit"],
    ["the nearest of several", "order", ["orders", "older"], "orders"],
    ["an exact one", "main", ["mainly", "main"], "main"],
    ["none that is far", "compression", ["cors", "cache"], undefined],
    ["none for a short word that has little in common", "by", ["key", "ip"], undefined],
    ["one slip in a short word", "uri", ["url", "keys"], "url"],
    ["none of none", "x", [], undefined],
  ])("%s", (_, name, names, expected) => {
    expect(nearestName(name, names)).toBe(expected);
    expect(didYouMean(name, names)).toBe(expected && `Did you mean "${expected}"?`);
  });
});

describe("words", () => {
  it.each([
    [[], "nothing"],
    [["a"], "a"],
    [["a", "b"], "a or b"],
    [["a", "b", "c"], "a, b or c"],
  ])("any of %j is %s", (names, text) => expect(anyOf(names)).toBe(text));

  it.each([
    [[], ""],
    [["gateway"], "gateway"],
    [["gateway", "policies", "rateLimit", "limits", 0, "key"], "gateway.policies.rateLimit.limits[0].key"],
  ])("the path %j is %s", (path, text) => expect(pathText(path)).toBe(text));
});
