import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHttpDate, parseHttpDate } from "../../../src/lib/http/dates.ts";

const NOW = Date.UTC(2026, 0, 1);
const MOMENT = Date.UTC(2050, 7, 18, 2, 1, 18);

describe("an HTTP-date (RFC 9110 section 5.6.7)", () => {
  it.each<[string, string, number | undefined]>([
    ["IMF-fixdate", "Thu, 18 Aug 2050 02:01:18 GMT", MOMENT],
    ["RFC 850", "Thursday, 18-Aug-50 02:01:18 GMT", MOMENT],
    [
      "RFC 850 more than 50 years ahead lies in the past",
      "Thursday, 18-Aug-94 02:01:18 GMT",
      Date.UTC(1994, 7, 18, 2, 1, 18),
    ],
    ["asctime", "Thu Aug 18 02:01:18 2050", MOMENT],
    ["asctime with a day of one digit", "Sun Nov  6 08:49:37 1994", Date.UTC(1994, 10, 6, 8, 49, 37)],
    ["day of the week in capitals", "THU, 18 Aug 2050 02:01:18 GMT", MOMENT],
    ["month in capitals", "Thu, 18 AUG 2050 02:01:18 GMT", MOMENT],
    ["zone in mixed case", "Thu, 18 Aug 2050 02:01:18 gMT", MOMENT],
    ["a leap second", "Sat, 31 Dec 2016 23:59:60 GMT", Date.UTC(2016, 11, 31, 23, 59, 59)],
    ["another zone", "Thu, 18 Aug 2050 02:01:18 UTC", undefined],
    ["an offset", "Thu, 18 Aug 2050 02:01:18 +0000", undefined],
    ["year of two digits", "Thu, 18 Aug 50 02:01:18 GMT", undefined],
    ["no comma", "Thu 18 Aug 2050 02:01:18 GMT", undefined],
    ["several blanks", "Thu, 18  Aug  2050 02:01:18 GMT", undefined],
    ["dashes in the date", "Thu, 18-Aug-2050 02:01:18 GMT", undefined],
    ["periods in the time", "Thu, 18 Aug 2050 02.01.18 GMT", undefined],
    ["hour of one digit", "Thu, 18 Aug 2050 2:01:18 GMT", undefined],
    ["a month that there is not", "Thu, 18 Foo 2050 02:01:18 GMT", undefined],
    ["a day that there is not", "Thu, 31 Feb 2050 02:01:18 GMT", undefined],
    ["an hour that there is not", "Thu, 18 Aug 2050 24:01:18 GMT", undefined],
    ["0", "0", undefined],
    ["nothing", "", undefined],
    ["two of them", "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT", undefined],
  ])("%s: %s", (_sentence, text, ms) => {
    expect(parseHttpDate(text, NOW)).toBe(ms);
  });

  it("comes back from its own text", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253402300799 }), (seconds) => {
        expect(parseHttpDate(formatHttpDate(seconds * 1000), NOW)).toBe(seconds * 1000);
      }),
    );
  });
});
