import ajvFormats from "ajv-formats/dist/formats.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NUMBER_FORMATS, TEXT_FORMATS } from "../../src/compiler/validators/formats.ts";
import { characters, isEqual, isMultiple, isUnique } from "../../src/lib/json-schema/values.ts";

/** Texts of each format that fit, and that do not. */
const TABLE: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  date: [
    ["2024-02-29", "2000-02-29", "1963-06-19"],
    [
      "2023-02-29",
      "1900-02-29",
      "2024-13-01",
      "2024-00-10",
      "2024-1-1",
      "24-01-01",
      "2024-01-32",
      "2024-04-31",
      "",
    ],
  ],
  time: [
    ["08:30:06Z", "08:30:06.283185z", "23:59:60Z", "01:29:60+01:30", "15:59:60-08:00"],
    [
      "24:00:00Z",
      "08:60:06Z",
      "08:30:06",
      "8:30:06Z",
      "22:59:60Z",
      "01:02:03+24:00",
      "01:02:03+00:60",
      "01:02:61Z",
      "",
    ],
  ],
  "date-time": [
    ["1963-06-19T08:30:06.283185Z", "1990-12-31T23:59:60Z", "1990-12-31t15:59:60-08:00"],
    [
      "1990-02-31T15:59:59Z",
      "1963-06-19 08:30:06Z",
      "1963-06-19",
      "T08:30:06Z",
      "1998-12-31T23:58:60Z",
      "2013-350T01:01:01Z",
    ],
  ],
  duration: [
    ["P4DT12H30M5S", "P4Y", "PT0S", "P0D", "P1M", "PT36H", "P1DT12H", "P2W"],
    ["P", "PT", "P1", "PT1D", "P2D1Y", "P1D2H", "P2S", "P1Y2W", "4DT", "", "P1YT"],
  ],
  email: [
    [
      "joe.bloggs@example.com",
      "te~st@example.com",
      "~t@example.com",
      "a+b@c",
      '"joe bloggs"@example.com',
      "joe@[127.0.0.1]",
      "joe@[IPv6:::1]",
    ],
    [
      "2962",
      ".test@example.com",
      "test.@example.com",
      "te..st@example.com",
      "@example.com",
      "a@",
      "a@b@c",
      "joe@[127.0.0.300]",
      "joe bloggs@example.com",
      "joe@-x.com",
    ],
  ],
  hostname: [
    ["www.example.com", "xn--4gbwdl.xn--wgbh1c", "a-b", "1host", `${"a".repeat(63)}.com`, "example."],
    ["-a.com", "a-.com", "a..b", "", "a_b", "a.com-", `${"a".repeat(64)}.com`, "é.com", "."],
  ],
  ipv4: [
    ["192.168.0.1", "0.0.0.0", "255.255.255.255"],
    [
      "127.0.0.0.1",
      "256.1.1.1",
      "127.0",
      "0x7f000001",
      "087.10.0.1",
      "1.2.3.",
      "1.2.3.4.",
      "1.2.3.4\n",
      "192.168.1.0/24",
      "",
    ],
  ],
  ipv6: [
    [
      "::1",
      "::",
      "::abef",
      "1::",
      "::ffff:192.168.0.1",
      "1:2:3:4:5:6:7:8",
      "1:2::192.168.0.1",
      "1:2:3:4:5:6::8",
      "a:b:c:d:e:f:1.2.3.4",
    ],
    [
      "12345::",
      "1:1:1:1:1:1:1:1:1",
      "1::d6::42",
      "fe80::a%eth1",
      ":2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:",
      "1:2:3:4:5:6:7::8::",
      "::1/64",
      "::1.2.3",
      "1:2:3:4:5:6:7:1.2.3.4",
      "127.0.0.1",
      "",
      ":",
      "1:2:3:4:5:6:7:8::",
    ],
  ],
  uri: [
    [
      "http://foo.bar/?baz=qux#quux",
      "urn:oasis:names:specification:docbook:dtd:xml:4.1.2",
      "http://[2001:db8::7]/c?a",
      "mailto:a@b.c",
      "ldap://[2001:db8::7]/c=GB?objectClass?one",
      "http://user:pw@h:80/",
      "tel:+1-816-555-1212",
    ],
    [
      "//foo.bar/",
      "/abc",
      "\\\\share",
      "abc",
      "http:// shouldfail.com",
      ":// should fail",
      "bar,baz:foo",
      "http://a/%zz",
      "http://[::1",
      "http://a:b/",
      "1http://a",
      "http://a#b#c",
    ],
  ],
  "uri-reference": [
    ["/abc", "", "//foo.bar/?baz", "#frag", "a/b:c", "http://a", "?q"],
    ["\\\\w", "#fra\\gment", "a:b c", "1a:b", "/%", "/a[b]"],
  ],
  "uri-template": [
    ["http://example.com/dictionary/{term:1}/{term}", "/a{?x,y*}", "", "{+p}"],
    ["/{term", "/term}", "/{}", "/{a b}", "/ "],
  ],
  uuid: [
    ["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"],
    [
      "2eb8aa08aa9811eab4aa73b441d16380",
      "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
      "2eb8aa08-aa98-11ea-b4ga-73b441d16380",
      "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380",
      "",
    ],
  ],
  "json-pointer": [
    ["", "/", "/a/b~0~1", "/a b"],
    ["a", "/~", "/~2", "#/a"],
  ],
  "relative-json-pointer": [
    ["0", "1/a", "0#", "12/~1"],
    ["/a", "-1", "01", "0##", "+1", ""],
  ],
  byte: [
    ["", "YQ==", "YWI=", "YWJj"],
    ["YQ", "YQ=", "Y===", "YW\nJj", "YQ==YQ==", "-_=="],
  ],
};

describe("formats of texts", () => {
  it("has all of them in the table", () => {
    expect(Object.keys(TABLE).sort()).toEqual(Object.keys(TEXT_FORMATS).sort());
  });

  it.each(
    Object.entries(TABLE).flatMap(([format, [good, bad]]) => [
      ...good.map((text) => [format, text, true] as const),
      ...bad.map((text) => [format, text, false] as const),
    ]),
  )("%s: %j is %s", (format, text, fits) => expect(TEXT_FORMATS[format]!(text)).toBe(fits));

  const HOSTILE = [
    ...[
      "a",
      "1",
      ".",
      ":",
      "-",
      "@",
      "/",
      "%",
      "~",
      "{",
      "[",
      "=",
      "1:",
      "a.",
      "%2",
      "%41",
      "/~",
      "{a",
      "1.",
      "::",
      "a@",
    ].flatMap((part) => {
      const text = part.repeat(65_536 / part.length);
      return [
        text,
        `http://${text}`,
        `P${text}`,
        `2024-01-01T00:00:00.${text}`,
        `a@${text}`,
        `${text}!`,
        `"${text}"@a`,
      ];
    }),
  ];
  it.each(Object.keys(TEXT_FORMATS))("%s: 64 KiB of hostile text take less than 5 ms", (format) => {
    for (const text of HOSTILE) {
      const times = [0, 1, 2].map(() => {
        const begin = performance.now();
        TEXT_FORMATS[format]!(text);
        return performance.now() - begin;
      });
      expect(Math.min(...times), text.slice(0, 40)).toBeLessThan(5);
    }
  });

  /** Where ajv-formats is of another mind, and why ours is right. */
  const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
    // RFC 5321 has quoted names, addresses in brackets and names of one label; RFC 3339 section 5.6 a T between date and time;
    // `urn:uuid:` is no part of a UUID; RFC 3986 has ports of digits, and no colon in the first segment of a reference.
    email: ['"joe bloggs"@example.com', "joe@[127.0.0.1]", "joe@[IPv6:::1]", "a+b@c"],
    uuid: ["urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380"],
    "date-time": ["1963-06-19 08:30:06Z"],
    uri: ["http://a:b/"],
    "uri-reference": ["1a:b"],
  };
  it.each(
    Object.entries(TABLE).flatMap(([format, [good, bad]]) =>
      [...good, ...bad].map((text) => [format, text] as const),
    ),
  )("%s: %j is what ajv-formats says it is, or known to differ", (format, text) => {
    const known = (ajvFormats.fullFormats as Readonly<Record<string, unknown>>)[format];
    const check = typeof known === "object" && known !== null && "validate" in known ? known.validate : known;
    const says = check instanceof RegExp ? check.test(text) : (check as (text: string) => boolean)(text);
    const differs = DIFFERENT[format]?.includes(text) === true;
    expect(TEXT_FORMATS[format]!(text) !== Boolean(says)).toBe(differs);
  });
});

describe("formats of numbers", () => {
  it.each([
    ["int32", 2 ** 31 - 1, true],
    ["int32", 2 ** 31, false],
    ["int32", -(2 ** 31), true],
    ["int32", 1.5, false],
    ["int64", JSON.parse("9223372036854775807") as number, true],
    ["int64", JSON.parse("9223372036854779000") as number, false],
    ["int64", JSON.parse("-9223372036854775808") as number, true],
    ["int64", 1e30, false],
    ["float", 3.5e38, false],
    ["float", 1.5, true],
  ] as const)("%s: %j is %s", (format, value, fits) => expect(NUMBER_FORMATS[format]!(value)).toBe(fits));
});

describe("values", () => {
  it.each([
    [0.3, 0.1, true],
    [19.99, 0.01, true],
    [0.075, 0.01, false],
    [1e22, 3, false],
    [9e22, 3, true],
    [1e308, 1e-8, true],
    [-4.5, 1.5, true],
    [7, 2, false],
    [0, 0.1, true],
    [1e-300, 1e300, false],
  ])("%d is a multiple of %d: %s", (value, divisor, is) => expect(isMultiple(value, divisor)).toBe(is));

  it("multiples of whole numbers are those of the remainder", () => {
    fc.assert(
      fc.property(
        fc.maxSafeInteger(),
        fc.integer({ min: 1 }),
        (value, divisor) => isMultiple(value, divisor) === (value % divisor === 0),
      ),
    );
  });

  it("multiples of decimals are those of their digits", () => {
    const digits = fc.integer({ min: 1, max: 10 ** 9 });
    fc.assert(
      fc.property(
        digits,
        digits,
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
        (one, other, e1, e2) => {
          const is = (BigInt(one) * 10n ** BigInt(12 - e1)) % (BigInt(other) * 10n ** BigInt(12 - e2)) === 0n;
          expect(isMultiple(Number(`${one}e-${e1}`), Number(`${other}e-${e2}`))).toBe(is);
          const product = Number(`${BigInt(one % 1000) * BigInt(other)}e-${e2}`);
          expect(isMultiple(product, Number(`${other}e-${e2}`))).toBe(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("are equal where their JSON is, whatever the order of members", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const copy = JSON.parse(JSON.stringify(one)) as unknown;
        const json = JSON.parse(JSON.stringify(other)) as unknown;
        expect(isEqual(copy, JSON.parse(JSON.stringify(one)))).toBe(true);
        expect(isEqual(copy, json)).toBe(isUnique([copy, json]) === false);
      }),
    );
  });

  it.each([
    ['{"a":1,"b":2}', '{"b":2,"a":1}', true],
    ['{"valueOf":1}', '{"valueOf":1}', true],
    ['{"constructor":1}', "{}", false],
    ['{"__proto__":1}', "{}", false],
    ["[]", "{}", false],
    ["1", '"1"', false],
    ["[1]", "[1,2]", false],
  ])("%s and %s: %s", (one, other, equal) => {
    expect(isEqual(JSON.parse(one), JSON.parse(other))).toBe(equal);
    expect(isUnique([JSON.parse(one), JSON.parse(other)])).toBe(!equal);
  });

  it("tells that many objects are unique in a time that grows with their number", () => {
    const many = Array.from({ length: 100_000 }, (_, index) => ({ index }));
    const begin = performance.now();
    expect(isUnique(many)).toBe(true);
    expect(performance.now() - begin).toBeLessThan(2_000);
  });

  it("counts characters as people do", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => characters(text) === [...text].length));
  });
});
