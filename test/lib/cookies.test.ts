import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cookieValue } from "../../src/lib/cookies.ts";

describe("cookieValue", () => {
  it.each([
    ["session=1", "session", "1"],
    ["a=1; session=2; b=3", "session", "2"],
    ["a=1;session=2;b=3", "session", "2"],
    [" \t session \t=\t 2 \t; b=3", "session", "2"],
    ["session=", "session", ""],
    ["session=  ; b=3", "session", ""],
    ["session=a=b==", "session", "a=b=="],
    ['session="1 2"', "session", '"1 2"'],
    ["session=%20", "session", "%20"],
    ["session=first; session=second", "session", "first"],
    ["session; session=2", "session", "2"],
    [";;; session=2", "session", "2"],
    ["a=1; session=2;", "session", "2"],
  ])("%j holds %s = %j", (header, name, value) => {
    expect(cookieValue(header, name)).toBe(value);
  });

  it.each([
    [null, "session"],
    [undefined, "session"],
    ["", "session"],
    ["Session=1", "session"],
    ["sessions=1", "session"],
    ["xsession=1", "session"],
    ["a=session=1", "session"],
    ["session", "session"],
    ["session ;=1", "session"],
    ["sess", "session"],
    ["=1", ""],
    ["a=1; b=2", "session"],
  ])("%j does not hold %j", (header, name) => {
    expect(cookieValue(header, name)).toBeUndefined();
  });

  it("finds every cookie of a list, whatever stands beside it", () => {
    const name = fc.stringMatching(/^[a-z_-]{1,4}$/);
    const value = fc.stringMatching(/^[A-Za-z0-9=%"+/]{0,6}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.constantFrom(";", "; ", " ;\t"), (pairs, separator) => {
        const header = pairs.map(([key, text]) => `${key}=${text}`).join(separator);
        const first = new Map(pairs.toReversed());
        for (const [key] of pairs) expect(cookieValue(header, key)).toBe(first.get(key));
        expect(cookieValue(header, "absent")).toBeUndefined();
      }),
    );
  });

  it.each([
    { what: "separators", header: ";".repeat(1_000_000) },
    { what: "names without a value", header: "a;".repeat(500_000) },
    { what: "blanks", header: " ".repeat(1_000_000) },
    { what: "near misses", header: "session ".repeat(100_000) },
  ])("a field of nothing but $what is read once", ({ header }) => {
    const started = performance.now();
    expect(cookieValue(header, "session")).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(500);
  });
});
