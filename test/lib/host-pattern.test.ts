import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type HostPattern,
  hostCovers,
  hostSpecificity,
  parseHostPattern,
} from "../../src/lib/host-pattern.ts";

describe("patterns", () => {
  it.each<[string, HostPattern]>([
    ["api.example.com", { kind: "exact", text: "api.example.com" }],
    ["API.Example.COM", { kind: "exact", text: "api.example.com" }],
    ["localhost", { kind: "exact", text: "localhost" }],
    ["127.0.0.1", { kind: "exact", text: "127.0.0.1" }],
    ["[::1]", { kind: "exact", text: "[::1]" }],
    ["xn--mnchen-3ya.de", { kind: "exact", text: "xn--mnchen-3ya.de" }],
    ["*", { kind: "any", text: "*" }],
    ["*.example.com", { kind: "suffix", text: ".example.com", many: true }],
    ["*.Example.com", { kind: "suffix", text: ".example.com", many: true }],
    [
      "{tenant}.shop.example.com",
      { kind: "suffix", text: ".shop.example.com", many: false, param: "tenant" },
    ],
    ["{Tenant_1}.x", { kind: "suffix", text: ".x", many: false, param: "Tenant_1" }],
  ])("%s", (text, pattern) => expect(parseHostPattern(text)).toEqual(pattern));

  it.each([
    ...["", ".", "api.example.com.", ".example.com", "api..example.com", "-a.example.com", "a-.example.com"],
    ...["https://api.example.com", "api.example.com:8443", "api.example.com/v1", "user@api.example.com"],
    ...[
      "*example.com",
      "api.*.com",
      "**.example.com",
      "*.*.example.com",
      "{}.example.com",
      "{a.b}.example.com",
    ],
    ...[
      "{1a}.example.com",
      "x{tenant}.example.com",
      "api.{tenant}.com",
      "{tenant}",
      "*.",
      "api_1.example.com",
    ],
    ...["münchen.de", "a b.com", `${"a".repeat(64)}.com`, "{tenant}.", "{tenant}.-x"],
  ])("%j is none", (text) => expect(parseHostPattern(text)).toBeUndefined());
});

const parse = (text: string): HostPattern => parseHostPattern(text)!;

describe("specificity", () => {
  it.each([
    ["exact goes before a wildcard", "a.example.com", "*.example.com"],
    ["a longer wildcard goes first", "*.shop.example.com", "*.example.com"],
    ["one label goes before many", "{x}.example.com", "*.example.com"],
    ["a longer wildcard goes before a shorter parameter", "*.shop.example.com", "{x}.example.com"],
    ["anything goes before everything", "*.x", "*"],
    ["a short exact host goes before a long wildcard", "a.b", "*.a.very.long.domain.example.com"],
  ])("%s", (_, first, second) =>
    expect(hostSpecificity(parse(first))).toBeGreaterThan(hostSpecificity(parse(second))),
  );
});

describe("covering", () => {
  it.each([
    ["*", "api.example.com", true],
    ["*", "*", true],
    ["*.example.com", "*", false],
    ["api.example.com", "api.example.com", true],
    ["api.example.com", "www.example.com", false],
    ["*.example.com", "api.example.com", true],
    ["*.example.com", "a.b.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "evil-example.com", false],
    ["*.example.com", "*.shop.example.com", true],
    ["*.example.com", "{x}.example.com", true],
    ["*.shop.example.com", "*.example.com", false],
    ["{x}.example.com", "api.example.com", true],
    ["{x}.example.com", "a.b.example.com", false],
    ["{x}.example.com", "example.com", false],
    ["{x}.example.com", "{y}.example.com", true],
    ["{x}.example.com", "*.example.com", false],
    ["{x}.example.com", "{y}.shop.example.com", false],
    ["api.example.com", "*.example.com", false],
  ])("%s covers %s: %s", (wide, narrow, expected) =>
    expect(hostCovers(parse(wide), parse(narrow))).toBe(expected),
  );

  const label = fc.constantFrom("a", "b", "shop");
  const patterns = fc
    .tuple(fc.constantFrom("", "*.", "{x}."), fc.array(label, { minLength: 1, maxLength: 3 }))
    .map(([first, labels]) => parse(first + labels.join(".")));

  it("what is covered is at most as wide", () =>
    fc.assert(
      fc.property(patterns, patterns, (one, other) => {
        if (hostCovers(one, other))
          expect(hostSpecificity(other)).toBeGreaterThanOrEqual(hostSpecificity(one));
      }),
    ));

  it("whatever covers what covers something covers it", () =>
    fc.assert(
      fc.property(patterns, patterns, patterns, (one, two, three) => {
        if (hostCovers(one, two) && hostCovers(two, three)) expect(hostCovers(one, three)).toBe(true);
      }),
      { numRuns: 1000 },
    ));
});
