import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linkPairs, pairsOf } from "../../src/lib/parameter-pairs.ts";
import {
  type Decode,
  decodeField,
  decodePercent,
  isUnreadable,
  readStyled,
  type Style,
  scalarOf,
  type Wanted,
} from "../../src/lib/parameter-styles.ts";

const TEXT: Wanted = { scalars: "s" };
const LIST: Wanted = { scalars: "", items: TEXT };
const RGB: Wanted = {
  scalars: "",
  properties: { R: { scalars: "i" }, G: { scalars: "i" }, B: { scalars: "i" } },
};
const COLORS = ["blue", "black", "brown"];
const OBJECT = { R: 100, G: 200, B: 150 };

const plain = (value: unknown): unknown =>
  value === undefined ? undefined : JSON.parse(JSON.stringify(value));

const inQuery = (style: Style, explode: boolean, wanted: Wanted, query: string): unknown =>
  plain(linkPairs([{ name: "color", style, explode, wanted }])(pairsOf(query)).values[0]);

const inPath = (style: Style, explode: boolean, wanted: Wanted, raw: string): unknown =>
  plain(readStyled(raw, { name: "color", style, explode, wanted }, decodePercent));

type Row = readonly [style: Style, explode: boolean, wanted: Wanted, written: string, value: unknown];

describe("the styles of paths, as OpenAPI's tables write them (3.1.1 section 4.8.12.4)", () => {
  const rows: readonly Row[] = [
    ["matrix", false, TEXT, ";color", ""],
    ["matrix", false, TEXT, ";color=blue", "blue"],
    ["matrix", false, LIST, ";color=blue,black,brown", COLORS],
    ["matrix", false, RGB, ";color=R,100,G,200,B,150", OBJECT],
    ["matrix", true, TEXT, ";color", ""],
    ["matrix", true, LIST, ";color=blue;color=black;color=brown", COLORS],
    ["matrix", true, RGB, ";R=100;G=200;B=150", OBJECT],
    ["label", false, TEXT, ".", ""],
    ["label", false, TEXT, ".blue", "blue"],
    ["label", false, LIST, ".blue,black,brown", COLORS],
    ["label", false, RGB, ".R,100,G,200,B,150", OBJECT],
    ["label", true, LIST, ".blue.black.brown", COLORS],
    ["label", true, RGB, ".R=100.G=200.B=150", OBJECT],
    ["simple", false, TEXT, "", ""],
    ["simple", false, TEXT, "blue", "blue"],
    ["simple", false, LIST, "blue,black,brown", COLORS],
    ["simple", false, RGB, "R,100,G,200,B,150", OBJECT],
    ["simple", true, LIST, "blue,black,brown", COLORS],
    ["simple", true, RGB, "R=100,G=200,B=150", OBJECT],
  ];
  it.each(rows)("%s, explode %s, %j: %s", (style, explode, wanted, raw, value) => {
    expect(inPath(style, explode, wanted, raw)).toEqual(value);
  });

  it.each([
    ["label", false, LIST, ".blue.black.brown", COLORS],
    ["label", false, RGB, ".R.100.G.200.B.150", OBJECT],
  ] as const satisfies readonly Row[])(
    "%s as the tables up to 3.1.0 have it: %s %j %s",
    (style, explode, wanted, raw, value) => {
      expect(inPath(style, explode, wanted, raw)).toEqual(value);
    },
  );

  it.each([
    ["a label without its dot", "label", false, TEXT, "blue"],
    ["a matrix without its semicolon", "matrix", false, TEXT, "color=blue"],
    ["a matrix of another name", "matrix", false, TEXT, ";colour=blue"],
    ["an object with a name too many", "simple", false, RGB, "R,100,G"],
    ["an object with a name alone", "simple", true, RGB, "R=100,G"],
    ["an object with a name twice", "simple", true, RGB, "R=100,R=100"],
    ["half of a percent-encoding", "simple", false, TEXT, "%4"],
    ["bytes that are no UTF-8", "simple", false, LIST, "a,%FF"],
  ] as const)("cannot be read: %s", (_, style, explode, wanted, raw) => {
    expect(isUnreadable(readStyled(raw, { name: "color", style, explode, wanted }, decodePercent))).toBe(
      true,
    );
  });
});

describe("the styles of queries, as OpenAPI's tables write them", () => {
  const rows: readonly Row[] = [
    ["form", false, TEXT, "color=", ""],
    ["form", false, TEXT, "color", ""],
    ["form", false, TEXT, "color=blue", "blue"],
    ["form", false, LIST, "color=blue,black,brown", COLORS],
    ["form", false, RGB, "color=R,100,G,200,B,150", OBJECT],
    ["form", true, LIST, "color=blue&color=black&color=brown", COLORS],
    ["form", true, RGB, "R=100&G=200&B=150", OBJECT],
    ["spaceDelimited", false, LIST, "color=blue%20black%20brown", COLORS],
    ["spaceDelimited", false, LIST, "color=blue+black+brown", COLORS],
    ["spaceDelimited", false, RGB, "color=R%20100%20G%20200%20B%20150", OBJECT],
    ["spaceDelimited", true, LIST, "color=blue&color=black&color=brown", COLORS],
    ["pipeDelimited", false, LIST, "color=blue%7Cblack%7cbrown", COLORS],
    ["pipeDelimited", false, LIST, "color=blue|black|brown", COLORS],
    ["pipeDelimited", false, RGB, "color=R%7C100%7CG%7C200%7CB%7C150", OBJECT],
    ["pipeDelimited", true, LIST, "color=blue&color=black&color=brown", COLORS],
    ["deepObject", true, RGB, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150", OBJECT],
    ["deepObject", true, RGB, "color[R]=100&color[G]=200&color[B]=150", OBJECT],
    ["form", false, LIST, "color=a%2Cb,c", ["a,b", "c"]],
    ["form", true, LIST, "color=a%2Cb&color=c,d", ["a,b", "c,d"]],
    ["form", false, TEXT, "color=a+b%2B", "a b+"],
    ["form", false, TEXT, "other=1", undefined],
    ["form", true, LIST, "", undefined],
    ["form", true, RGB, "", undefined],
    ["form", false, TEXT, "c%6Flor=blue", "blue"],
  ];
  it.each(rows)("%s, explode %s, %j: %s", (style, explode, wanted, query, value) => {
    expect(inQuery(style, explode, wanted, query)).toEqual(value);
  });

  it.each([
    ["a scalar twice", "form", false, TEXT, "color=1&color=2", "repeated"],
    ["a list in one place twice", "form", false, LIST, "color=1&color=2", "repeated"],
    ["a member twice", "deepObject", true, RGB, "color[R]=1&color[R]=2", "repeated"],
    ["a name in a name that is no object", "deepObject", true, RGB, "color[R][x]=1", "malformed-value"],
    ["a name behind its brackets", "deepObject", true, RGB, "color[R]x=1", "malformed-value"],
    ["a name whose bracket stays open", "deepObject", true, RGB, "color[R=1", "malformed-value"],
    ["a member of an index", "deepObject", true, RGB, "color[R][0]=1", "malformed-value"],
    ["a text where members are wanted", "deepObject", true, RGB, "color=1&color[R]=1", "malformed-value"],
    ["half of a percent-encoding", "form", false, TEXT, "color=%4", "malformed-encoding"],
  ] as const)("cannot be read: %s", (_, style, explode, wanted, query, why) => {
    expect(inQuery(style, explode, wanted, query)).toEqual({ unreadable: why });
  });

  it("has members of the names that every object has, and of no others", () => {
    const wanted: Wanted = { scalars: "", properties: {}, rest: TEXT };
    const read = linkPairs([{ name: "o", style: "deepObject", explode: true, wanted }])(
      pairsOf("o[__proto__]=1&o[constructor]=2"),
    ).values[0] as object;
    expect(Object.getPrototypeOf(read)).toBe(null);
    expect(Object.entries(read)).toEqual([
      ["__proto__", "1"],
      ["constructor", "2"],
    ]);
  });

  it("has members that are objects themselves", () => {
    const wanted: Wanted = {
      scalars: "",
      properties: { range: { scalars: "", properties: { from: { scalars: "i" }, to: { scalars: "i" } } } },
      rest: TEXT,
    };
    const read = (query: string) =>
      linkPairs([{ name: "f", style: "deepObject", explode: true, wanted }])(pairsOf(query)).values[0];
    expect(plain(read("f[range][from]=1&f%5Brange%5D%5Bto%5D=2&f[x]=3"))).toEqual({
      range: { from: 1, to: 2 },
      x: "3",
    });
    expect(read("f[range][from]=1&f[range][from]=2")).toEqual({ unreadable: "repeated" });
    expect(read("f[range]=1&f[range][from]=2")).toEqual({ unreadable: "malformed-value" });
    expect(read("f[x][y]=1")).toEqual({ unreadable: "malformed-value" });
  });

  it("keeps apart what nobody takes", () => {
    const read = linkPairs([{ name: "a", style: "form", explode: true, wanted: TEXT }]);
    expect(read(pairsOf("a=1&&b=2&%=3&c")).unknown.map(({ name, rawName }) => [name, rawName])).toEqual([
      ["b", "b"],
      [undefined, "%"],
      ["c", "c"],
    ]);
  });
});

describe("a scalar", () => {
  it.each([
    ["1", "i", 1],
    ["1", "s", "1"],
    ["1", "is", 1],
    ["01", "i", "01"],
    ["1.0", "i", "1.0"],
    ["1e3", "n", 1000],
    ["-0.5", "n", -0.5],
    ["+1", "n", "+1"],
    [" 1", "n", " 1"],
    ["0x10", "n", "0x10"],
    ["NaN", "n", "NaN"],
    ["Infinity", "n", "Infinity"],
    ["", "n", ""],
    ["true", "b", true],
    ["True", "b", "True"],
    ["1", "b", "1"],
    ["", "z", null],
    ["null", "z", "null"],
    ["", "zs", null],
    ["x", "bis", "x"],
  ])("%j as %s is %j", (text, kinds, value) => {
    expect(scalarOf(text, kinds)).toBe(value);
  });
});

/** Writes values as RFC 6570 has it, with no code of ours. */
const expanded = (style: Style, explode: boolean, value: unknown): string => {
  const text = (part: unknown): string =>
    encodeURIComponent(String(part)).replaceAll(/[.!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  const pairs =
    typeof value === "object" && !Array.isArray(value) ? Object.entries(value as object) : undefined;
  const items = Array.isArray(value) ? value : undefined;
  const joined = (comma: string): string => (items ?? pairs?.flat() ?? [value]).map(text).join(comma);
  switch (style) {
    case "simple":
      return explode && pairs
        ? pairs.map(([key, part]) => `${text(key)}=${text(part)}`).join(",")
        : joined(",");
    case "label":
      return `.${explode && pairs ? pairs.map(([key, part]) => `${text(key)}=${text(part)}`).join(".") : joined(explode ? "." : ",")}`;
    case "matrix":
      if (explode && items) return items.map((item) => `;color=${text(item)}`).join("");
      if (explode && pairs) return pairs.map(([key, part]) => `;${text(key)}=${text(part)}`).join("");
      return `;color=${joined(",")}`;
    case "form":
      if (explode && items) return items.map((item) => `color=${text(item)}`).join("&");
      if (explode && pairs) return pairs.map(([key, part]) => `${text(key)}=${text(part)}`).join("&");
      return `color=${joined(",")}`;
    case "spaceDelimited":
      return explode && items
        ? items.map((item) => `color=${text(item)}`).join("&")
        : `color=${joined("%20")}`;
    case "pipeDelimited":
      return explode && items
        ? items.map((item) => `color=${text(item)}`).join("&")
        : `color=${joined("%7C")}`;
    case "deepObject":
      return pairs!.map(([key, part]) => `color%5B${text(key)}%5D=${text(part)}`).join("&");
  }
};

describe("what is written in a style is read as it was", () => {
  /** Delimiters of a style cannot stand in its values but encoded, which these two have no way to tell. */
  const wordFor = (style: Style) =>
    fc
      .string({ minLength: 1, unit: "grapheme" })
      .map((word) => word.toWellFormed())
      .map((word) =>
        style === "spaceDelimited"
          ? word.replaceAll(" ", "_")
          : style === "pipeDelimited"
            ? word.replaceAll("|", "_")
            : word,
      )
      .map((word) => (style === "label" ? word.replaceAll(".", "_") : word));
  const members = (style: Style) =>
    fc.dictionary(
      wordFor(style).map((word) => `k${word.replaceAll(/[[\]]/g, "_")}`),
      wordFor(style),
      { minKeys: 1, maxKeys: 5, noNullPrototype: true },
    );
  const OPEN: Wanted = { scalars: "", properties: {}, rest: TEXT };
  const PATH = ["simple", "label", "matrix"] as const;
  const QUERY = ["form", "spaceDelimited", "pipeDelimited"] as const;
  const read = (style: Style, explode: boolean, wanted: Wanted, written: string): unknown =>
    (PATH as readonly string[]).includes(style)
      ? inPath(style, explode, wanted, written)
      : inQuery(style, explode, wanted, written);

  it.each([...PATH, ...QUERY])("%s", (style) => {
    fc.assert(
      fc.property(
        fc.boolean(),
        wordFor(style),
        fc.array(wordFor(style), { minLength: 2 }),
        members(style),
        (explode, word, list, object) => {
          expect(read(style, explode, TEXT, expanded(style, explode, word))).toBe(word);
          expect(read(style, explode, LIST, expanded(style, explode, list))).toEqual(list);
          if (explode && (style === "spaceDelimited" || style === "pipeDelimited")) return;
          expect(read(style, explode, OPEN, expanded(style, explode, object))).toEqual(plain(object));
        },
      ),
    );
  });

  it("deepObject", () => {
    fc.assert(
      fc.property(members("deepObject"), (object) => {
        expect(read("deepObject", true, OPEN, expanded("deepObject", true, object))).toEqual(plain(object));
      }),
    );
  });

  it("in header fields, which encode nothing", () => {
    const word = fc.stringMatching(/^[a-z0-9]([a-z0-9 ]*[a-z0-9])?$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.constantFrom(",", ", ", " ,\t"), (list, comma) => {
        const decode: Decode = decodeField;
        expect(
          readStyled(list.join(comma), { name: "x", style: "simple", explode: false, wanted: LIST }, decode),
        ).toEqual(list);
      }),
    );
  });
});
