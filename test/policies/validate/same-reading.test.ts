import { describe, expect, it } from "vitest";
import { bodyDocument, judging, type Words } from "./judging.ts";

/** What is judged has to be what the service will read, however it reads. */
const inQuery = (schema: object, more: object = {}): Words => ({
  paths: {
    "/a": {
      get: {
        operationId: "read",
        parameters: [{ name: "q", in: "query", schema, ...more }],
        responses: { 204: { description: "Read." } },
      },
    },
  },
});
const send = async (schema: object, body: string) => {
  const { status, code } = await judging(bodyDocument(schema)).ask("/things", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  return [status, code];
};
const ADMIN = { type: "object", properties: { admin: { const: false }, a: {} } };
const REFUSED = [400, "malformed-body"];

describe("a body of JSON with two members of one name", () => {
  it.each([
    ["side by side", '{"admin":true,"admin":false}'],
    ["one of them by escapes", '{"\\u0061dmin":true,"admin":false}'],
    ["further in", '{"a":[{"b":1},{"b":1,"c":2,"b":3}]}'],
    ["both of the same value", '{"a":1, "a" : 1}'],
    ["that all objects have", '{"__proto__":{"admin":true},"__proto__":{}}'],
    ["of no characters", '{"":1,"":2}'],
  ])("is refused: %s", async (_, body) => {
    expect(await send(ADMIN, body)).toEqual(REFUSED);
  });

  it.each([
    ["names in values", '{"a":"\\"a\\":1, \\"a\\":2","admin":false}'],
    ["one name in several objects", '{"a":[{"a":1},{"a":2}],"admin":false}'],
    ["names that differ in case", '{"a":1,"A":1}'],
    ["backslashes before quotes", '{"a":"\\\\","admin":false}'],
    ["no members", "[[],{},null,1]"],
    ["a text alone", '"a:"'],
    ["blanks of all sorts", '{"a" \t\r\n: {"b":\n1}}'],
  ])("is none: %s", async (_, body) => {
    expect(await send({}, body)).toEqual([204, undefined]);
  });

  it("may be nested at will", async () => {
    const deep = `${'{"a":['.repeat(20_000)}1${"]}".repeat(20_000)}`;
    expect(await send({}, deep)).toEqual([204, undefined]);
  });

  it("is refused in a parameter too", async () => {
    const words = inQuery({}, { content: { "application/json": { schema: {} } }, schema: undefined });
    const { errors } = await judging(words).ask(`/a?q=${encodeURIComponent('{"a":1,"a":2}')}`);
    expect(errors).toEqual([
      {
        in: "query",
        name: "q",
        code: "malformed-json",
        message: "has an object with two members of one name",
      },
    ]);
  });
});

describe("a parameter that may be empty", () => {
  const ITEMS = { type: "array", items: { type: "integer" } };
  const DEEP = { type: "object", properties: { x: { type: "integer" } } };
  it.each([
    ["is empty", { type: "integer" }, {}, "q=", []],
    ["stands twice", { type: "integer" }, {}, "q=&q=x", ["repeated"]],
    ["is a list with one item that is empty", ITEMS, {}, "q=", []],
    ["is a list with others behind the empty one", ITEMS, {}, "q=&q=x", ["type", "type"]],
    [
      "is an object, and stands empty beside its members",
      DEEP,
      { style: "deepObject", explode: true },
      "q=&q[x]=a",
      ["type"],
    ],
  ])("%s", async (_, schema, more, query, codes) => {
    const { errors } = await judging(inQuery(schema, { allowEmptyValue: true, ...more })).ask(`/a?${query}`);
    expect(errors.map(({ code }) => code)).toEqual(codes);
  });
});
