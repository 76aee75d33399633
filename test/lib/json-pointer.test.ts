import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { picked } from "../../src/lib/json-pointer.ts";
import { jsonTextOf } from "../../src/lib/json-text.ts";

/** What a pointer leads to in a value, by the way of JSON.parse. */
const follow = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (at, name) =>
      at !== null &&
      typeof at === "object" &&
      Object.hasOwn(at, name) &&
      (!Array.isArray(at) || /^(0|[1-9]\d*)$/.test(name))
        ? (at as Record<string, unknown>)[name]
        : undefined,
    value,
  );

/** Pointers to every value in a value. */
const pointers = (value: unknown): string[][] =>
  value !== null && typeof value === "object"
    ? [
        [],
        ...Object.entries(value).flatMap(([name, inner]) => pointers(inner).map((path) => [name, ...path])),
      ]
    : [[]];

describe("a value that is picked", () => {
  it("is the one to which the pointer leads, wherever it stands and however the text is laid out", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom("", " ", "\n\t"), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        for (const path of pointers(value)) {
          const found = picked(text, path);
          expect(found === undefined ? undefined : JSON.parse(found)).toEqual(follow(JSON.parse(text), path));
        }
      }),
    );
  });

  it("is none where the pointer leads nowhere", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string(), { minLength: 1, maxLength: 3 }), (value, path) => {
        const text = JSON.stringify(value);
        const found = picked(text, path);
        expect(found === undefined ? undefined : JSON.parse(found)).toEqual(follow(JSON.parse(text), path));
      }),
    );
  });

  it.each([
    ["an index with a zero before it", "[1,2]", ["01"]],
    ["an index that is none", "[1,2]", ["-"]],
    ["the length of a list", "[1,2]", ["length"]],
    ["a part of a text", '"abc"', ["0"]],
    ["a part of a number", "12", ["0"]],
  ])("is none: %s", (_, text, path) => expect(picked(text, path)).toBeUndefined());

  it("is found in deep nesting too", () => {
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    expect(picked(deep, ["a", "a"])?.length).toBe(deep.length - 12);
  });
});

describe("JSON text", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  it.each([
    ["is kept as it is written, but for blanks around it", bytes(" [1.0, 2]\n"), "[1.0, 2]"],
    ["may begin with a byte order mark", bytes("\ufeff{}"), "{}"],
    ["is not any other text", bytes("{]"), undefined],
    ["is not nothing", bytes(""), undefined],
    ["is in UTF-8", new Uint8Array([0x22, 0xe9, 0x22]), undefined],
  ])("%s", (_, given, expected) => expect(jsonTextOf(given)).toBe(expected));
});
