import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cacheControlOf, varyOf } from "../../../src/runtime/aggregate/freshness.ts";

const part = (cacheControl: string, more: Record<string, string> = {}): Headers =>
  new Headers(cacheControl === "" ? more : { "cache-control": cacheControl, ...more });

describe("Cache-Control of an answer that is made of two", () => {
  it.each([
    ["none where none says anything", "", "", undefined],
    ["the shortest lifetime", "max-age=60", "max-age=10", "max-age=10"],
    ["no storing where one forbids it", "max-age=60", "no-store", "no-store"],
    ["private where one is", "max-age=60", "private, max-age=10", "private, max-age=10"],
    ["private where one is so for a field", "max-age=60", 'private="x", max-age=90', "private, max-age=60"],
    ["public where both are", "public, max-age=60", "public, max-age=90", "public, max-age=60"],
    ["not public where only one is", "public, max-age=60", "max-age=90", "max-age=60"],
    ["asking again where one wants it", "max-age=60", "no-cache, max-age=90", "no-cache, max-age=60"],
    ["asking again where only one names a lifetime", "max-age=60", "", "no-cache"],
    ["asking again where only one names a shared one", "s-maxage=60", "", "no-cache"],
    [
      "shared lifetimes where both have them",
      "s-maxage=60",
      "s-maxage=90, max-age=5",
      "max-age=5, s-maxage=60",
    ],
    ["one for all where only one tells shared caches", "s-maxage=5, max-age=60", "max-age=90", "max-age=5"],
    ["no shared lifetime where one is private", "s-maxage=60", "private, s-maxage=9", "private, max-age=9"],
    [
      "checks where both want them",
      "must-revalidate, max-age=60",
      "must-revalidate, max-age=9",
      "must-revalidate, max-age=9",
    ],
    [
      "checks where one wants them, for private caches alone",
      "must-revalidate, max-age=60",
      "max-age=9",
      "private, must-revalidate, max-age=9",
    ],
    ["nothing of staleness", "max-age=9, stale-if-error=60", "max-age=9, immutable", "max-age=9"],
    ["no lifetime where one contradicts itself", "max-age=60", "max-age=9, max-age=10", "max-age=0"],
    ["no lifetime where one is not a number", "max-age=60", "max-age=x", "max-age=0"],
  ])("%s", (_, one, other, expected) => {
    expect(cacheControlOf([part(one), part(other)])).toBe(expected);
    // The order of parts is of no account.
    expect(cacheControlOf([part(other), part(one)])).toBe(expected);
  });

  it.each([
    ["what it has spent in caches is taken off", { age: "50" }, "max-age=10"],
    ["and no more than there is", { age: "500" }, "max-age=0"],
    ["a wrong age counts for nothing", { age: "x" }, "max-age=60"],
    ["a cookie is one caller's", { "set-cookie": "a=b" }, "private, max-age=60"],
    [
      "a field for some shared caches alone is kept from all",
      { "cdn-cache-control": "no-store" },
      "private, max-age=60",
    ],
    ["a date of expiry counts only without max-age", { expires: "0" }, "max-age=60"],
  ])("of one part: %s", (_, fields, expected) => {
    expect(cacheControlOf([part("max-age=60", fields), part("max-age=99")])).toBe(expected);
  });

  it("takes a date of expiry for past", () => {
    expect(cacheControlOf([part("", { expires: "Thu, 01 Jan 2099 00:00:00 GMT" }), part("max-age=9")])).toBe(
      "max-age=0",
    );
  });

  const directive = fc.constantFrom(
    "no-store",
    "no-cache",
    "private",
    "public",
    "must-revalidate",
    "max-age=0",
    "max-age=5",
    "max-age=60",
    "s-maxage=3",
    "s-maxage=90",
  );
  const written = fc.uniqueArray(directive, { maxLength: 4 }).map((list) => list.join(", "));
  const has = (text: string | undefined, name: string): boolean =>
    (text ?? "").split(", ").some((member) => member.split("=")[0] === name);
  const seconds = (text: string, name: string): number =>
    Math.min(
      ...[...text.matchAll(new RegExp(`(?:^|, )${name}=(\\d+)`, "g"))].map(([, value]) => Number(value)),
    );

  it("never allows what a part forbids, and never outlives one", () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 4 }), (list) => {
        const whole = cacheControlOf(list.map((text) => part(text)));
        const some = (name: string): boolean => list.some((text) => has(text, name));
        const all = (name: string): boolean => list.every((text) => has(text, name));
        if (some("no-store")) {
          expect(whole).toBe("no-store");
          return;
        }
        if (some("private")) expect(has(whole, "private")).toBe(true);
        if (some("no-cache")) expect(has(whole, "no-cache")).toBe(true);
        if (some("must-revalidate")) expect(has(whole, "must-revalidate")).toBe(true);
        for (const name of ["public", "s-maxage"]) if (!all(name)) expect(has(whole, name)).toBe(false);
        // What opens an answer to shared caches is said only where every part says so.
        if (has(whole, "must-revalidate") && !all("must-revalidate"))
          expect(has(whole, "private")).toBe(true);
        for (const text of list) {
          const own = Math.min(
            seconds(text, "max-age"),
            has(whole, "s-maxage") ? Infinity : seconds(text, "s-maxage"),
          );
          if (has(whole, "max-age")) expect(seconds(whole!, "max-age")).toBeLessThanOrEqual(own);
        }
      }),
    );
  });
});

describe("Vary of an answer that is made of two", () => {
  it.each([
    ["none", "", "", undefined],
    ["of both, once each, in lower case", "X-A, x-b", "x-B,x-c", "x-a, x-b, x-c"],
    ["everything where one varies by everything", "x-a", "*", "*"],
    ["not by what the gateway writes itself", "Accept, Accept-Encoding, x-a", "", "x-a"],
  ])("%s", (_, one, other, expected) => {
    expect(varyOf([part("", { vary: one }), part("", { vary: other })])).toBe(expected);
  });
});
