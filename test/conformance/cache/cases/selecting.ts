import type { Case, Field, Kind, Turn } from "../case.ts";

const varying = (names: string | readonly string[]): Field[] => [
  ["Cache-Control", "max-age=5000"],
  ["Last-Modified", -3000],
  ["Date", 0],
  ...[names].flat().map((value): Field => ["Vary", value]),
];

type Ask = readonly Field[];
const FOO: Ask = [["Foo", "1"]];
const TWO: Ask = [...FOO, ["Bar", "abc"]];
const THREE: Ask = [...TWO, ["Baz", "789"]];
const APART: Ask = [
  ["Foo", "1"],
  ["Baz", "789"],
];

type Row = readonly [
  id: string,
  kind: Kind,
  vary: string | readonly string[],
  first: Ask,
  second: Ask,
  from: "cache" | "origin",
];

const cases = (table: readonly Row[]): Case[] =>
  table.map(([id, kind, vary, first, second, from]) => ({
    id: `vary-${id}`,
    kind,
    turns: [
      { ask: first, answer: varying(vary), loose: ["vary"], pause: true },
      { ask: second, from },
    ],
  }));

const language = (value: string): Ask => [["Accept-Language", value]];

const choosing = cases([
  ["match", "optimal", "Foo", FOO, FOO, "cache"],
  ["no-match", "required", "Foo", FOO, [["Foo", "2"]], "origin"],
  ["omit-stored", "required", "Foo", [], FOO, "origin"],
  ["omit", "required", "Foo", FOO, [], "origin"],
  ["cache-key", "optimal", "Foo", [...FOO, ["Other", "2"]], [...FOO, ["Other", "3"]], "cache"],
  ["2-match", "optimal", "Foo, Bar", TWO, TWO, "cache"],
  [
    "2-no-match",
    "required",
    "Foo, Bar",
    TWO,
    [
      ["Foo", "2"],
      ["Bar", "abc"],
    ],
    "origin",
  ],
  ["2-match-omit", "required", "Foo, Bar", TWO, [], "origin"],
  ["3-match", "optimal", "Foo, Bar, Baz", THREE, THREE, "cache"],
  [
    "3-no-match",
    "required",
    "Foo, Bar, Baz",
    THREE,
    [
      ["Foo", "2"],
      ["Bar", "abc"],
      ["Baz", "789"],
    ],
    "origin",
  ],
  [
    "3-order",
    "required",
    "Foo, Bar, Baz",
    THREE,
    [
      ["Foo", "1"],
      ["Baz", "789"],
      ["Bar", "abcde"],
    ],
    "origin",
  ],
  ["3-omit", "optimal", "Foo, Bar, Baz", APART, APART, "cache"],
  ["star", "required", "*", APART, APART, "origin"],
  [
    "normalise-combine",
    "optimal",
    "Foo",
    [["Foo", "1, 2"]],
    [
      ["Foo", "1"],
      ["Foo", "2"],
    ],
    "cache",
  ],
  ["normalise-space", "optimal", "Foo", [["Foo", "1,2"]], [["Foo", " 1, 2 "]], "cache"],
  ["normalise-lang-order", "optimal", "Accept-Language", language("en, de"), language("de, en"), "cache"],
  ["normalise-lang-case", "optimal", "Accept-Language", language("en, de"), language("eN, De"), "cache"],
  ["normalise-lang-space", "optimal", "Accept-Language", language("en, de"), language(" en ,   de"), "cache"],
  ["syntax-star", "required", "*", APART, APART, "origin"],
  ["syntax-star-star", "required", "*, *", APART, APART, "origin"],
  ["syntax-star-star-lines", "required", ["*", "*"], APART, APART, "origin"],
  ["syntax-empty-star", "required", ", *", APART, APART, "origin"],
  ["syntax-empty-star-lines", "required", ["", "*"], APART, APART, "origin"],
  ["syntax-star-foo", "required", "*, Foo", APART, APART, "origin"],
  ["syntax-foo-star", "required", "Foo, *", APART, APART, "origin"],
]);

const variants: Turn[] = [
  { ask: FOO, answer: varying("Foo"), text: "foo_1" },
  { ask: [["Foo", "2"]], answer: varying("Foo"), text: "foo_2", from: "origin" },
  { ask: FOO, text: "foo_1", from: "cache" },
];

/** RFC 9111 section 4.1. */
export const selecting: readonly Case[] = [
  ...choosing,
  { id: "vary-invalidate", kind: "optimal", turns: variants },
  {
    id: "vary-normalise-lang-select",
    kind: "optimal",
    turns: [
      { ask: language("en, de"), answer: [...varying("Accept-Language"), ["Content-Language", "de"]] },
      { ask: language("fr;q=0.5, de;q=1.0"), from: "cache" },
    ],
  },
];
