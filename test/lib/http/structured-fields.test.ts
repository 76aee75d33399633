import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDictionary, serializeParameters } from "../../../src/lib/http/structured-fields.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

/** A dictionary as plain values, without parameters. */
const read = (text: string): unknown => {
  const members = parseDictionary(text);
  return members && Object.fromEntries([...members].map(([key, { value }]) => [key, value]));
};

describe("a dictionary of structured fields", () => {
  // Members of each kind from the examples of RFC 9651 sections 3.1 to 3.3.
  it.each<[string, unknown]>([
    ["", {}],
    ["  a=1  ", { a: 1 }],
    ['en="Applepie", da=:w4ZibGV0w6ZydGU=:', { en: "Applepie", da: new TextEncoder().encode("Æbletærte") }],
    ["a=?0, b, c;foo=bar", { a: false, b: true, c: true }],
    ["a=-42 \t,\t b=999999999999999", { a: -42, b: 999999999999999 }],
    ["a=foo123/456, *b.c-d_=*x", { a: { token: "foo123/456" }, "*b.c-d_": { token: "*x" } }],
    ['a="\\"quoted\\" \\\\"', { a: '"quoted" \\' }],
    ["a=::", { a: bytes() }],
    ["a=:AQ==:", { a: bytes(1) }],
    ["__proto__=1", undefined],
  ])("%s", (text, expected) => expect(read(text)).toEqual(expected));

  it("has lists of items, each with parameters", () => {
    const member = parseDictionary('sig=( "a"  "b";x=1;y );created=1;n="q"')!.get("sig")!;
    expect(member).toEqual({
      value: [
        { value: "a", parameters: new Map() },
        {
          value: "b",
          parameters: new Map<string, unknown>([
            ["x", 1],
            ["y", true],
          ]),
        },
      ],
      parameters: new Map<string, unknown>([
        ["created", 1],
        ["n", "q"],
      ]),
    });
  });

  it.each([
    "a=1,",
    ",a=1",
    "a=1 b=2",
    "a=1,,b=2",
    "A=1",
    "1a=1",
    "a=",
    "a =1",
    "a= 1",
    "a=1.5",
    "a=1.",
    "a=1000000000000000",
    'a="',
    'a="ü"',
    'a="\\n"',
    'a="a\tb"',
    "a=:A:",
    "a=:AB",
    "a=:A-_=:",
    "a=?2",
    "a=?",
    "a=@1",
    'a=%"x"',
    "a=(",
    "a=(1",
    'a=("x""y")',
    "a=(1))",
    "a;",
    "a; =1",
    "a;x;x",
    "a=1, a=2",
    "a=1;X=1",
    "\ta=1",
    "a=1\0",
    "a=(1\t2)",
  ])("%j is none", (text) => expect(parseDictionary(text)).toBeUndefined());

  it("is read in linear time, whatever it is", () => {
    for (const piece of ["a=1,", "(", ";", " ", '"', "\\", ":", "a;", 'a="', "a=( "]) {
      const begun = performance.now();
      parseDictionary(piece.repeat(65_536 / piece.length));
      expect(performance.now() - begun).toBeLessThan(100);
    }
  });

  it("has parameters that are written as they are read", () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab "\\;=,:?') });
    const item = fc.oneof(
      fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }),
      fc.boolean(),
      text,
      fc.uint8Array().map((value) => Uint8Array.from(value)),
      fc.constantFrom("x", "*y/z:1").map((token) => ({ token })),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,5}$/), item), (values) => {
        const parameters = new Map(Object.entries(values));
        expect(parseDictionary(`k=1${serializeParameters(parameters)}`)?.get("k")?.parameters).toEqual(
          parameters,
        );
      }),
    );
  });
});
