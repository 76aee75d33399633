import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placeInText, plainValue, type Tree, treeAt } from "../../src/config/tree.ts";
import { parseYaml } from "../../src/config/yaml.ts";

const parse = (text: string) => parseYaml({ file: "a.yaml", text });
const tree = (text: string): Tree => parse(text).value!;
const value = (text: string): unknown => plainValue(tree(text));
/** `line:column` where something stands, or the code and place of what is wrong. */
const at = ({ place }: { readonly place: Tree["place"] }): string => `${place.line}:${place.column}`;
const faults = (text: string): string[] =>
  parse(text).diagnostics.map((diagnostic) => `${diagnostic.code} ${at(diagnostic)}`);

describe("what YAML stands for", () => {
  it.each<[string, string, unknown]>([
    ["an empty file", "", null],
    ["only comments", "# nothing\n", null],
    ["maps and lists", "a: { b: [1, x, true, null] }", { a: { b: [1, "x", true, null] } }],
    ["yes and no are texts (YAML 1.2)", "a: yes\nb: no\nc: on", { a: "yes", b: "no", c: "on" }],
    ["dates are texts", "a: 2027-06-30", { a: "2027-06-30" }],
    ["texts of several lines", "a: |\n  x\n  y\nb: >-\n  x\n  y\n", { a: "x\ny\n", b: "x y" }],
    ["keys are texts as they are written", "1: a\n1.0: b\ntrue: c", { "1": "a", "1.0": "b", true: "c" }],
    ["aliases", "a: &x { b: 1 }\nc: *x", { a: { b: 1 }, c: { b: 1 } }],
    ["an anchor that is set again", "a: &x 1\nb: *x\nc: &x 2\nd: *x", { a: 1, b: 1, c: 2, d: 2 }],
    ["merge keys", "a: &x { b: 1, c: 2 }\nd: { <<: *x, c: 3 }", { a: { b: 1, c: 2 }, d: { b: 1, c: 3 } }],
    [
      "merge keys of several, the first of which wins",
      "a: &x { b: 1 }\nc: &y { b: 2, d: 3 }\ne: { <<: [*x, *y] }",
      { a: { b: 1 }, c: { b: 2, d: 3 }, e: { b: 1, d: 3 } },
    ],
    ["a byte order mark", "\ufeffa: 1", { a: 1 }],
    ["lines that end as on Windows", "a: 1\r\nb: x\r\n", { a: 1, b: "x" }],
  ])("%s", (_, text, expected) => expect(value(text)).toEqual(expected));

  it("keys come in the order of their letters, wherever they were written", () =>
    expect(Object.keys(value("b: 1\na: 2\nB: 3") as object)).toEqual(["B", "a", "b"]));
});

describe("places", () => {
  const text = 'a:\n  b: [x, "y z"]\n  c: &anchor { d: 1 }\ne: *anchor\nf:\n';

  it.each([
    ["a value", ["a", "b"], "2:6"],
    ["an item", ["a", "b", 1], "2:10"],
    ["a map in braces", ["a", "c"], "3:14"],
    ["what an alias stands for, where it is written", ["e", "d"], "3:19"],
    ["nothing, at its key", ["f"], "5:1"],
  ])("of %s", (_, path, expected) => expect(at(treeAt(tree(text), path)!)).toBe(expected));

  it.each([
    ["a key", ["a", "b"], "2:3"],
    ["the key of an alias", ["e"], "4:1"],
  ])("of %s", (_, path, expected) =>
    expect(at({ place: treeAt(tree(text), path)!.keyPlace! })).toBe(expected),
  );

  it.each([
    ["plain", "a: one two", "1:8"],
    ["quoted", 'a: "one two"', "1:9"],
    ["in single quotes", "a: 'one two'", "1:9"],
    ["with an escape, as a whole: its characters moved", 'a: "one\\ttwo"', "1:4"],
    ["over several lines, as a whole", "a: one\n  two", "1:4"],
    ["in a block, as a whole", "a: |\n  one two", "1:4"],
  ])("of a word inside a text that is %s", (_, source, expected) =>
    expect(at({ place: placeInText(treeAt(tree(source), ["a"])!, 5 - 1, 3) })).toBe(expected),
  );
});

describe("what cannot be read", () => {
  it.each([
    ["a tab", "a:\n\tb: 1", ["yaml-syntax 2:1"]],
    ["a tab inside of braces", "a: {\n\tb: 1 }", ["yaml-syntax 2:1"]],
    ["a list that is never closed, at its bracket", "a:\n  b: [x, y\n  c: d\n", ["yaml-syntax 2:6"]],
    ["a map that is never closed, at its brace", "a:\n  b: { x: y\nc: d\n", ["yaml-syntax 2:6"]],
    ["the inner one of two", "a: [{ b: [c }]\nd: e\n", ["yaml-syntax 1:10"]],
    ["a quote, at its beginning", 'a: "x\nb: c\n', ["yaml-syntax 1:4"]],
    ["a line without a key", "a: 1\nb\nc: 2\n", ["yaml-syntax 2:1"]],
    ["a key without a space", "a:\n  b:1\n  c: 2\n", ["yaml-syntax 2:3"]],
    ["a key that is indented too little", "a:\n   b: 1\n  c: 2\n", ["yaml-syntax 3:3"]],
    ["a key that is indented too far", "a:\n  b: 1\n   c: 2\n", ["yaml-syntax 3:4"]],
    ["a second document", "a: 1\n---\nb: 2\n", ["yaml-syntax 2:1"]],
    ["a tag", "a: !x 1", ["yaml-syntax 1:4"]],
    ["another version", "%YAML 1.1\n---\na: yes", ["yaml-syntax 1:1"]],
    ["an alias of nothing", "a: *x", ["yaml-syntax 1:4"]],
    ["an alias of what comes later", "a: *x\nb: &x 1", ["yaml-syntax 1:4"]],
    ["an alias of what holds it", "a: &x [*x]", ["yaml-syntax 1:8"]],
    ["a key that is a list", "? [a]\n: b", ["yaml-syntax 1:3"]],
    ["a merge of a text", "a: { <<: b }", ["yaml-syntax 1:10"]],
    ["nesting without end", `a: ${"[".repeat(5000)}`, ["yaml-syntax"]],
  ])("%s", (_, text, expected) => {
    expect(faults(text).map((fault, index) => fault.slice(0, expected[index]?.length))).toEqual(expected);
    expect(parse(text).value).toBeUndefined();
  });

  it("aliases of aliases are refused before they are followed", () => {
    const lines = ["x0: &x0 [y, y, y, y, y, y, y, y, y, y]"];
    for (let level = 1; level < 12; level++)
      lines.push(
        `x${level}: &x${level} [${Array(10)
          .fill(`*x${level - 1}`)
          .join(", ")}]`,
      );
    expect(faults(lines.join("\n"))).toHaveLength(1);
  });

  it("a large file without aliases is none of their business", () => {
    const { diagnostics } = parse(
      Array.from({ length: 60_000 }, (_, index) => `k${index}: [1, 2]`).join("\n"),
    );
    expect(diagnostics).toEqual([]);
  });
});

describe("what is read all the same", () => {
  it.each([
    ["a key that stands twice: the first counts", "a: 1\na: 2\nb: 3", ["duplicate-key 2:1"], { a: 1, b: 3 }],
    ["a key that stands twice in other letters of YAML", "1: a\n'1': b", ["duplicate-key 2:1"], { "1": "a" }],
    [
      "names of JavaScript's own",
      "a: { __proto__: 1, constructor: 2, b: 3 }\nprototype: 4",
      ["forbidden-name 1:6", "forbidden-name 1:20", "forbidden-name 2:1"],
      { a: { b: 3 } },
    ],
    ["by way of a merge", "a: { <<: { __proto__: 1, b: 2 } }", ["forbidden-name 1:12"], { a: { b: 2 } }],
  ])("%s", (_, text, expected, rest) => {
    expect(faults(text)).toEqual(expected);
    expect(value(text)).toEqual(rest);
  });

  it("documents of others may use any name, and it reaches nothing", () => {
    const { value: read, diagnostics } = parseYaml(
      { file: "a.yaml", text: "__proto__: { polluted: 1 }" },
      { anyName: true },
    );
    expect(diagnostics).toEqual([]);
    expect(Object.keys(plainValue(read!) as object)).toEqual(["__proto__"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe("laws", () => {
  it("nothing that people write makes it throw", () =>
    fc.assert(
      fc.property(
        fc
          .array(
            fc.constantFrom(..."abc:{}[],&*!|>'\"%@`#-?\n\t 019.<~\\".split(""), "\n  ", "<<: *", "&a "),
            {
              maxLength: 40,
            },
          )
          .map((characters) => characters.join("")),
        (text) => {
          const { value: read, diagnostics } = parse(text);
          if (read === undefined) expect(diagnostics.length).toBeGreaterThan(0);
          else plainValue(read);
          for (const { place, remedy } of diagnostics) {
            expect(place.line).toBeGreaterThan(0);
            expect(remedy).not.toBe("");
          }
        },
      ),
      { numRuns: 3000 },
    ));
});
