import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration, parsePercent, parseRate, parseSize } from "../../src/lib/quantities.ts";

describe("durations", () => {
  it.each([
    ["250ms", 250],
    ["5s", 5000],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["30d", 2_592_000_000],
    ["0s", 0],
    ["1.5s", 1500],
    ["0.25h", 900_000],
  ])("%s is %d milliseconds", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    ...[
      "",
      "5",
      "s",
      "5 s",
      "5S",
      "5sec",
      "5M",
      "1w",
      "1y",
      "-5s",
      "+5s",
      "1h30m",
      ".5s",
      "5.s",
      "1e3s",
      "0x5s",
    ],
    ...["1.0005s", "0.1ms", "9007199254740993ms", "999999999999d", "5s\n", " 5s", "٥s", "Infinitys", "NaNs"],
  ])("%j is none", (text) => expect(parseDuration(text)).toBeUndefined());

  it("whole numbers of a unit are exact", () =>
    fc.assert(
      fc.property(fc.nat(1_000_000), (number) => {
        expect(parseDuration(`${number}s`)).toBe(number * 1000);
        expect(parseSize(`${number}KiB`)).toBe(number * 1024);
      }),
    ));
});

describe("sizes", () => {
  it.each([
    ["512B", 512],
    ["64KiB", 65_536],
    ["10MiB", 10_485_760],
    ["1GiB", 1_073_741_824],
    ["1.5KiB", 1536],
    ["0B", 0],
  ])("%s is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["", "10", "10K", "10KB", "10MB", "10kib", "10 MiB", "-1B", "1.5B", "0.3KiB", "1TiB"])(
    "%j is none",
    (text) => expect(parseSize(text)).toBeUndefined(),
  );
});

describe("percentages", () => {
  it.each([
    ["0%", 0],
    ["10%", 0.1],
    ["12.5%", 0.125],
    ["100%", 1],
  ])("%s is %d", (text, part) => expect(parsePercent(text)).toBe(part));

  it.each(["", "%", "10", "0.1", "-1%", "100.1%", "101%", "10 %", "10%%"])("%j is none", (text) =>
    expect(parsePercent(text)).toBeUndefined(),
  );
});

describe("rates", () => {
  it.each([
    ["600/1m", 600, 60_000],
    ["1/100ms", 1, 100],
    ["20/5m", 20, 300_000],
    ["50000/1h", 50_000, 3_600_000],
  ])("%s is %d in %d milliseconds", (text, quantity, windowMs) =>
    expect(parseRate(text)).toEqual({ quantity, windowMs }),
  );

  it.each([
    "",
    "600",
    "/1m",
    "600/",
    "0/1m",
    "600/0s",
    "1.5/1m",
    "-1/1m",
    "600/m",
    "600 / 1m",
    "1/1m/1m",
    "600/month",
  ])("%j is none", (text) => expect(parseRate(text)).toBeUndefined());
});
