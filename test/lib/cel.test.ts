import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileExpression } from "../../src/compiler/expression.ts";
import type { Json } from "../../src/core/json.ts";
import { toTimestamp } from "../../src/lib/cel/convert.ts";
import { linkExpression, type Source } from "../../src/lib/cel/link.ts";
import type { Tree } from "../../src/lib/cel/tree.ts";
import { equal, own, Span, within } from "../../src/lib/cel/values.ts";
import { constants, names } from "./cel-corpus.ts";

type Values = Readonly<Record<string, unknown>>;

/** A scope whose one name is `claims`, read key by key. */
const claims: Source<Values> = { read: (scope) => scope, get: own };
const run = (tree: Tree, scope: Values = {}): unknown => linkExpression(tree, { claims })(scope);
const claim = (key: string): Tree => ["at", ["name", "claims"], key];

describe("a constant expression is what the CEL specification says", () => {
  it.each(constants)("%s", (text, value) => {
    const { expression } = compileExpression(text, names, { result: "dyn" });
    // What always fails is refused when compiled.
    const answer = expression === undefined ? undefined : linkExpression(expression, {})({});
    expect(answer).toStrictEqual(value);
  });
});

/** Trees as the compiler would not write them where it can settle them: they run. */
describe("a linked tree answers", () => {
  it.each<readonly [what: string, tree: Tree, scope: Values, answer: unknown]>([
    ["a claim", claim("a"), { a: "x" }, "x"],
    ["an error for a claim that is missing", claim("a"), {}, undefined],
    ["null for a claim that is null", claim("a"), { a: null }, null],
    ["an error for a claim of another type", ["as", "string", claim("a")], { a: 1 }, undefined],
    ["an int for a whole number that is declared so", ["as", "int", claim("a")], { a: 3 }, 3n],
    ["an error for a fraction that is declared an int", ["as", "int", claim("a")], { a: 3.5 }, undefined],
    ["an error for an int that JSON cannot hold", ["as", "int", claim("a")], { a: 2 ** 53 }, undefined],
    ["an error for one that is only compared", ["as", "integer", claim("a")], { a: 2 ** 53 }, undefined],
    ["an error for a list that is not all texts", ["as", "strings", claim("a")], { a: ["x", 1] }, undefined],
    ["a list of texts", ["as", "strings", claim("a")], { a: ["x"] }, ["x"]],
    ["an error for a text that is declared a list", ["as", "strings", claim("a")], { a: "admin" }, undefined],
    ["an error for a list that is declared a map", ["as", "map", claim("a")], { a: [] }, undefined],
    ["an error for null that is declared a map", ["as", "map", claim("a")], { a: null }, undefined],
    ["an error for a number that is declared bool", ["as", "boolean", claim("a")], { a: 1 }, undefined],
    ["an error for a text that is declared a number", ["as", "number", claim("a")], { a: "1" }, undefined],
    ["that a claim is there", ["has", ["name", "claims"], "a"], { a: null }, true],
    ["that a claim is not there", ["has", ["name", "claims"], "a"], {}, false],
    ["an error for a field of a text", ["has", claim("a"), "length"], { a: "x" }, undefined],
    ["an error for a field of what is missing", ["has", claim("a"), "b"], {}, undefined],
    ["that a key is in the claims", ["in", claim("k"), ["name", "claims"]], { k: "a", a: 1 }, true],
    ["that a key is not in the claims", ["in", claim("k"), ["name", "claims"]], { k: "b" }, false],
    ["an error for a key that is an error", ["in", claim("k"), ["name", "claims"]], {}, undefined],
    ["that a number is no key", ["in", claim("k"), ["name", "claims"]], { k: 1, 1: 1 }, false],
    ["that a number is no key of a map", ["in", claim("k"), claim("m")], { k: 1, m: { 1: 1 } }, false],
    ["an error for a part of a text", ["in", "adm", claim("a")], { a: "admin" }, undefined],
    ["an error for the size of a number", ["size", claim("a")], { a: 1 }, undefined],
    ["an error for the size of null", ["size", claim("a")], { a: null }, undefined],
    ["an error for the length of a text by name", claim("length"), {}, undefined],
    ["an error for the length of a list by name", ["at", claim("a"), "length"], { a: [1] }, undefined],
    ["a claim by a computed name", ["at", ["name", "claims"], claim("k")], { k: "a", a: 1 }, 1],
    [
      "an error for a computed name that is a number",
      ["at", ["name", "claims"], claim("k")],
      { k: 1 },
      undefined,
    ],
    ["an error for a macro over a text", ["exists", 0, claim("a"), true], { a: "x" }, undefined],
    ["an error for a macro over null", ["all", 0, claim("a"), true], { a: null }, undefined],
    ["an error for a condition that is no bool", ["all", 0, claim("a"), ["var", 0]], { a: [1] }, undefined],
    ["an error for hours of a text", ["utc", "Hours", claim("a")], { a: "2026-01-01T00:00:00Z" }, undefined],
    ["an error for bool() of an object", ["toText", claim("a")], { a: {} }, undefined],
    [
      "a timestamp of a text",
      ["toTimestamp", claim("a")],
      { a: "2026-01-01T00:00:00Z" },
      new Date("2026-01-01"),
    ],
    ["an error for an unordered pair", ["<", claim("a"), claim("b")], { a: [1], b: [2] }, undefined],
    ["an error for a span and a time", ["<", ["span", 1], ["instant", 2]], {}, undefined],
    ["an error for equality with an error", ["==", claim("a"), claim("b")], {}, undefined],
    ["an error for difference from an error", ["!=", claim("a"), "x"], {}, undefined],
    ["that null is not missing", ["==", claim("a"), null], { a: null }, true],
    ["an error for text and list joined", ["+", claim("a"), claim("b")], { a: "x", b: ["y"] }, undefined],
    ["an error for a remainder of doubles", ["%", claim("a"), claim("b")], { a: 3, b: 2 }, undefined],
    [
      "an error for a list of texts and numbers joined",
      ["join", claim("a"), ","],
      { a: ["x", 1] },
      undefined,
    ],
    ["that a name is there", ["given", ["name", "claims"]], {}, true],
  ])("%s", (_, tree, scope, answer) => {
    expect(run(tree, scope)).toStrictEqual(answer);
  });
});

describe("names of JavaScript (S25)", () => {
  const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "length"];
  it.each(NAMES)("%s is no claim, no key and no field of anything", (name) => {
    expect(run(claim(name))).toBeUndefined();
    expect(run(["has", ["name", "claims"], name])).toBe(false);
    expect(run(["in", name, ["name", "claims"]])).toBe(false);
    expect(run(["at", claim("a"), name], { a: {} })).toBeUndefined();
    expect(run(["has", claim("a"), name], { a: {} })).toBe(false);
    expect(run(["in", name, claim("a")], { a: {} })).toBe(false);
    expect(run(["at", claim("a"), claim("k")], { a: [1], k: name })).toBeUndefined();
    expect(run(["at", claim("a"), name], { a: "text" })).toBeUndefined();
    expect(run(["at", ["map", [["a", 1]]], name])).toBeUndefined();
  });
  it("are claims like others where a token has them", () => {
    const token = JSON.parse('{"__proto__":{"admin":true},"constructor":"c"}') as Values;
    expect(run(["at", claim("__proto__"), "admin"], token)).toBe(true);
    expect(run(claim("constructor"), token)).toBe("c");
    expect(run(claim("admin"), token)).toBeUndefined();
  });
});

describe("linking", () => {
  it("refuses what it does not know, when linked and not when it runs", () => {
    expect(() => linkExpression(["frobnicate", 1], {})).toThrow(/frobnicate/);
    expect(() => linkExpression(["toString", 1], {})).toThrow(/toString/);
    expect(() => linkExpression(["name", "claims"], {})).toThrow(/claims/);
    expect(() => linkExpression(["name", "constructor"], {})).toThrow(/constructor/);
  });
  it("never throws when it runs: what a source throws is an error", () => {
    const angry: Source<Values> = {
      read: () => {
        throw new TypeError("not a header name");
      },
    };
    expect(linkExpression(["==", ["name", "angry"], 1], { angry })({})).toBeUndefined();
  });
  it("answers an error for values that are nested too deep to compare", () => {
    const deep = (): unknown => {
      let value: unknown = [];
      for (let i = 0; i < 100_000; i++) value = [value];
      return value;
    };
    expect(run(["==", claim("a"), claim("b")], { a: deep(), b: deep() })).toBeUndefined();
  });
  it("keeps nothing of a request in the variables of macros", () => {
    const reads: unknown[] = [];
    const spy: Source<Values> = { read: (scope) => scope["list"] };
    const evaluate = linkExpression(["exists", 0, ["name", "spy"], ["==", ["var", 0], "x"]], { spy });
    reads.push(evaluate({ list: ["x"] }), evaluate({ list: ["y"] }), evaluate({}));
    expect(reads).toEqual([true, false, undefined]);
    const left = linkExpression(
      ["?:", ["exists", 0, ["name", "spy"], true], ["==", ["var", 0], "x"], false],
      { spy },
    );
    expect(left({ list: ["x"] })).toBeUndefined();
  });
  it("reads one key where the source can, and the whole only where it is asked for", () => {
    const asked: string[] = [];
    const source: Source<Values> = {
      read: () => {
        asked.push("all");
        return { a: "1" };
      },
      get: (_, key) => {
        asked.push(key);
        return key === "a" ? "1" : undefined;
      },
    };
    const evaluate = (tree: Tree) => linkExpression(tree, { headers: source })({});
    const headers: Tree = ["name", "headers"];
    expect(evaluate(["at", headers, "a"])).toBe("1");
    expect(evaluate(["at", headers, ["+", "", "a"]])).toBe("1");
    expect(evaluate(["in", "b", headers])).toBe(false);
    expect(evaluate(["has", headers, "a"])).toBe(true);
    expect(asked).toEqual(["a", "a", "b", "a"]);
    expect(evaluate(["length", headers])).toBe(1);
    expect(asked.at(-1)).toBe("all");
  });
});

describe("texts that are timestamps (RFC 3339)", () => {
  it.each([
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z",
    "2026-01-01",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-01:00",
    "2026-01-01T00:00:00Zx",
    "Thu, 01 Jan 2026 00:00:00 GMT",
    "",
  ])("%s is none", (text) => {
    expect(toTimestamp(text)).toBeUndefined();
  });
  it.each([
    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"],
    ["2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123Z"],
    ["2024-02-29T23:30:00-01:00", "2024-03-01T00:30:00.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ])("%s is %s", (text, instant) => {
    expect(toTimestamp(text)?.toISOString()).toBe(instant);
  });
});

describe("laws", () => {
  const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
  /** Sources of what an operand of a logical operator can be: decided, undecided, an error, no bool. */
  const operand = fc.constantFrom<readonly [Tree, boolean | undefined]>(
    [claim("yes"), true],
    [claim("no"), false],
    [claim("missing"), undefined],
    [claim("text"), undefined],
  );
  const scope = { yes: true, no: false, text: "true" };

  it("&& and || are what three-valued logic says, in any order and number", () => {
    fc.assert(
      fc.property(fc.array(operand, { minLength: 1, maxLength: 6 }), (parts) => {
        const trees = parts.map(([tree]) => tree);
        const values = parts.map(([, value]) => value);
        const or = values.includes(true) ? true : values.includes(undefined) ? undefined : false;
        const and = values.includes(false) ? false : values.includes(undefined) ? undefined : true;
        expect(run(["||", trees], scope)).toBe(or);
        expect(run(["&&", trees], scope)).toBe(and);
      }),
    );
  });
  it("equality is reflexive and symmetric, and a copy is equal", () => {
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(equal(a, structuredClone(a))).toBe(true);
        expect(equal(a, b)).toBe(equal(b, a));
      }),
    );
  });
  it("an int equals the double of the same value, and no other", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), (value) => {
        expect(equal(value, Number(value))).toBe(BigInt(Number(value)) === value);
        expect(equal(Number(value), value)).toBe(equal(value, Number(value)));
      }),
    );
  });
  it("what is in a list equals one of its elements", () => {
    fc.assert(
      fc.property(json, fc.array(json), (value, list) => {
        expect(within(value, list)).toBe(list.some((item) => equal(item, value)));
      }),
    );
  });
  it("time added is time taken away", () => {
    const ms = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(ms, fc.integer({ min: -1e12, max: 1e12 }), (at, by) => {
        const later: Tree = ["+", ["instant", at], ["span", by]];
        expect(run(["==", ["-", later, ["span", by]], ["instant", at]])).toBe(true);
        expect(run(["-", later, ["instant", at]])).toStrictEqual(new Span(by));
      }),
    );
  });
  it("no claims make an expression throw, or answer what is not theirs", () => {
    const trees: readonly Tree[] = [
      ["==", ["at", claim("a"), "b"], claim("c")],
      ["in", claim("a"), claim("b")],
      ["exists", 0, claim("a"), ["==", ["var", 0], claim("b")]],
      ["filter", 0, claim("a"), ["<", ["var", 0], claim("b")]],
      ["+", claim("a"), claim("b")],
      ["contains", claim("a"), claim("b")],
      ["at", claim("a"), claim("b")],
      ["toInt", claim("a")],
      ["toTimestamp", claim("a")],
      ["&&", [claim("a"), claim("b")]],
    ];
    fc.assert(
      fc.property(fc.record({ a: json, b: json, c: json }), fc.constantFrom(...trees), (scope, tree) => {
        expect(typeof run(tree, scope)).not.toBe("function");
      }),
    );
  });
});
