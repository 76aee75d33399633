import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyOperations, type Failure, type Operation } from "../../../src/policies/body/operations.ts";
import { parsePointer } from "../../../src/policies/body/pointer.ts";

type Written = Omit<Operation, "path" | "from"> & { path: string; from?: string; value?: unknown };

/** Applies operations as they are written. */
const apply = (json: string, ...operations: readonly Written[]): string | Failure =>
  applyOperations(
    json,
    operations.map(({ path, from, value, ...rest }) => ({
      ...rest,
      path: parsePointer(path)!,
      ...(from === undefined ? {} : { from: parsePointer(from)! }),
      json: value === undefined ? undefined : JSON.stringify(value),
    })),
    (operation) => operation.json,
  );

describe("what no edit touches", () => {
  it.each([
    ["numbers that a double cannot hold", "12345678901234567890"],
    ["a fraction of zero", "1.0"],
    ["negative zero", "-0"],
    ["an exponent", "1E+400"],
    ["many digits", "0.1000000000000000055511151231257827021181583404541015625"],
    ["escapes", '"\\u00e9\\/\\ud83d\\ude00\\u0000"'],
    ["half a character", '"\\ud800"'],
    ["a quote behind backslashes", '"\\\\\\"}]"'],
    ["blanks inside", '{ "a" :\t[ 1 ,\n2 ] }'],
    ["names twice, where no edit looks", '{"a":1,"a":2}'],
    ["a name that objects have", '{"__proto__":{"x":1},"constructor":2}'],
    ["brackets in texts", '"]}[{,:"'],
  ])("stays to the letter: %s", (_, value) => {
    const json = `{"keep":${value},"list":[${value}],"gone":1}`;
    expect(apply(json, { op: "remove", path: "/gone" }, { op: "add", path: "/list/-", value: 1 })).toBe(
      `{"keep":${value},"list":[${value},1]}`,
    );
    expect(apply(`{"from":${value}}`, { op: "move", from: "/from", path: "/to" })).toBe(`{"to":${value}}`);
    expect(apply(`[${value}]`, { op: "copy", from: "/0", path: "/-" })).toBe(`[${value},${value}]`);
  });

  it("keeps the spelling of names", () => {
    expect(apply('{"\\u0061":1,"b\\/c":2}', { op: "replace", path: "/a", value: 3 })).toBe(
      '{"\\u0061":3,"b\\/c":2}',
    );
    expect(apply('{"b\\/c":{"x":1}}', { op: "add", path: "/b~1c/y", value: 2 })).toBe(
      '{"b\\/c":{"x":1,"y":2}}',
    );
  });

  it("keeps the order of members", () => {
    expect(
      apply(
        '{"b":1,"a":2,"c":3}',
        { op: "replace", path: "/a", value: 0 },
        { op: "add", path: "/b", value: 0 },
      ),
    ).toBe('{"b":0,"a":0,"c":3}');
  });

  it("is nested as deep as it likes", () => {
    const deep = "[".repeat(200_000) + "]".repeat(200_000);
    expect(apply(`{"a":${deep},"b":1}`, { op: "remove", path: "/b" })).toBe(`{"a":${deep}}`);
    expect(apply(`{"a":${deep}}`, { op: "test", path: "/a", value: [[1]] })).toMatchObject({
      reason: "different",
    });
  });
});

describe("a star", () => {
  it.each<[string, string, Written, string]>([
    [
      "is every element",
      '{"items":[{"a":1,"cost":2},{"cost":3}]}',
      { op: "remove", path: "/items/*/cost" },
      '{"items":[{"a":1},{}]}',
    ],
    [
      "is every member",
      '{"x":{"cost":1},"y":{"cost":2}}',
      { op: "remove", path: "/*/cost" },
      '{"x":{},"y":{}}',
    ],
    [
      "is every one of every one",
      '[[{"a":1}],[{"a":2},{"a":3}]]',
      { op: "remove", path: "/*/*/a" },
      "[[{}],[{},{}]]",
    ],
    ["takes away all elements", "[1,2,3]", { op: "remove", path: "/*" }, "[]"],
    ["takes away all members", '{"a":1,"b":2}', { op: "remove", path: "/*" }, "{}"],
    ["replaces each", "[1,2]", { op: "replace", path: "/*", value: "x" }, '["x","x"]'],
    ["adds to each", '[{},{"a":1}]', { op: "add", path: "/*/a", value: 0 }, '[{"a":0},{"a":0}]'],
    ["inserts into each", "[[],[1]]", { op: "add", path: "/*/0", value: 0 }, "[[0],[0,1]]"],
    ["tests each", '[{"a":1},{"a":1.0}]', { op: "test", path: "/*/a", value: 1 }, '[{"a":1},{"a":1.0}]'],
    ["of nothing changes nothing", '{"items":[]}', { op: "remove", path: "/items/*/cost" }, '{"items":[]}'],
    [
      "renames in each",
      '[{"old":1,"b":2},{"old":3}]',
      { op: "move", from: "/*/old", path: "/*/new" },
      '[{"b":2,"new":1},{"new":3}]',
    ],
    [
      "copies in each",
      '{"l":[{"a":{"b":1}}]}',
      { op: "copy", from: "/l/*/a/b", path: "/l/*/c" },
      '{"l":[{"a":{"b":1},"c":1}]}',
    ],
    [
      "copies each into itself",
      '[{"a":1}]',
      { op: "copy", from: "/*", path: "/*/b" },
      '[{"a":1,"b":{"a":1}}]',
    ],
  ])("%s", (_, json, operation, expected) => {
    expect(apply(json, operation)).toBe(expected);
  });

  it.each<[string, string, Written, Partial<Failure>]>([
    [
      "an element that lacks it",
      '[{"a":1},{}]',
      { op: "remove", path: "/*/a" },
      { reason: "missing", pointer: "/1/a" },
    ],
    [
      "a list that is none",
      '{"items":1}',
      { op: "remove", path: "/items/*" },
      { reason: "missing", pointer: "/items" },
    ],
    [
      "a test of one that fails",
      '[{"a":1},{"a":2}]',
      { op: "test", path: "/*/a", value: 1 },
      { reason: "different", pointer: "/1/a" },
    ],
    [
      "a member to be renamed that is missing",
      '[{"o":1},{}]',
      { op: "move", from: "/*/o", path: "/*/n" },
      { reason: "missing", pointer: "/1/o" },
    ],
  ])("fails for %s", (_, json, operation, failure) => {
    expect(apply(json, operation)).toMatchObject(failure);
  });
});

describe("an optional edit", () => {
  it.each<[string, string, Written, string]>([
    ["remove", '{"a":1}', { op: "remove", path: "/b" }, '{"a":1}'],
    ["remove far below", '{"a":1}', { op: "remove", path: "/b/c/d" }, '{"a":1}'],
    ["remove through a scalar", '{"a":1}', { op: "remove", path: "/a/b" }, '{"a":1}'],
    ["replace", '{"a":1}', { op: "replace", path: "/b", value: 2 }, '{"a":1}'],
    ["add below what is missing", '{"a":1}', { op: "add", path: "/b/c", value: 2 }, '{"a":1}'],
    ["add behind the end", "[1]", { op: "add", path: "/3", value: 2 }, "[1]"],
    ["test", '{"a":1}', { op: "test", path: "/b", value: 2 }, '{"a":1}'],
    ["copy from what is missing", '{"a":1}', { op: "copy", from: "/b", path: "/c" }, '{"a":1}'],
    ["each that has it", '[{"a":1},{},7,{"a":2}]', { op: "remove", path: "/*/a" }, "[{},{},7,{}]"],
    [
      "move, and what cannot arrive stays",
      '[1,{"a":2},3]',
      { op: "move", from: "/1/a", path: "/9/b" },
      '[1,{"a":2},3]',
    ],
    [
      "move of an element, and it stays where it was",
      "[1,2,3]",
      { op: "move", from: "/1", path: "/7" },
      "[1,2,3]",
    ],
    [
      "rename of each that has it",
      '[{"o":1},{},{"o":2}]',
      { op: "move", from: "/*/o", path: "/*/n" },
      '[{"n":1},{},{"n":2}]',
    ],
  ])("comes to nothing where its place is missing: %s", (_, json, operation, expected) => {
    expect(apply(json, operation)).toMatchObject({ reason: "missing" });
    expect(apply(json, { ...operation, optional: true })).toBe(expected);
  });

  it("fails all the same where a test does", () => {
    expect(apply('{"a":1}', { op: "test", path: "/a", value: 2, optional: true })).toMatchObject({
      reason: "different",
    });
  });
});

describe("an edit without a value", () => {
  const without = (json: string, op: "add" | "replace" | "test", path: string, optional: boolean) =>
    applyOperations(json, [{ op, path: parsePointer(path)!, optional }], () => undefined);

  it.each([
    ["takes away what somebody wrote there", "add", '{"a":1,"b":2}', "/a", '{"b":2}'],
    ["replaces by nothing", "replace", "[1,2]", "/0", "[2]"],
    ["inserts no element", "add", "[1,2]", "/0", "[1,2]"],
    ["adds nothing", "add", '{"b":2}', "/a", '{"b":2}'],
  ] as const)("%s where it is optional", (_, op, json, path, expected) => {
    expect(without(json, op, path, true)).toBe(expected);
    expect(without(json, op, path, false)).toMatchObject({ reason: "no-value", pointer: path });
  });

  it("cannot make a test pass, nor leave no body", () => {
    expect(without('{"a":1}', "test", "/a", true)).toMatchObject({ reason: "no-value" });
    expect(without('{"a":1}', "replace", "", true)).toMatchObject({ reason: "no-value", pointer: "" });
  });
});

describe("names", () => {
  it.each<[string, string, Written]>([
    ["on the way", '{"a":{"x":1},"a":{"y":1}}', { op: "remove", path: "/a/x" }],
    ["at the place", '{"role":"user","role":"admin"}', { op: "test", path: "/role", value: "admin" }],
    ["written in two ways", '{"a":1,"\\u0061":2}', { op: "remove", path: "/a" }],
    ["beside the place", '{"b":1,"b":2,"a":1}', { op: "remove", path: "/a" }],
    ["even where the edit is optional", '{"a":1,"a":2}', { op: "remove", path: "/b", optional: true }],
  ])("that come twice are refused %s, since readers differ", (_, json, operation) => {
    expect(apply(json, operation)).toMatchObject({ reason: "duplicate", pointer: "" });
  });

  it.each(["__proto__", "constructor", "hasOwnProperty", "toString"])("such as %s are data (S25)", (name) => {
    expect(apply(`{"${name}":{"a":1}}`, { op: "add", path: `/${name}/polluted`, value: true })).toBe(
      `{"${name}":{"a":1,"polluted":true}}`,
    );
    expect(apply("{}", { op: "add", path: `/${name}`, value: {} })).toBe(`{"${name}":{}}`);
    expect(apply("{}", { op: "remove", path: `/${name}` })).toMatchObject({ reason: "missing" });
    expect(apply("[]", { op: "copy", from: `/${name}`, path: "/0" })).toMatchObject({ reason: "missing" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("of failures are escaped", () => {
    expect(apply('{"a/b":{}}', { op: "remove", path: "/a~1b/c~0d" })).toMatchObject({
      pointer: "/a~1b/c~0d",
    });
  });
});

describe("an index", () => {
  it.each(["01", "00", "-1", "1.0", "1e0", "+1", " 1", "", "-", "2", "length", "4294967296"])(
    "is not %j where the list has two elements",
    (token) => {
      expect(apply("[7,8]", { op: "remove", path: `/${token}` })).toMatchObject({ reason: "missing" });
      expect(apply("[7,8]", { op: "test", path: `/${token}`, value: 8 })).toMatchObject({
        reason: "missing",
      });
    },
  );
});

describe("the root", () => {
  it.each<[string, string, Written, string]>([
    ["is replaced", "[1]", { op: "replace", path: "", value: { a: 1 } }, '{"a":1}'],
    ["is replaced by add", " [1] ", { op: "add", path: "", value: null }, "null"],
    ["is wrapped", '{"a":1}', { op: "copy", from: "", path: "/whole" }, '{"a":1,"whole":{"a":1}}'],
    ["is unwrapped", '{"data":{"a":1.0}}', { op: "move", from: "/data", path: "" }, '{"a":1.0}'],
    ["stays where it is", "[1]", { op: "move", from: "", path: "" }, "[1]"],
  ])("%s", (_, json, operation, expected) => {
    expect(apply(json, operation)).toBe(expected);
  });

  it("cannot be moved into itself", () => {
    expect(apply('{"a":1}', { op: "move", from: "", path: "/b" })).toMatchObject({ reason: "missing" });
    expect(apply('{"a":{"b":1}}', { op: "move", from: "/a", path: "/a/b" })).toMatchObject({
      reason: "missing",
    });
  });
});

describe("several edits", () => {
  it("apply in their order", () => {
    expect(
      apply(
        "{}",
        { op: "add", path: "/a", value: {} },
        { op: "add", path: "/a/b", value: [] },
        { op: "add", path: "/a/b/-", value: 1 },
      ),
    ).toBe('{"a":{"b":[1]}}');
  });

  it("name the one that fails", () => {
    expect(apply('{"a":1}', { op: "remove", path: "/a" }, { op: "remove", path: "/a" })).toEqual({
      reason: "missing",
      operation: 1,
      pointer: "/a",
    });
  });

  it("leave copies alone when the original changes", () => {
    expect(
      apply(
        '{"a":{"b":1}}',
        { op: "test", path: "/a/b", value: 1 },
        { op: "copy", from: "/a", path: "/c" },
        { op: "replace", path: "/a/b", value: 2 },
      ),
    ).toBe('{"a":{"b":2},"c":{"b":1}}');
  });
});

describe("laws", () => {
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { depthSize: "small" },
      fc.oneof(
        fc.constantFrom("0", "1.0", "-0", "1e3", "12345678901234567890", "true", "null"),
        fc.string().map((text) => JSON.stringify(text)),
      ),
      fc.array(tie("json")).map((items) => `[${items.join(" ,\n")}]`),
      fc
        .uniqueArray(fc.tuple(fc.string(), tie("json")), { selector: ([name]) => name })
        .map(
          (members) =>
            `{ ${members.map(([name, value]) => `${JSON.stringify(name)}\t: ${String(value)}`).join(", ")} }`,
        ),
    ),
  })) as { json: fc.Arbitrary<string> };

  /** Every pointer into a value. */
  const pointersOf = (value: unknown, at = ""): string[] =>
    typeof value !== "object" || value === null
      ? [at]
      : [
          at,
          ...Object.entries(value).flatMap(([name, inner]) =>
            pointersOf(inner, `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`),
          ),
        ];

  const placed = fc.tuple(json, fc.nat()).map(([text, index]) => {
    const pointers = pointersOf(JSON.parse(text)).filter((pointer) => !pointer.split("/").includes("*"));
    return { text, pointer: pointers[index % pointers.length]! };
  });

  it("every value can be found, equals itself, and is left as it is", () => {
    fc.assert(
      fc.property(placed, ({ text, pointer }) => {
        const found = apply(text, { op: "copy", from: pointer, path: "" });
        expect(typeof found).toBe("string");
        const value = JSON.parse(found as string) as unknown;
        const result = apply(text, { op: "test", path: pointer, value });
        // A number that a double cannot hold is not equal to what JSON.parse made of it.
        if (typeof result === "string") expect(JSON.parse(result)).toEqual(JSON.parse(text));
        else expect(found).toContain("12345678901234567890");
      }),
    );
  });

  it("what is replaced, removed or added changes at its place only", () => {
    fc.assert(
      fc.property(placed, ({ text, pointer }) => {
        fc.pre(pointer !== "");
        const mark = "here was a value";
        const marked = apply(text, { op: "replace", path: pointer, value: mark }) as string;
        const back = apply(
          marked,
          { op: "test", path: pointer, value: mark },
          { op: "remove", path: pointer },
        ) as string;
        expect(back).toBe(apply(text, { op: "remove", path: pointer }));
        const replaced = apply(text, { op: "copy", from: pointer, path: "" }) as string;
        expect(
          apply(
            marked.replace(JSON.stringify(mark), () => replaced),
            { op: "test", path: "/nowhere", optional: true, value: 1 },
          ),
        ).toBe(marked.replace(JSON.stringify(mark), () => replaced));
      }),
    );
  });

  it("the same as on plain objects, for replace", () => {
    fc.assert(
      fc.property(placed, ({ text, pointer }) => {
        fc.pre(pointer !== "");
        const plain = JSON.parse(text) as Record<string, unknown>;
        const tokens = parsePointer(pointer) as string[];
        const last = tokens.pop()!;
        const holder = tokens.reduce<Record<string, unknown>>(
          (inner, token) => inner[token] as Record<string, unknown>,
          plain,
        );
        Object.defineProperty(holder, last, {
          value: [1],
          enumerable: true,
          configurable: true,
          writable: true,
        });
        expect(JSON.parse(apply(text, { op: "replace", path: pointer, value: [1] }) as string)).toEqual(
          plain,
        );
      }),
    );
  });
});

it("is linear in the size of the body", () => {
  const items = Array.from({ length: 40_000 }, (_, index) => `{"id":${index},"cost":1.50,"name":"\\"\\\\"}`);
  const begun = performance.now();
  const result = apply(`{"items":[${items.join(",")}]}`, { op: "remove", path: "/items/*/cost" });
  expect((result as string).includes("cost")).toBe(false);
  expect(performance.now() - begun).toBeLessThan(2000);
});
