import { describe, expect, it } from "vitest";
import { type ByteRange, singleRange } from "../../../src/lib/http/byte-ranges.ts";
import { fieldsOf, secondsOf } from "../../../src/lib/http/cache-control.ts";
import { noneMatchNames, stronglyEqual, weaklyEqual } from "../../../src/lib/http/entity-tags.ts";
import { removeHopByHop } from "../../../src/lib/http/hop-by-hop.ts";
import { parseTargetedDirectives } from "../../../src/lib/http/targeted-cache-control.ts";

describe("a Range field against ten bytes (RFC 9110 section 14.1.2)", () => {
  it.each<[string, ByteRange | "unsatisfiable" | undefined]>([
    ["bytes=0-1", { first: 0, last: 1 }],
    ["Bytes=0-1", { first: 0, last: 1 }],
    ["bytes=0-0", { first: 0, last: 0 }],
    ["bytes=9-9", { first: 9, last: 9 }],
    ["bytes=1-", { first: 1, last: 9 }],
    ["bytes=5-99", { first: 5, last: 9 }],
    ["bytes=-1", { first: 9, last: 9 }],
    ["bytes=-99", { first: 0, last: 9 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=10-12", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-4", undefined],
    ["bytes=-", undefined],
    ["bytes=0-1,3-4", undefined],
    ["bytes=a-b", undefined],
    ["bytes = 0-1", undefined],
    ["items=0-1", undefined],
    ["", undefined],
  ])("%s", (field, range) => {
    expect(singleRange(field, 10)).toEqual(range);
  });

  it("is unsatisfiable whatever it asks of an empty body", () => {
    expect(singleRange("bytes=0-", 0)).toBe("unsatisfiable");
    expect(singleRange("bytes=-5", 0)).toBe("unsatisfiable");
  });
});

describe("If-None-Match (RFC 9110 section 13.1.2)", () => {
  it.each<[string, string, string | null, boolean]>([
    ["the same tag", '"a"', '"a"', true],
    ["a weak tag for a strong one", 'W/"a"', '"a"', true],
    ["a strong tag for a weak one", '"a"', 'W/"a"', true],
    ["the first of several", '"a", "b", "c"', '"a"', true],
    ["one in the middle", '"a", "b", "c"', '"b"', true],
    ["the last of several", '"a","b","c"', '"c"', true],
    ["a tag with a comma in it", '"a,b", "c"', '"a,b"', true],
    ["anything, of what has a tag", "*", '"a"', true],
    ["anything, of what has none", "*", null, true],
    ["another tag", '"b"', '"a"', false],
    ["a tag without quotes", "a", '"a"', false],
    ["a tag, of what has none", '"a"', null, false],
    ["other case", '"A"', '"a"', false],
    ["nothing", "", '"a"', false],
  ])("%s", (_sentence, field, tag, matches) => {
    expect(noneMatchNames(field, tag)).toBe(matches);
  });

  it("compares weakly and strongly as section 8.8.3.2 has it", () => {
    const table = [
      ['W/"1"', 'W/"1"', false, true],
      ['W/"1"', 'W/"2"', false, false],
      ['W/"1"', '"1"', false, true],
      ['"1"', '"1"', true, true],
    ] as const;
    for (const [one, other, strong, weak] of table) {
      expect(stronglyEqual(one, other)).toBe(strong);
      expect(weaklyEqual(one, other)).toBe(weak);
    }
  });
});

describe("CDN-Cache-Control is a Dictionary (RFC 9213 section 2.1)", () => {
  it.each<[string, string, number | undefined]>([
    ["a number", "max-age=3600", 3600],
    ["with an unknown member before it", "foobar, max-age=3600", 3600],
    ["with parameters", "max-age=3600;a;b=1, must-revalidate", 3600],
    ["the last of two counts", "max-age=1, max-age=3600", 3600],
    ["a large one", "max-age=99999999999", 2147483648],
    ["false is absence", "no-store=?0, max-age=60", 60],
  ])("%s: %s", (_sentence, field, seconds) => {
    const directives = parseTargetedDirectives(field)!;
    expect(secondsOf(directives, "max-age")).toBe(seconds);
    expect(directives.has("no-store")).toBe(false);
  });

  it.each([
    ["empty", ""],
    ["blank", "  "],
    ["an item that is none", "max-age=10000, &&&&&"],
    ["a lifetime of the wrong type", 'max-age="10000"'],
    ["a negative lifetime", "max-age=-1"],
    ["a name in capitals", "MaX-aGe=3600"],
    ["a blank before the sign", "max-age =100"],
    ["a blank after the sign", "max-age= 100"],
    ["a comma at the end", "max-age=100,"],
    ["a quote that does not close", 'a="b, max-age=100'],
  ])("is ignored when it is not good: %s", (_sentence, field) => {
    expect(parseTargetedDirectives(field)).toBeUndefined();
  });

  it("limits private to fields, too", () => {
    expect(fieldsOf(parseTargetedDirectives('private="a, b", max-age=1')!, "private")).toEqual(["a", "b"]);
    expect(fieldsOf(parseTargetedDirectives("private")!, "private")).toBe("all");
  });
});

it("fields of the connection go, and those that Connection names (RFC 9110 section 7.6.1)", () => {
  const headers = new Headers({
    connection: "a, B, not a name, close",
    a: "1",
    b: "2",
    c: "3",
    "keep-alive": "timeout=5",
    "proxy-authenticate": "Basic",
    te: "trailers",
    "transfer-encoding": "chunked",
    upgrade: "h2c",
  });
  removeHopByHop(headers);
  expect([...headers.keys()]).toEqual(["c"]);
});
