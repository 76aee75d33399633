import { describe, expect, it } from "vitest";
import { parsePointer } from "../../../src/policies/body/pointer.ts";
import { compileBody } from "./harness.ts";

describe("pointers (RFC 6901)", () => {
  it.each([
    ["", []],
    ["/", [""]],
    ["/a/b", ["a", "b"]],
    ["/a~1b/m~0n/~01", ["a/b", "m~n", "~1"]],
    ["/a//b", ["a", "", "b"]],
    ["/items/*/cost", ["items", null, "cost"]],
    ["/a*/**", ["a*", "**"]],
    ["/__proto__/0/-", ["__proto__", "0", "-"]],
    ["/ü %", ["ü %"]],
  ])("%j", (text, tokens) => {
    expect(parsePointer(text)).toEqual(tokens);
  });

  it.each(["a", "a/b", "#/a", "/~", "/a~2", "/~a", "$.a", " /a"])("refuses %j", (text) => {
    expect(parsePointer(text)).toBeUndefined();
  });
});

describe("what is compiled", () => {
  it("of a request", () => {
    const config = {
      request: {
        maxBody: "64KiB",
        edits: [
          { op: "add", path: "/source", value: null },
          { op: "remove", path: "/items/*/cost", optional: true },
          { op: "move", from: "/a", path: "/b" },
          { op: "replace", path: "/caller", expression: "identity.id" },
        ],
      },
    };
    expect(compileBody(config, "request")).toEqual({
      step: {
        to: "request",
        maxBytes: 65_536,
        edits: [
          { op: "add", path: ["source"], value: "null" },
          { op: "remove", path: ["items", null, "cost"], optional: true },
          { op: "move", from: ["a"], path: ["b"] },
          { op: "replace", path: ["caller"], expression: ["name", "identity.id"] },
        ],
      },
      faults: [],
    });
    expect(compileBody(config, "response").step).toBeUndefined();
  });

  it("of answers has a mark that follows the edits alone", () => {
    const markOf = (response: unknown) => compileBody({ response }, "response").step?.mark;
    const edits = [{ op: "add", path: "/a", value: { b: 1 } }];
    expect(markOf({ edits })).toMatch(/^[0-9a-z]+$/);
    expect(markOf({ edits, maxBody: "1KiB" })).toBe(markOf({ edits }));
    expect(markOf({ edits: [{ ...edits[0], value: { b: 2 } }] })).not.toBe(markOf({ edits }));
  });

  it.each([
    [["GET", "HEAD"], "route", ["edits-without-body"]],
    [["GET"], "api", []],
    [["GET", "POST"], "route", undefined],
    [[], "route", undefined],
  ] as const)("of a request, for the methods %j on the %s", (methods, level, faults) => {
    const config = { request: { edits: [{ op: "remove", path: "/a" }] } };
    const compiled = compileBody(config, "request", { methods, level });
    expect(compiled.step === undefined).toBe(faults !== undefined);
    expect(compiled.faults.map(({ code }) => code)).toEqual(faults ?? []);
  });
});

describe("what the policy refuses", () => {
  it.each<[string, object, string, string]>([
    ["a path without its slash", { op: "remove", path: "a" }, "bad-pointer", "path"],
    ["an escape that is none", { op: "remove", path: "/a~2" }, "bad-pointer", "path"],
    ["no path", { op: "remove" }, "invalid_type", "path"],
    ["an operation that is none", { op: "delete", path: "/a" }, "invalid_value", "op"],
    ["add without a value", { op: "add", path: "/a" }, "edit-incomplete", "op"],
    ["replace without a value", { op: "replace", path: "/a" }, "edit-incomplete", "op"],
    ["test without a value", { op: "test", path: "/a" }, "edit-incomplete", "op"],
    ["move from nowhere", { op: "move", path: "/a" }, "edit-incomplete", "op"],
    ["copy from nowhere", { op: "copy", path: "/a" }, "edit-incomplete", "op"],
    ["a value to remove", { op: "remove", path: "/a", value: 1 }, "edit-unused-key", "value"],
    ["a value to move", { op: "move", from: "/a", path: "/b", value: null }, "edit-unused-key", "value"],
    ["add from elsewhere", { op: "add", from: "/a", path: "/b", value: 1 }, "edit-unused-key", "from"],
    ["two values", { op: "add", path: "/a", value: 1, expression: "1" }, "edit-unused-key", "expression"],
    ["to remove everything", { op: "remove", path: "" }, "edit-of-everything", "path"],
    ["to add at each", { op: "add", path: "/items/*", value: 1 }, "edit-wildcard", "path"],
    ["to copy to each", { op: "copy", from: "/a/*", path: "/a/*" }, "edit-wildcard", "path"],
    ["one to many", { op: "copy", from: "/a", path: "/items/*/a" }, "edit-wildcard", "from"],
    ["many to one", { op: "move", from: "/items/*/a", path: "/a" }, "edit-wildcard", "from"],
    ["each to each of another", { op: "copy", from: "/a/*/x", path: "/b/*/x" }, "edit-wildcard", "from"],
    ["to move into itself", { op: "move", from: "/a", path: "/a/b" }, "edit-into-itself", "path"],
    ["to move each into itself", { op: "move", from: "/a/*", path: "/a/*/b" }, "edit-into-itself", "path"],
    ["to move everything into itself", { op: "move", from: "", path: "/b" }, "edit-into-itself", "path"],
    [
      "a number that is read otherwise",
      { op: "add", path: "/a", value: { b: [2 ** 53] } },
      "edit-lossy-number",
      "value",
    ],
    ["an infinity", { op: "add", path: "/a", value: Number.POSITIVE_INFINITY }, "edit-lossy-number", "value"],
    ["an unknown key", { op: "remove", path: "/a", comment: "" }, "unrecognized_keys", ""],
    [
      "an expression that is none",
      { op: "add", path: "/a", expression: "identity." },
      "expression-syntax",
      "expression",
    ],
    [
      "an expression of unknown names",
      { op: "add", path: "/a", expression: "caller.id" },
      "expression-unknown-name",
      "expression",
    ],
  ])("%s", (_, edit, code, key) => {
    const at = ["request", "edits", "0", ...(key === "" ? [] : [key])].join(".");
    expect(compileBody({ request: { edits: [edit] } }, "request").faults).toEqual([{ code, at }]);
  });

  it.each<[string, object, string, string]>([
    ["no edits", { edits: [] }, "too_small", "edits"],
    [
      "more edits than anybody means",
      { edits: Array.from({ length: 101 }, () => ({ op: "remove", path: "/a" })) },
      "too_big",
      "edits",
    ],
    ["no limit at all", { maxBody: "1GiB", edits: [{ op: "remove", path: "/a" }] }, "custom", "maxBody"],
    ["nothing as a limit", { maxBody: "0B", edits: [{ op: "remove", path: "/a" }] }, "custom", "maxBody"],
    [
      "an expression in an answer, which may be stored",
      { edits: [{ op: "add", path: "/a", expression: "identity.id" }] },
      "invalid_type",
      "edits.0.expression",
    ],
  ])("%s", (_, response, code, at) => {
    expect(compileBody({ response }, "response").faults).toEqual([{ code, at: `response.${at}` }]);
  });
});
