import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linkRegex } from "../../src/lib/regex/run.ts";
import { compileSearch } from "../../src/lib/regex/search.ts";

const matcher = (expression: string): ((text: string) => boolean) => {
  const compiled = compileSearch(expression);
  if ("faults" in compiled) throw new Error(JSON.stringify(compiled.faults));
  return linkRegex(compiled.regex);
};

describe("a search", () => {
  it.each([
    ["a", "u"],
    ["^a", "u"],
    ["a$", "u"],
    ["^a|b$", "u"],
    ["^(?:a|b)+$", "u"],
    ["^.$", "u"],
    ["^.{2}$", "u"],
    ["^[^a]{2}$", "u"],
    ["^\\D\\W\\S$", "u"],
    ["^[a\u{1f600}]$", "u"],
    ["\u{1f600}", "u"],
    ["\\u{1f600}{2}", "u"],
    ["^[\u{1f600}-\u{1f64f}]$", "u"],
    ["^[^\u{1f600}-\u{1f64f}]$", "u"],
    ["^\\p{L}+$", "u"],
    ["^[^\\p{Cc}\\s]+$", "u"],
    ["^\\P{L}$", "u"],
    ["^\\p{Script=Greek}", "u"],
    ["", "u"],
    ["^$", "u"],
    ["^[]$", "u"],
    ["\\-a", ""],
    ["^\u{1f600}$", "u"],
  ])("for %s tells what JavaScript's engine tells", (expression, flags) => {
    const matches = matcher(expression);
    const engine = new RegExp(expression, flags);
    const part = fc.constantFrom(
      "a",
      "b",
      "_",
      "\u{1f600}",
      "\u{1f602}",
      "\u{1f701}",
      "é",
      "α",
      "\n",
      " ",
      "1",
      "\u{10400}",
      "\u0001",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
        expect([parts, matches(parts.join(""))]).toEqual([parts, engine.test(parts.join(""))]);
      }),
    );
  });

  it.each([
    ["(?=a)", "lookahead"],
    ["(?<!a)b", "lookbehind"],
    ["\\bword", "word-boundary"],
    ["(a)\\1", "backreference"],
    ["(?i:a)", "multiline"],
    ["a^", "inner-anchor"],
    ["(", "bad-syntax"],
    ["a".repeat(2_000), "too-long"],
    ["^(?:[a-z]{1,900}[0-9]{1,900}){1,9}$", "too-large"],
  ])("for %s is refused: %s", (expression, reason) => {
    const compiled = compileSearch(expression);
    expect("faults" in compiled && compiled.faults[0]!.reason).toBe(reason);
  });
});
