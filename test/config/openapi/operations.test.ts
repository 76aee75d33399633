import { describe, expect, it } from "vitest";
import { read } from "./reading.ts";

/** A document with one operation at /a/{id}, described by some lines. */
const operation = (lines: string, { version = "3.1.0", more = "" } = {}): string =>
  `openapi: ${version}
paths:
  /a/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: a
${version.startsWith("3.0") ? '      responses: { "200": { description: ok } }\n' : ""}${lines
  .split("\n")
  .map((line) => `      ${line}`)
  .join("\n")}
${more}`;

const info = (lines: string, options = {}) => {
  const { operations, told } = read({ "a.yaml": operation(lines, options) });
  expect(told).toEqual([]);
  return operations[0]!.info;
};

describe("a parameter", () => {
  it.each<[string, string, boolean]>([
    // OpenAPI 3.1 section 4.8.12.3: the defaults of each location.
    ["in: query", "form", true],
    ["in: cookie", "form", true],
    ["in: header", "simple", false],
    ["in: path, required: true", "simple", false],
    ["in: query, style: form, explode: false", "form", false],
    ["in: query, style: spaceDelimited", "spaceDelimited", false],
    ["in: query, style: pipeDelimited, explode: true", "pipeDelimited", true],
    ["in: query, style: deepObject", "deepObject", true],
    ["in: query, style: deepObject, explode: false", "deepObject", true],
    ["in: path, required: true, style: label", "label", false],
    ["in: path, required: true, style: matrix, explode: true", "matrix", true],
    ["in: header, style: simple, explode: true", "simple", true],
    ["in: cookie, explode: false", "form", false],
  ])("that is { %s } has the style %s, and explodes: %s", (words, style, explode) => {
    for (const version of ["3.0.3", "3.1.0"]) {
      const { parameters } = info(`parameters: [{ name: id, ${words}, schema: { type: array } }]`, {
        version,
      });
      expect(parameters.at(-1)).toMatchObject({ name: "id", style, explode });
    }
  });

  it("of the operation stands over that of the path, by location and name", () => {
    const { parameters } = info(
      'parameters: [{ name: id, in: query }, { name: id, in: path, required: true, schema: { const: "7" } }]',
    );
    expect(parameters.map(({ in: place, pointer, schema }) => [place, pointer, schema])).toEqual([
      ["path", "/paths/~1a~1{id}/get/parameters/1", "/paths/~1a~1{id}/get/parameters/1/schema"],
      ["query", "/paths/~1a~1{id}/get/parameters/0", undefined],
    ]);
  });

  it("counts for nothing where the header field is described elsewhere", () => {
    const names = ["Accept", "content-type", "AUTHORIZATION", "X-A"];
    const { parameters } = info(
      `parameters: [${names.map((name) => `{ name: ${name}, in: header }`).join(", ")}]`,
    );
    expect(parameters.map(({ name }) => name)).toEqual(["id", "X-A"]);
  });

  it("may have a media type in place of a style, and is required where it says so", () => {
    const { parameters } = info(
      "parameters: [{ name: q, in: query, required: true, allowReserved: true, deprecated: true, content: { application/json: { schema: {} } } }]",
    );
    expect(parameters[1]).toMatchObject({
      required: true,
      deprecated: true,
      allowReserved: true,
      contentType: "application/json",
      schema: "/paths/~1a~1{id}/get/parameters/0/content/application~1json/schema",
    });
    expect(parameters[0]).toMatchObject({ required: true, deprecated: false, contentType: undefined });
  });
});

describe("an operation", () => {
  it("is described with its body and responses", () => {
    const { body, responses, deprecated } = info(
      `deprecated: true
requestBody: { required: true, content: { application/json: { schema: {} }, text/*: {} } }
responses: { "200": { description: fine, content: { application/json: { schema: {} } } }, 4XX: { description: no }, default: { description: else }, x-own: 1 }`,
    );
    expect(deprecated).toBe(true);
    expect(body).toMatchObject({ required: true, pointer: "/paths/~1a~1{id}/get/requestBody" });
    expect(Object.entries(body!.content).map(([type, { schema }]) => [type, schema])).toEqual([
      ["application/json", "/paths/~1a~1{id}/get/requestBody/content/application~1json/schema"],
      ["text/*", undefined],
    ]);
    expect(Object.entries(responses).map(([status, { description }]) => [status, description])).toEqual([
      ["200", "fine"],
      ["4XX", "no"],
      ["default", "else"],
    ]);
  });

  it.each<[string, string, string, unknown]>([
    ["nothing where nobody says", "x-a: 1", "", undefined],
    ["what the document asks for", "x-a: 1", "security: [{ one: [a] }]", [{ one: ["a"] }]],
    ["what it asks for itself", "security: [{ two: [] }, {}]", "security: [{ one: [] }]", [{ two: [] }, {}]],
    ["nothing on purpose", "security: []", "security: [{ one: [] }]", []],
  ])("asks for %s", (_, lines, more, expected) => {
    const schemes = "components: { securitySchemes: { one: { type: oauth2 }, two: { type: mutualTLS } } }";
    expect(info(lines, { more: `${more}\n${schemes}` }).security).toEqual(expected);
  });
});

describe("what is wrong with an operation", () => {
  it.each<[string, string, string[]]>([
    ["a parameter without a name", "parameters: [{ in: query }]", ["bad-parameter 7:20"]],
    ["a parameter without a place", "parameters: [{ name: q }]", ["bad-parameter 7:20"]],
    ["a parameter in a place that is none", "parameters: [{ name: q, in: quary }]", ["bad-parameter 7:35"]],
    ["a style of another place", "parameters: [{ name: q, in: header, style: form }]", ["bad-style 7:50"]],
    ["a style that is none", "parameters: [{ name: q, in: query, style: simpel }]", ["bad-style 7:49"]],
    [
      "a parameter that the path has not",
      "parameters: [{ name: ix, in: path, required: true }]",
      ["unknown-parameter 7:28"],
    ],
    [
      "a parameter of the path that is optional",
      "parameters: [{ name: id, in: path, required: false }]",
      ["parameter-not-required 7:52"],
    ],
    [
      "a parameter twice",
      "parameters: [{ name: q, in: query }, { name: q, in: query }]",
      ["duplicate-name 7:44"],
    ],
    [
      "a header twice, in another case",
      "parameters: [{ name: x-a, in: header }, { name: X-A, in: header }]",
      ["duplicate-name 7:47"],
    ],
    ["a name in two places", "parameters: [{ name: q, in: query }, { name: q, in: cookie }]", []],
    [
      "schema and content",
      "parameters: [{ name: q, in: query, schema: {}, content: { text/plain: {} } }]",
      ["bad-parameter 7:63"],
    ],
    [
      "two media types",
      "parameters: [{ name: q, in: query, content: { text/plain: {}, text/html: {} } }]",
      ["bad-parameter 7:51"],
    ],
    ["parameters that are a map", "parameters: { name: q }", ["wrong-type 7:19"]],
    ["a parameter that is a text", "parameters: [q]", ["wrong-type 7:20"]],
    ["a body without content", "requestBody: { required: true }", ["body-without-content 7:20"]],
    ["a body that is a text", "requestBody: yes", ["wrong-type 7:20"]],
    ["a status in lower case", "responses: { 2xx: { description: ok } }", ["bad-status 7:20"]],
    ["a status that is none", 'responses: { "600": { description: ok } }', ["bad-status 7:20"]],
    ["responses that are a list", "responses: []", ["wrong-type 7:7"]],
    ["a scheme that is not described", "security: [{ token: [] }]", ["unknown-scheme 7:20"]],
  ])("is told: %s", (_, lines, expected) => {
    const { told } = read({ "a.yaml": operation(lines) });
    expect(told).toEqual(expected.map((it) => `${it} a.yaml`));
  });

  it.each<[string, string, string[]]>([
    [
      "a parameter of the template of which nothing is said",
      "/a/{id}: { get: { operationId: a } }",
      ["undeclared-parameter 3:3"],
    ],
    [
      "paths that differ in names only",
      "/a: { get: { operationId: a } }\n  /b/{x}: { get: { operationId: b, parameters: [{ name: x, in: path, required: true }] } }\n  /b/{y}: { put: { operationId: c, parameters: [{ name: y, in: path, required: true }] } }",
      ["paths-alike 5:3"],
    ],
    ["a method that was mistyped", "/a: { gett: { operationId: a } }", ["unknown-key 3:9"]],
    ["a path that is a text", "/a: yes", ["wrong-type 3:3"]],
    ["an operation that is a text", "/a: { get: yes }", ["wrong-type 3:9"]],
    ["extensions", "/a: { x-get: 1, get: { operationId: a } }\n  x-b: 1", []],
  ])("is told: %s", (_, lines, expected) => {
    const { told } = read({ "a.yaml": `openapi: 3.1.0\npaths:\n  ${lines}\n` });
    expect(told).toEqual(expected.map((it) => `${it} a.yaml`));
  });

  it("is told of responses that are missing, where 3.0 asks for them", () => {
    const document = (version: string) => `openapi: ${version}\npaths: { /a: { get: { operationId: a } } }\n`;
    expect(read({ "a.yaml": document("3.0.3") }).told).toEqual(["responses-missing 2:16 a.yaml"]);
    expect(read({ "a.yaml": document("3.1.0") }).told).toEqual([]);
  });

  it.each(["swagger: '2.0'", "openapi: 3.2.0", "openapi: 3.1", "openapi: 31", "title: x", "[]", "7", ""])(
    "is no document: %s",
    (text) => {
      expect(read({ "a.yaml": text }).told.map((it) => it.split(" ")[0])).toEqual(["openapi-version"]);
    },
  );
});

describe("a document in JSON", () => {
  it("may begin with a byte order mark", () => {
    const text = JSON.stringify({
      openapi: "3.1.0",
      paths: { "/a": { get: { operationId: "a", responses: {} } } },
    });
    const { operations, told } = read({ "a.json": `\uFEFF${text}` });
    expect(told).toEqual([]);
    expect(operations.map(({ id }) => id)).toEqual(["a"]);
  });
});
