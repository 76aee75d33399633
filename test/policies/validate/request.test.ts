import { describe, expect, it } from "vitest";
import { planOf } from "../../support/compiling.ts";
import { bodyDocument, compileDocument, judging, validatorsOf, type Words } from "./judging.ts";

const told = (errors: readonly { in: string; name?: string; pointer?: string; code: string }[]) =>
  errors.map(({ in: place, name, pointer, code }) =>
    [place, name, pointer, code].filter((part) => part !== undefined).join(" "),
  );

const parameters = (
  path: string,
  list: readonly object[],
  config: object = {},
  openapi = "3.1.0",
): Words => ({
  openapi,
  config,
  paths: {
    [path]: { get: { operationId: "read", parameters: list, responses: { 204: { description: "Read." } } } },
  },
  components: { securitySchemes: { key: { type: "apiKey", in: "query", name: "api_key" } } },
});
const inPath = (schema: object, more: object = {}) => [
  { name: "id", in: "path", required: true, schema, ...more },
];
const inQuery = (schema: object, more: object = {}) => [{ name: "q", in: "query", schema, ...more }];
const INTEGERS = { type: "array", items: { type: "integer" } };
const POINT = {
  type: "object",
  properties: { x: { type: "integer" }, y: { type: "integer" } },
  required: ["x"],
  additionalProperties: false,
};

describe("parameters", () => {
  it.each([
    ["an integer in the path", inPath({ type: "integer" }), "/a/12", []],
    ["a text where an integer is wanted", inPath({ type: "integer" }), "/a/x", ["path id type"]],
    ["a label", inPath({ type: "integer" }, { style: "label" }), "/a/.12", []],
    [
      "a label without its dot",
      inPath({ type: "integer" }, { style: "label" }),
      "/a/12",
      ["path id malformed-value"],
    ],
    ["a list", inPath(INTEGERS), "/a/1,2,3", []],
    ["a list with an item at fault", inPath(INTEGERS), "/a/1,x,3", ["path id /1 type"]],
    [
      "a comma that is encoded is none between items",
      inPath({ type: "array", items: { type: "string" }, maxItems: 1 }),
      "/a/1%2C2",
      [],
    ],
    ["an object", inPath(POINT), "/a/x,1,y,2", []],
    ["an exploded object", inPath(POINT, { explode: true }), "/a/x=1,y=b", ["path id /y type"]],
    ["an object without what it needs", inPath(POINT), "/a/y,2", ["path id /x required"]],
    ["a text in the query", inQuery({ type: "string" }), "/a?q=1", []],
    ["the text 1 is not the number", inQuery({ const: "1" }), "/a?q=1", []],
    ["the number 1 is not the text", inQuery({ const: 1 }), "/a?q=1", []],
    ["a number that may be a text", inQuery({ type: ["integer", "string"], minLength: 1 }), "/a?q=1", []],
    [
      "a text that looks like a number, where that is too small",
      inQuery({ anyOf: [{ type: "integer", minimum: 5 }, { type: "string" }] }),
      "/a?q=1",
      [],
    ],
    ["one of two types", inQuery({ anyOf: [{ type: "integer" }, { type: "boolean" }] }), "/a?q=true", []],
    [
      "none of two types",
      inQuery({ anyOf: [{ type: "integer" }, { type: "boolean" }] }),
      "/a?q=x",
      ["query q type", "query q type", "query q any-of"],
    ],
    ["a bound", inQuery({ type: "integer", maximum: 100 }), "/a?q=101", ["query q too-large"]],
    ["a boolean", inQuery({ type: "boolean" }), "/a?q=yes", ["query q type"]],
    ["an enum", inQuery({ type: "string", enum: ["a", "b"] }), "/a?q=c", ["query q enum"]],
    ["null by nothing", inQuery({ type: ["integer", "null"] }), "/a?q=", []],
    ["nothing where an integer is wanted", inQuery({ type: "integer" }), "/a?q=", ["query q type"]],
    ["nothing where that is allowed", inQuery({ type: "integer" }, { allowEmptyValue: true }), "/a?q", []],
    ["a list, exploded by default", inQuery(INTEGERS), "/a?q=1&q=2", []],
    ["a list that is not exploded", inQuery(INTEGERS, { explode: false }), "/a?q=1,x", ["query q /1 type"]],
    ["blanks", inQuery(INTEGERS, { style: "spaceDelimited", explode: false }), "/a?q=1%202", []],
    ["pipes", inQuery(INTEGERS, { style: "pipeDelimited", explode: false }), "/a?q=1|2", []],
    ["unique items", inQuery({ ...INTEGERS, uniqueItems: true }), "/a?q=1&q=1", ["query q not-unique"]],
    ["a deep object", inQuery(POINT, { style: "deepObject", explode: true }), "/a?q[x]=1&q[y]=2", []],
    [
      "a deep object with a fault",
      inQuery(POINT, { style: "deepObject", explode: true }),
      "/a?q[x]=a",
      ["query q /x type"],
    ],
    ["an exploded object", inQuery(POINT), "/a?x=1&y=2", []],
    [
      "JSON",
      inQuery({}, { schema: undefined, content: { "application/json": { schema: POINT } } }),
      "/a?q=%7B%22x%22:1%7D",
      [],
    ],
    [
      "JSON with a fault",
      inQuery({}, { schema: undefined, content: { "application/json": { schema: POINT } } }),
      "/a?q=%7B%22x%22:%221%22%7D",
      ["query q /x type"],
    ],
    [
      "JSON that is none",
      inQuery({}, { schema: undefined, content: { "application/json": { schema: POINT } } }),
      "/a?q=%7B",
      ["query q malformed-json"],
    ],
    ["a text that stands twice", inQuery({ type: "string" }), "/a?q=1&q=2", ["query q repeated"]],
    ["what is missing", inQuery({ type: "string" }, { required: true }), "/a", ["query q required"]],
    [
      "what is missing among others",
      inQuery({ type: "string" }, { required: true }),
      "/a?p=1",
      ["query q required"],
    ],
    ["what may be missing", inQuery({ type: "integer" }), "/a", []],
    [
      "a percent-encoding that is broken",
      inQuery({ type: "string" }),
      "/a?q=%zz",
      ["query q malformed-encoding"],
    ],
    ["a format", inQuery({ type: "string", format: "date" }), "/a?q=2024-02-30", ["query q format"]],
    ["a plus sign is a blank", inQuery({ const: "a b" }), "/a?q=a+b", []],
    [
      "a plus sign where reserved characters stand for themselves",
      inQuery({ const: "a+b" }, { allowReserved: true }),
      "/a?q=a+b",
      [],
    ],
    ["a number beyond all", inQuery({ type: "number" }), "/a?q=1e400", ["query q type"]],
  ])("%s", async (_, list, target, faults) => {
    const path = (list[0] as { in: string }).in === "path" ? "/a/{id}" : "/a";
    for (const openapi of ["3.0.3", "3.1.0"]) {
      if (openapi === "3.0.3" && /"const"|\["integer"/.test(JSON.stringify(list))) continue;
      const { status, errors } = await judging(parameters(path, list, {}, openapi)).ask(target);
      expect([status, told(errors)]).toEqual([faults.length === 0 ? 204 : 422, faults]);
    }
  });

  it.each([
    ["a matrix", { type: "integer" }, "/a/;id=12/b", []],
    ["a matrix of another name", { type: "integer" }, "/a/;no=12/b", ["path id malformed-value"]],
    ["a matrix with a list", INTEGERS, "/a/;id=1,x/b", ["path id /1 type"]],
  ])("in the middle of a path: %s", async (_, schema, target, faults) => {
    const words = parameters("/a/{id}/b", inPath(schema, { style: "matrix" }));
    expect(told((await judging(words).ask(target)).errors)).toEqual(faults);
  });

  it.each([
    ["a field", { "x-limit": "5" }, []],
    ["a field with a fault", { "x-limit": "x" }, ["header x-limit type"]],
    ["a list in a field", { "x-limit": "1", "x-list": "1, 2,3" }, []],
    ["a list in a field with a fault", { "x-limit": "1", "x-list": "1, b" }, ["header X-List /1 type"]],
    ["a cookie", { "x-limit": "1", cookie: "a=b; session=12" }, []],
    ["a cookie with a fault", { "x-limit": "1", cookie: "session=x" }, ["cookie session type"]],
    ["a cookie's list", { "x-limit": "1", cookie: "ids=1&ids=2" }, []],
    ["a cookie's list with a fault", { "x-limit": "1", cookie: "ids=1&ids=b" }, ["cookie ids /1 type"]],
    ["what is missing", {}, ["header x-limit required"]],
  ])("in fields: %s", async (_, headers, faults) => {
    const list = [
      { name: "x-limit", in: "header", required: true, schema: { type: "integer" } },
      { name: "X-List", in: "header", schema: INTEGERS },
      { name: "session", in: "cookie", schema: { type: "integer" } },
      { name: "ids", in: "cookie", schema: INTEGERS },
      { name: "Accept", in: "header", required: true, schema: { const: "never" } },
    ];
    expect(told((await judging(parameters("/a", list)).ask("/a", { headers })).errors)).toEqual(faults);
  });

  it.each([
    ["pass", "ignore", "/a?q=1&p=2", 204, "?q=1&p=2"],
    ["are refused", "refuse", "/a?q=1&p=2", 422, undefined],
    ["are taken off", "remove", "/a?p=2&q=1&p=3&api_key=k", 204, "?q=1&api_key=k"],
    ["that are credentials are none", "refuse", "/a?q=1&api_key=k", 204, "?q=1&api_key=k"],
    ["are taken off however they are written", "remove", "/a?%70=2&q=1", 204, "?q=1"],
    ["with a name that cannot be read are refused", "refuse", "/a?%zz=1", 422, undefined],
  ])("that are not declared %s", async (_, unknownParameters, target, status, query) => {
    const made = judging(parameters("/a", inQuery({ type: "string" }), { unknownParameters }));
    expect((await made.ask(target)).status).toBe(status);
    expect(made.sent.map(({ url }) => new URL(url).search)[0]).toBe(query);
  });

  it("all faults are told at once, and no value is quoted", async () => {
    const list = [
      ...inQuery({ type: "integer" }),
      { name: "x-key", in: "header", schema: { type: "string", maxLength: 3 } },
      { name: "r", in: "query", required: true, schema: { type: "string" } },
    ];
    const { errors } = await judging(parameters("/a", list)).ask("/a?q=secretq", {
      headers: { "x-key": "secretk" },
    });
    expect(told(errors).sort()).toEqual(["header x-key too-long", "query q type", "query r required"]);
    expect(JSON.stringify(errors)).not.toContain("secret");
  });
});

describe("bodies", () => {
  const SCHEMA = {
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string", maxLength: 5 },
      tags: { type: "array", items: { type: "string" } },
      "a/b~c": { type: "integer" },
    },
    additionalProperties: false,
  };
  const made = () => judging(bodyDocument(SCHEMA, { config: { maxBody: "1KiB" } }));

  it.each([
    ["one that fits", { name: "a" }, []],
    ["what is missing", {}, ["body /name required"]],
    [
      "several faults",
      { name: "abcdef", tags: [1, "a", 2], x: 1 },
      ["body /name too-long", "body /tags/0 type", "body /tags/2 type", "body /x unknown"],
    ],
    ["pointers are escaped", { name: "a", "a/b~c": "x" }, ["body /a~1b~0c type"]],
    ["pointers to unknown names are escaped", { name: "a", "x/y": 1 }, ["body /x~1y unknown"]],
    ["another type of value", [], ["body  type"]],
    [
      "the names of every object are names like others",
      { name: "a", constructor: 1, toString: 2 },
      ["body /constructor unknown", "body /toString unknown"],
    ],
  ])("%s", async (_, value, faults) => {
    const { status, errors } = await made().json("/things", value);
    expect([status, told(errors).sort()]).toEqual([faults.length === 0 ? 204 : 422, faults]);
  });

  it("__proto__ is a name like others", async () => {
    const { errors } = await made().ask("/things", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"name":"a","__proto__":{"x":1}}',
    });
    expect(told(errors)).toEqual(["body /__proto__ unknown"]);
  });

  it("goes on byte for byte", async () => {
    const gateway = made();
    const body = ' {"name" : "a", "tags":[ ],"a/b~c": 1.0e0}\n';
    expect(
      (
        await gateway.ask("/things", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        })
      ).status,
    ).toBe(204);
    expect(gateway.sent[0]!.body).toBe(body);
  });

  it.each([
    ["JSON that is none", "application/json", "{", 400, "malformed-body"],
    ["no UTF-8", "application/json", new Uint8Array([0x22, 0xff, 0x22]), 400, "malformed-body"],
    ["another type", "application/xml", "<a/>", 415, "unsupported-media-type"],
    ["a type that cannot be read", "json", "{}", 415, "unsupported-media-type"],
    ["another charset", "application/json; charset=utf-16", "{}", 415, "unsupported-charset"],
    ["a charset in quotes", 'application/json; charset="UTF-8"', '{"name":"a"}', 204, undefined],
    ["a type in capitals", "Application/JSON", '{"name":"a"}', 204, undefined],
    ["too much", "application/json", `{"name":"${"a".repeat(1024)}"}`, 413, "body-too-large"],
    ["nothing", "application/json", "", 422, "validation-failed"],
  ])("%s", async (_, type, body, status, code) => {
    const answer = await made().ask("/things", {
      method: "POST",
      headers: { "content-type": type },
      body: body as BodyInit,
    });
    expect([answer.status, answer.code]).toEqual([status, code]);
    if (code === "unsupported-media-type") expect(answer.headers.get("accept")).toBe("application/json");
  });

  it("with a content coding are refused", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    const { status, code } = await made().ask("/things", { method: "POST", headers, body: "x" });
    expect([status, code]).toEqual([415, "unsupported-content-encoding"]);
  });

  it("without a type are refused", async () => {
    const body = new Uint8Array([0x7b, 0x7d]);
    expect((await made().ask("/things", { method: "POST", body })).status).toBe(415);
  });

  const stream = (...chunks: string[]) =>
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
  it.each([
    ["are judged", ['{"name"', ':"a"}'], 204, undefined],
    ["are refused where they prove too long", ['{"name":"', "a".repeat(2000), '"}'], 413, "body-too-large"],
    ["may be none", [], 422, "validation-failed"],
  ])("of unknown length %s", async (_, chunks, status, code) => {
    const answer = await made().ask("/things", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: stream(...chunks),
    });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it("that are only reported on pass, however long they are", async () => {
    const gateway = judging(bodyDocument(SCHEMA, { config: { mode: "report", maxBody: "10B" } }));
    const long = ['{"name":"', "a".repeat(2000), '"}'];
    for (const body of ["{}", "{", stream(...long)])
      expect(
        (
          await gateway.ask("/things", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body,
          })
        ).status,
      ).toBe(204);
    expect(gateway.sent.map(({ body }) => body)).toEqual(["{}", "{", long.join("")]);
    expect(gateway.ports.records.map(({ message }) => message)).toEqual([
      "would have been refused: validation-failed",
      "would have been refused: malformed-body",
      "would have been refused: body-too-large",
    ]);
  });

  it("that no schema describes are not read", async () => {
    const gateway = judging({
      paths: {
        "/things": {
          post: {
            operationId: "make",
            requestBody: { content: { "application/octet-stream": {}, "image/*": {} } },
            responses: { 204: { description: "Made." } },
          },
        },
      },
      config: { maxBody: "1B" },
    });
    const send = (type: string) =>
      gateway.ask("/things", { method: "POST", headers: { "content-type": type }, body: "long enough" });
    expect((await send("application/octet-stream")).status).toBe(204);
    expect((await send("image/png")).status).toBe(204);
    expect((await send("text/plain")).status).toBe(415);
  });

  it("are told of 100 faults at most, in little time", async () => {
    const gateway = judging(bodyDocument({ type: "array", items: { type: "object", required: ["a", "b"] } }));
    const begin = performance.now();
    const { errors } = await gateway.json("/things", new Array(200_000).fill(1));
    expect(errors.length).toBe(100);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });

  it("are not judged on when enough is wrong", () => {
    const schema = {
      type: "array",
      items: { type: "object", required: ["a"], additionalProperties: { type: "string" } },
    };
    const validate = validatorsOf(planOf(compileDocument(bodyDocument(schema))))["v0"]!;
    const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [index, 1]));
    for (const value of [new Array(10_000).fill(1), [wide], new Array(10_000).fill({})]) {
      expect(validate(value)).toBe(false);
      expect(validate.errors!.length).toBeLessThan(300);
    }
  });

  it("that are nested too deeply are told so", async () => {
    const gateway = judging(
      bodyDocument(
        { $ref: "#/components/schemas/Tree" },
        {
          components: { schemas: { Tree: { type: "array", items: { $ref: "#/components/schemas/Tree" } } } },
        },
      ),
    );
    const body = "[".repeat(100_000) + "]".repeat(100_000);
    const { status, errors } = await gateway.ask("/things", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect([status, told(errors)]).toEqual([422, ["body too-deep"]]);
  });
});

describe("media types", () => {
  const words = (content: object): Words => ({
    paths: {
      "/things": {
        post: { operationId: "make", requestBody: { content }, responses: { 204: { description: "Made." } } },
      },
    },
  });
  const WHOLE = { schema: { type: "integer" } };
  const TEXT = { schema: { type: "string" } };
  it.each([
    [
      "the narrowest range counts",
      { "*/*": TEXT, "application/json": WHOLE },
      "application/json",
      '"a"',
      422,
    ],
    ["a range of types", { "application/*": WHOLE }, "application/json", '"a"', 422],
    ["a range of types and what is no JSON", { "application/*": WHOLE }, "application/cbor", "x", 204],
    ["all types", { "*/*": WHOLE }, "application/vnd.a+json", '"a"', 422],
    ["a suffix", { "application/merge-patch+json": WHOLE }, "application/merge-patch+json", '"a"', 422],
    ["a suffix is another type", { "application/json": WHOLE }, "application/problem+json", "1", 415],
    [
      "parameters of the type do not count",
      { "application/json; charset=utf-8": WHOLE },
      "application/json",
      '"a"',
      422,
    ],
    ["text", { "text/plain": { schema: { type: "string", maxLength: 2 } } }, "text/plain", "abc", 422],
    ["a number as text", { "text/plain": WHOLE }, "text/plain", "12", 204],
    ["text that is no number", { "text/plain": WHOLE }, "text/plain", "x", 422],
  ])("%s", async (_, content, type, body, status) => {
    expect(
      (
        await judging(words(content)).ask("/things", {
          method: "POST",
          headers: { "content-type": type },
          body,
        })
      ).status,
    ).toBe(status);
  });

  const FORM = {
    type: "object",
    required: ["name"],
    properties: {
      name: { type: "string" },
      age: { type: "integer" },
      tags: { type: "array", items: { type: "string" } },
      ids: INTEGERS,
      address: { type: "object", properties: { zip: { type: "integer" } } },
      point: POINT,
    },
    additionalProperties: false,
  };
  const form = (more: object = {}) =>
    words({ "application/x-www-form-urlencoded": { schema: FORM, ...more } });
  const ENCODED = {
    encoding: {
      ids: { style: "pipeDelimited", explode: false },
      point: { style: "deepObject", explode: true },
    },
  };
  it.each([
    ["a form", form(), "name=a+b&age=3&tags=x&tags=y", []],
    ["a field of another type", form(), "name=a&age=x", ["body /age type"]],
    ["a field that is missing", form(), "age=1", ["body /name required"]],
    ["a field that is not known", form(), "name=a&x=1", ["body /x unknown"]],
    ["a field in JSON", form(), `name=a&address=${encodeURIComponent('{"zip":1}')}`, []],
    [
      "a field in JSON with a fault",
      form(),
      `name=a&address=${encodeURIComponent('{"zip":"1"}')}`,
      ["body /address/zip type"],
    ],
    ["a field that should be JSON", form(), "name=a&address=x", ["body address malformed-json"]],
    ["a style", form(ENCODED), "name=a&ids=1|x", ["body /ids/1 type"]],
    ["a deep object", form(ENCODED), "name=a&point[x]=1&point[y]=b", ["body /point/y type"]],
  ])("%s", async (_, document, body, faults) => {
    const { errors } = await judging(document).ask("/things", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body,
    });
    expect(told(errors)).toEqual(faults);
  });

  const PARTS = words({
    "multipart/form-data": {
      schema: {
        ...FORM,
        properties: {
          ...FORM.properties,
          photo: { type: "string", format: "binary" },
          files: { type: "array", items: { type: "string", format: "binary" }, maxItems: 2 },
        },
      },
      encoding: { photo: { contentType: "image/png, image/jpeg" } },
    },
  });
  const parts = (fields: readonly (readonly [string, string | Blob])[]) => {
    const data = new FormData();
    for (const [name, value] of fields) data.append(name, value);
    return data;
  };
  const PNG = new Blob(["x"], { type: "image/png" });
  it.each([
    [
      "parts",
      [
        ["name", "a"],
        ["age", "3"],
        ["tags", "x"],
        ["tags", "y"],
        ["photo", PNG],
        ["files", PNG],
        ["files", PNG],
      ],
      [],
    ],
    [
      "a part of another type",
      [
        ["name", "a"],
        ["age", "x"],
      ],
      ["body /age type"],
    ],
    ["a part that is missing", [["age", "1"]], ["body /name required"]],
    [
      "a part in JSON",
      [
        ["name", "a"],
        ["address", '{"zip":"1"}'],
      ],
      ["body /address/zip type"],
    ],
    [
      "a file of another media type",
      [
        ["name", "a"],
        ["photo", new Blob(["x"], { type: "text/html" })],
      ],
      ["body photo media-type"],
    ],
    ["a file where a text is wanted", [["name", PNG]], ["body name file"]],
    [
      "a text that stands twice",
      [
        ["name", "a"],
        ["name", "b"],
      ],
      ["body name repeated"],
    ],
    [
      "too many files",
      [
        ["name", "a"],
        ["files", PNG],
        ["files", PNG],
        ["files", PNG],
      ],
      ["body /files too-many"],
    ],
    [
      "a part that is not known",
      [
        ["name", "a"],
        ["x", "1"],
      ],
      ["body /x unknown"],
    ],
  ] as const)("%s", async (_, fields, faults) => {
    const { errors } = await judging(PARTS).ask("/things", { method: "POST", body: parts(fields) });
    expect(told(errors)).toEqual(faults);
  });

  it("a form of parts that is none", async () => {
    const { status } = await judging(PARTS).ask("/things", {
      method: "POST",
      headers: { "content-type": "multipart/form-data" },
      body: "x",
    });
    expect(status).toBe(400);
  });
});

describe("what JSON Schema leaves to who uses it", () => {
  it.each([
    ["formats are checked", { type: "string", format: "email" }, "a", false, {}],
    [
      "formats are ignored where that is said",
      { type: "string", format: "email" },
      "a",
      true,
      { formats: "ignore" },
    ],
    ["formats that nobody knows are annotations", { type: "string", format: "colour" }, "a", true, {}],
    ["formats concern values of their type only", { format: "email" }, 1, true, {}],
    ["contentEncoding is an annotation", { type: "string", contentEncoding: "base64" }, "!", true, {}],
    [
      "contentMediaType is an annotation",
      { type: "string", contentMediaType: "application/json" },
      "{",
      true,
      {},
    ],
    ["int32 has bounds", { type: "integer", format: "int32" }, 2 ** 31, false, {}],
    ["multiples are those of decimals", { type: "number", multipleOf: 0.01 }, 19.99, true, {}],
    ["no multiple", { type: "number", multipleOf: 0.01 }, 19.999, false, {}],
    ["1.0 is an integer", { type: "integer" }, 1.0, true, {}],
    ["characters are counted, not code units", { type: "string", maxLength: 1 }, "😀", true, {}],
    [
      "items are compared as values",
      { type: "array", uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      false,
      {},
    ],
    ["true is not 1", { type: "array", uniqueItems: true }, [true, 1], true, {}],
    ["an enum of objects", { enum: [{ a: [1] }] }, { a: [1] }, true, {}],
    ["a value that has valueOf", { const: { valueOf: 1 } }, { valueOf: 1 }, true, {}],
    ["required names that every object has", { type: "object", required: ["constructor"] }, {}, false, {}],
    [
      "properties that every object has",
      { type: "object", properties: { toString: { type: "string" } } },
      {},
      true,
      {},
    ],
    ["a pattern is searched for", { type: "string", pattern: "b+" }, "abc", true, {}],
    ["a pattern with anchors", { type: "string", pattern: "^b+$" }, "abc", false, {}],
    ["a pattern of one character beyond the basic plane", { type: "string", pattern: "^.$" }, "😀", true, {}],
    ["names of properties", { type: "object", propertyNames: { pattern: "^[a-z]+$" } }, { A: 1 }, false, {}],
  ])("%s", async (_, schema, value, fits, config) => {
    const { status } = await judging(bodyDocument(schema, { config })).json("/things", value);
    expect(status).toBe(fits ? 204 : 422);
  });

  it.each([
    ["the largest int64 passes", "9223372036854775807", 204],
    ["a larger one does not", "9223372036854779000", 422],
  ])("%s, and goes on as it is written", async (_, body, status) => {
    const gateway = judging(bodyDocument({ type: "integer", format: "int64" }));
    expect(
      (
        await gateway.ask("/things", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        })
      ).status,
    ).toBe(status);
    if (status === 204) expect(gateway.sent[0]!.body).toBe(body);
  });
});

describe("what is wrong with documents", () => {
  it.each([
    ["a pattern that looks ahead", { type: "string", pattern: "^(?=a)b" }, ["pattern-not-checked"], true],
    [
      "a pattern of the borders of words",
      { type: "string", pattern: "\\bword" },
      ["pattern-not-checked"],
      true,
    ],
    [
      "a name of properties that looks ahead",
      { type: "object", patternProperties: { "(?!a)": {} }, additionalProperties: false },
      ["pattern-not-checked"],
      true,
    ],
    ["a type that is none", { type: "strng" }, ["unusable-schema"], false],
    [
      "a bound that is none",
      { type: "object", properties: { a: { maximum: "1" } } },
      ["unusable-schema"],
      false,
    ],
  ])("%s", (_, schema, codes, usable) => {
    const { plan, diagnostics } = compileDocument(bodyDocument(schema));
    expect(diagnostics.map(({ code }) => code)).toEqual(codes);
    expect(diagnostics[0]!.place.file).toBe("shop.json");
    expect(plan !== undefined).toBe(usable);
  });

  it("what hostile texts cost does not depend on the pattern", async () => {
    const gateway = judging(bodyDocument({ type: "string", pattern: "^(a+)+$" }));
    const begin = performance.now();
    expect((await gateway.json("/things", `${"a".repeat(100_000)}!`)).status).toBe(422);
    expect(performance.now() - begin).toBeLessThan(500);
  });
});
