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

describe("a cookie that stands several times", () => {
  const words = inQuery({ type: "integer" }, { in: "cookie" });
  it.each([
    ["every one good", "q=1; other=x; q=2", []],
    ["the first at fault", "q=x; q=2", ["type"]],
    ["another at fault", "q=1; q=2; q=x; q=y", ["type"]],
    ["another of a name that begins alike", "q=1; qq=x", []],
  ])("%s", async (_, cookie, codes) => {
    const { errors } = await judging(words).ask("/a", { headers: { cookie } });
    expect(errors.map(({ code }) => code)).toEqual(codes);
  });
});

describe("a body whose type names two character encodings", () => {
  const ask = async (type: string) => {
    const asked = await judging(bodyDocument({})).ask("/things", {
      method: "POST",
      headers: { "content-type": type },
      body: "1",
    });
    return asked.status;
  };
  it("is refused where they differ", async () => {
    expect(await ask("application/json; charset=utf-8; charset=utf-16")).toBe(415);
    expect(await ask('application/json; charset=utf-8; charset="UTF-8"')).toBe(204);
  });
});

describe("a form with a field that stands twice", () => {
  const form = (schema: object): Words => ({
    paths: {
      "/a": {
        post: {
          operationId: "send",
          requestBody: { content: { "application/x-www-form-urlencoded": { schema } } },
          responses: { 204: { description: "Sent." } },
        },
      },
    },
  });
  const send = async (schema: object, body: string) => {
    const { errors } = await judging(form(schema)).ask("/a", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body,
    });
    return errors.map(({ name, pointer, code }) => `${name ?? pointer} ${code}`);
  };
  const schema = {
    type: "object",
    required: ["n"],
    properties: { n: { type: "integer" }, m: { type: "integer" } },
    additionalProperties: { type: "integer" },
  };
  it.each([
    ["that is named, beside other faults", "n=1&n=2&m=x", ["n repeated", "/m type"]],
    ["that is not named", "n=1&z=x&z=1", ["z repeated"]],
  ])("%s", async (_, body, told) => {
    expect(await send(schema, body)).toEqual(told);
  });
  it("which nothing is said of passes", async () => {
    expect(await send({ type: "object", properties: { n: { type: "integer" } } }, "n=1&z=1&z=2")).toEqual([]);
  });
});
