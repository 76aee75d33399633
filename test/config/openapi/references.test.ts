import { describe, expect, it } from "vitest";
import { readOperations } from "../../../src/config/openapi/operations.ts";
import { parseReference } from "../../../src/config/openapi/reference.ts";
import { folderOf, read, withSchema } from "./reading.ts";

describe("a reference", () => {
  it.each<[string, string, unknown]>([
    ["#/components/schemas/A", "a.yaml", ["a.yaml", "components", "schemas", "A"]],
    ["#", "a.yaml", ["a.yaml"]],
    ["", "a.yaml", ["a.yaml"]],
    ["b.yaml", "a.yaml", ["b.yaml"]],
    ["./b.yaml#/X", "a.yaml", ["b.yaml", "X"]],
    ["./b.yaml#/X", "v1/a.yaml", ["v1/b.yaml", "X"]],
    ["../b.yaml", "v1/a.yaml", ["b.yaml"]],
    ["x/./y//../b.yaml", "a.yaml", ["x/b.yaml"]],
    ["my%20file.yaml#/A%20B", "a.yaml", ["my file.yaml", "A B"]],
    ["#/paths/~1users~1%7Bid%7D/get", "a.yaml", ["a.yaml", "paths", "/users/{id}", "get"]],
    ["#/a~01", "a.yaml", ["a.yaml", "a~1"]],
    // Percent-encoding is undone first (RFC 6901 section 6).
    ["#/a%2Fb", "a.yaml", ["a.yaml", "a", "b"]],
    ["#/100%", "a.yaml", ["a.yaml", "100%"]],
    ["#here", "a.yaml", "anchor here of a.yaml"],
    ["b.yaml#here", "a.yaml", "anchor here of b.yaml"],
    ["../b.yaml", "a.yaml", "outside"],
    ["v1/../../b.yaml", "a.yaml", "outside"],
    ["%2e%2e/b.yaml", "a.yaml", "outside"],
    ["..%2fb.yaml", "a.yaml", "outside"],
    ["/etc/passwd", "a.yaml", "outside"],
    ["http://example.com/b.yaml", "a.yaml", "remote"],
    ["HTTPS://example.com/b.yaml#/X", "a.yaml", "remote"],
    ["//example.com/b.yaml", "a.yaml", "remote"],
    ["file:///etc/passwd", "a.yaml", "remote"],
    ["urn:x:y", "a.yaml", "remote"],
    ["c:\\b.yaml", "a.yaml", "remote"],
  ])("%s in %s leads to %j", (text, from, expected) => {
    const found = parseReference(text, from);
    const told =
      found.kind === "pointer"
        ? [found.file, ...found.steps]
        : found.kind === "anchor"
          ? `anchor ${found.anchor} of ${found.file}`
          : found.kind;
    expect(told).toEqual(expected);
  });
});

describe("a document in one piece", () => {
  it("is the very same where it refers to itself alone", () => {
    const text = JSON.stringify({
      openapi: "3.1.0",
      paths: { "/a": { get: { responses: { 200: { $ref: "#/components/responses/A" } } } } },
      components: { responses: { A: { description: "ok" } } },
    });
    expect(read({ "a.json": text }).document.json).toEqual(JSON.parse(text));
  });

  it("takes over what it refers to in other files, relative to the file in which the reference stands", () => {
    const { document, told } = read({
      "a.yaml": withSchema('{ $ref: "parts/user.yaml" }'),
      "parts/user.yaml":
        'type: object\nproperties: { home: { $ref: "./places.yaml#/Address" }, me: { $ref: "#" }, root: { $ref: "../a.yaml#/components/schemas/Own" } }',
      "parts/places.yaml": "Address: { type: string }",
    });
    // What is wrong there is told there.
    expect(told).toEqual(["unknown-reference 2:102 parts/user.yaml"]);
    expect(document.json["components"]).toEqual({
      schemas: {
        user: {
          type: "object",
          properties: {
            home: { $ref: "#/components/schemas/Address" },
            me: { $ref: "#/components/schemas/user" },
            root: { $ref: "../a.yaml#/components/schemas/Own" },
          },
        },
        Address: { type: "string" },
      },
    });
  });

  it("keeps names where they are free, and makes others unique", () => {
    const { document, told } = read({
      "a.yaml": withSchema(
        '{ anyOf: [{ $ref: "b.yaml#/A" }, { $ref: "c.yaml#/A" }, { $ref: "c.yaml#/B" }, { $ref: "v/c.yaml#/A" }, { $ref: "c.yaml#/200" }, { $ref: "c.yaml#/A" }] }',
        { more: "components: { schemas: { A: { type: string } } }" },
      ),
      "b.yaml": "A: { type: integer }",
      "c.yaml": 'A: { type: number }\nB: { type: "null" }\n"200": { const: 200 }',
      "v/c.yaml": "A: { type: array }",
    });
    expect(told).toEqual([]);
    expect(document.json["components"]).toEqual({
      schemas: {
        A: { type: "string" },
        b_A: { type: "integer" },
        c_A: { type: "number" },
        B: { type: "null" },
        c_A_2: { type: "array" },
        c_200: { const: 200 },
      },
    });
  });

  it("puts each sort into its section", () => {
    const { document, operations, told } = read({
      "a.yaml": `openapi: 3.1.0
paths:
  /a/{id}:
    parameters: [{ $ref: "b.yaml#/id" }]
    post:
      operationId: a
      requestBody: { $ref: "b.yaml#/body" }
      responses: { "200": { $ref: "b.yaml#/ok" } }
      callbacks: { done: { $ref: "b.yaml#/done" } }
`,
      "b.yaml": `id: { name: id, in: path, required: true, schema: { type: string } }
body: { content: { text/plain: { examples: { one: { $ref: "#/example" } } } } }
ok: { description: ok, headers: { x-a: { $ref: "#/field" } }, links: { next: { $ref: "#/link" } } }
field: { schema: { type: string } }
example: { value: 1 }
link: { operationId: a }
done: { "{$request.body#/url}": { post: { responses: { "204": { description: thanks } } } } }
`,
    });
    expect(told).toEqual([]);
    expect(
      Object.entries(document.json["components"]!).map(([section, entries]) => [
        section,
        Object.keys(entries),
      ]),
    ).toEqual([
      ["parameters", ["id"]],
      ["callbacks", ["done"]],
      ["requestBodies", ["body"]],
      ["responses", ["ok"]],
      ["examples", ["example"]],
      ["headers", ["field"]],
      ["links", ["link"]],
    ]);
    const { info } = operations[0]!;
    expect(info.parameters.map(({ pointer }) => pointer)).toEqual(["/components/parameters/id"]);
    expect(info.body?.pointer).toBe("/components/requestBodies/body");
    expect(info.responses["200"]).toMatchObject({
      pointer: "/components/responses/ok",
      headers: { "x-a": "/components/headers/field" },
    });
  });

  it("lays path items in, and knows where they were written", () => {
    const { document, operations, told } = read({
      "a.yaml": 'openapi: 3.0.3\npaths:\n  /a: { $ref: "b.yaml#/paths/~1x", summary: mine }\n',
      "b.yaml":
        'paths:\n  /x:\n    get:\n      operationId: a\n      responses: { "200": { $ref: "#/ok" } }\nok: { description: ok }\n',
    });
    expect(told).toEqual([]);
    expect(document.json["paths"]).toEqual({
      "/a": {
        summary: "mine",
        get: { operationId: "a", responses: { 200: { $ref: "#/components/responses/ok" } } },
      },
    });
    expect(operations[0]!.place).toMatchObject({ file: "openapi/b.yaml", line: 3 });
    expect(operations[0]!.pathPlace).toMatchObject({ file: "openapi/a.yaml", line: 3 });
    expect(document.placeOf("/paths/~1a/get/operationId")).toMatchObject({ file: "openapi/b.yaml", line: 4 });
    expect(document.placeOf("/components/responses/ok/description")).toMatchObject({
      file: "openapi/b.yaml",
      line: 6,
    });
    expect(document.placeOf("/nowhere/at/all")).toMatchObject({ file: "openapi/a.yaml", line: 1 });
  });

  it("may be recursive across files", () => {
    const { document, told } = read({
      "a.yaml": withSchema('{ $ref: "b.yaml#/B" }', {
        more: 'components: { schemas: { A: { properties: { b: { $ref: "b.yaml#/B" } } } } }',
      }),
      "b.yaml": 'B: { properties: { a: { $ref: "a.yaml#/components/schemas/A" } } }',
    });
    expect(told).toEqual([]);
    expect(document.json["components"]).toEqual({
      schemas: {
        A: { properties: { b: { $ref: "#/components/schemas/B" } } },
        B: { properties: { a: { $ref: "#/components/schemas/A" } } },
      },
    });
  });

  it("follows a discriminator's mapping, and leaves names of schemas as they are", () => {
    const { document, told } = read({
      "a.yaml": withSchema(
        '{ oneOf: [{ $ref: "b.yaml#/Dog" }], discriminator: { propertyName: kind, mapping: { dog: "b.yaml#/Dog", cat: Cat, own: "#/components/schemas/Cat" } } }',
        { more: "components: { schemas: { Cat: {} } }" },
      ),
      "b.yaml": "Dog: { type: object }",
    });
    expect(told).toEqual([]);
    expect(JSON.stringify(document.json)).toContain(
      '"mapping":{"cat":"Cat","dog":"#/components/schemas/Dog","own":"#/components/schemas/Cat"}',
    );
  });

  it("takes data for data: examples, defaults, and properties that are called $ref", () => {
    const schema =
      '{ properties: { $ref: { type: string } }, default: { $ref: "no" }, const: { $ref: "no" } }';
    const { document, told } = read({
      "a.yaml": withSchema(schema, {
        more: 'x-own: { $ref: "no" }\ncomponents: { examples: { A: { value: { $ref: "no" } } } }',
      }),
    });
    expect(told).toEqual([]);
    expect(JSON.stringify(document.json).match(/"\$ref":"no"/g)).toHaveLength(4);
  });

  it("finds $anchor and $defs of 3.1", () => {
    const { document, told } = read({
      "a.yaml": withSchema(
        '{ anyOf: [{ $ref: "b.yaml#here" }, { $ref: "b.yaml#/$defs/B" }, { $ref: "#own" }] }',
        {
          more: "components: { schemas: { Own: { $anchor: own, type: number } } }",
        },
      ),
      "b.yaml": "$defs: { A: { $anchor: here, type: string }, B: { type: integer } }",
    });
    expect(told).toEqual([]);
    expect(document.json["components"]).toEqual({
      schemas: { Own: { type: "number" }, A: { type: "string" }, B: { type: "integer" } },
    });
    expect(JSON.stringify(document.json)).toContain('"$ref":"#/components/schemas/Own"');
  });

  it("keeps what stands beside a schema's reference in 3.1, and follows it too", () => {
    const files = (version: string) => ({
      "a.yaml": withSchema(
        '{ $ref: "b.yaml#/A", minLength: 2, description: x, allOf: [{ $ref: "b.yaml#/B" }] }',
        {
          version,
        },
      ),
      "b.yaml": "A: { type: string }\nB: { maxLength: 9 }",
    });
    const schemaIn = (version: string) => {
      const { document, operations, told } = read(files(version));
      const pointer = operations[0]!.info.responses["200"]!.content["application/json"]!.json["schema"];
      return { schema: pointer, told, resolved: document.resolve(pointer) };
    };
    expect(schemaIn("3.1.0")).toEqual({
      schema: {
        $ref: "#/components/schemas/A",
        allOf: [{ $ref: "#/components/schemas/B" }],
        description: "x",
        minLength: 2,
      },
      told: [],
      resolved: { type: "string" },
    });
    expect(schemaIn("3.0.3")).toEqual({
      schema: { $ref: "#/components/schemas/A" },
      told: ["ignored-beside-reference 6:136 a.yaml"],
      resolved: { type: "string" },
    });
  });

  it("resolves chains, and answers nothing for what leads nowhere", () => {
    const { document } = read({
      "a.yaml": withSchema('{ $ref: "#/components/schemas/A" }', {
        more: 'components: { schemas: { A: { $ref: "#/components/schemas/B" }, B: { type: string }, C: { $ref: "#/components/schemas/C" } } }',
      }),
    });
    const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
    expect(document.resolve(ref("A"))).toEqual({ type: "string" });
    expect(document.resolve({ type: "x" })).toEqual({ type: "x" });
    expect(document.resolve(ref("C"))).toBeUndefined();
    expect(document.resolve(ref("Z"))).toBeUndefined();
    expect(document.resolve(undefined)).toBeUndefined();
  });
});

describe("what is wrong with references", () => {
  const SCHEMA = "6:93 a.yaml";
  it.each<[string, string, Record<string, string>, string[]]>([
    ["leads nowhere", '{ $ref: "#/components/schemas/Usr" }', {}, ["unknown-reference 6:96 a.yaml"]],
    ["names no file", '{ $ref: "usr.yaml" }', {}, ["unknown-file 6:94 a.yaml"]],
    ["leads out of the folder", '{ $ref: "../secret.yaml" }', {}, [`reference-outside ${SCHEMA}`]],
    ["is absolute", '{ $ref: "/etc/passwd" }', {}, [`reference-outside ${SCHEMA}`]],
    ["leads to a server", '{ $ref: "https://example.com/a.yaml" }', {}, [`remote-reference ${SCHEMA}`]],
    ["leads to the whole document", '{ $ref: "#" }', {}, [`bad-reference ${SCHEMA}`]],
    ["leads to a text", '{ $ref: "#/openapi" }', {}, [`bad-reference ${SCHEMA}`]],
    ["is no text", "{ $ref: 7 }", {}, [`wrong-type ${SCHEMA}`]],
    ["names no anchor", '{ $ref: "#here" }', {}, ["unknown-reference 6:95 a.yaml"]],
    [
      "reaches for what lists inherit",
      '{ $ref: "#/paths/constructor" }',
      {},
      ["unknown-reference 6:102 a.yaml"],
    ],
    [
      "leads to itself by way of another file",
      '{ $ref: "b.yaml" }',
      { "b.yaml": '$ref: "b.yaml"' },
      ["reference-cycle 1:7 b.yaml"],
    ],
    [
      "leads to a file that is no YAML",
      '{ $ref: "b.yaml" }',
      { "b.yaml": "a: [" },
      ["yaml-syntax 1:4 b.yaml"],
    ],
    [
      "leads on to one that is broken",
      '{ $ref: "b.yaml#/A" }',
      { "b.yaml": 'A: { items: { $ref: "c.yaml" } }' },
      ["unknown-file 1:22 b.yaml"],
    ],
  ])("is told where it %s", (_, schema, more, expected) => {
    expect(read({ "a.yaml": withSchema(schema), ...more }).told).toEqual(expected);
  });

  it("says which name was meant", () => {
    const schema = '{ anyOf: [{ $ref: "#/components/schemas/Usr" }, { $ref: "usr.yaml" }] }';
    const files = {
      "a.yaml": withSchema(schema, { more: "components: { schemas: { User: {} } }" }),
      "user.yaml": "{}",
    };
    expect(
      read(files)
        .diagnostics.map(({ remedy }) => remedy)
        .sort(),
    ).toEqual(['Did you mean "User"?', 'Did you mean "user.yaml"?']);
  });

  it("is told of operations that are published, and of no other", () => {
    const folder = folderOf({
      "a.yaml": `openapi: 3.1.0
paths:
  /a: { get: { operationId: a, responses: { "200": { $ref: "#/components/responses/Ok" } } } }
  /b: { get: { operationId: b, responses: { "200": { $ref: "#/nowhere" } } } }
components: { responses: { Ok: { description: ok }, Other: { $ref: "#/nowhere" } } }
`,
    });
    const { value: operations, diagnostics } = readOperations("a.yaml", folder.find("a.yaml")!, folder);
    const [a, b] = operations!.list;
    expect(diagnostics).toEqual([]);
    expect(operations!.faultsOf([a!])).toEqual([]);
    expect(operations!.faultsOf([a!, b!]).map(({ code }) => code)).toEqual(["unknown-reference"]);
  });

  it("is judged anew where the files beside are others", () => {
    const root = { file: "openapi/a.yaml", text: withSchema('{ $ref: "b.yaml" }') };
    const codes = (b: Record<string, string>) => {
      const folder = folderOf(b);
      const found = readOperations("a.yaml", root, folder).value!;
      return found.faultsOf(found.list).map(({ code }) => code);
    };
    expect(codes({})).toEqual(["unknown-file"]);
    expect(codes({ "b.yaml": "type: string" })).toEqual([]);
    expect(codes({ "b.yaml": "seven" })).toEqual(["bad-reference"]);
  });

  it.each<[string, string, string[]]>([
    ["a path", '  /a: { $ref: "#/x-items/b" }', ["unknown-reference 3:26 a.yaml"]],
    ["all paths", '  $ref: "paths.yaml"', ["misplaced-reference 3:3 a.yaml"]],
    [
      "an operation that stands here too",
      '  /a: { get: { responses: {} }, $ref: "#/x-items/a" }',
      ["conflicting-keys 3:9 a.yaml"],
    ],
  ])("is told of %s, published or not", (_, lines, expected) => {
    const document = `openapi: 3.1.0\npaths:\n${lines}\nx-items: { a: { get: { responses: {} } } }\n`;
    expect(read({ "a.yaml": document }).told).toEqual(expected);
  });

  it.each<[string, string, string[]]>([
    ["$id", '{ $id: "https://example.com/a", type: string }', ["unsupported-keyword 6:87 a.yaml"]],
    ["$dynamicRef", '{ $dynamicRef: "#node" }', ["unsupported-keyword 6:87 a.yaml"]],
    [
      "another $schema",
      '{ $schema: "http://json-schema.org/draft-07/schema#" }',
      ["unsupported-keyword 6:87 a.yaml"],
    ],
    ["$schema of 2020-12", '{ $schema: "https://json-schema.org/draft/2020-12/schema" }', []],
    ["a map that is a reference", '{ properties: { $ref: "b.yaml" } }', ["misplaced-reference 6:101 a.yaml"]],
  ])("is told of %s in a schema of 3.1", (_, schema, expected) => {
    expect(read({ "a.yaml": withSchema(schema) }).told).toEqual(expected);
  });
});

describe("bounded work", () => {
  it("gives up on a chain of ten thousand references, quickly", () => {
    const schemas: Record<string, unknown> = { S10000: { type: "string" } };
    for (let index = 0; index < 10_000; index++)
      schemas[`S${index}`] = { $ref: `#/components/schemas/S${index + 1}` };
    const document = {
      openapi: "3.1.0",
      paths: {
        "/a": {
          get: {
            operationId: "a",
            responses: {
              200: {
                description: "ok",
                content: { "application/json": { schema: { $ref: "#/components/schemas/S0" } } },
              },
            },
          },
        },
      },
      components: { schemas },
    };
    const { told } = read({ "a.json": JSON.stringify(document) });
    expect(told[0]).toMatch(/^reference-cycle /);
  });

  it("reads a pyramid of references in as many steps as it has lines", () => {
    const levels = Array.from({ length: 60 }, (_, level) => [
      `L${level}`,
      { allOf: Array.from({ length: 10 }, () => ({ $ref: `b.json#/L${level + 1}` })) },
    ]);
    const { document, told } = read({
      "a.yaml": withSchema('{ $ref: "b.json#/L0" }'),
      "b.json": JSON.stringify({ ...Object.fromEntries(levels), L60: { type: "string" } }),
    });
    expect(told).toEqual([]);
    expect(JSON.stringify(document.json).length).toBeLessThan(40_000);
  });

  it.each<[string, (depth: number) => Record<string, string>]>([
    [
      "a schema in JSON",
      (depth) => ({
        "a.json": `{"openapi":"3.1.0","paths":{},"components":{"schemas":{"A":${'{"not":'.repeat(depth)}true${"}".repeat(depth)}}}}`,
      }),
    ],
    [
      "a large one",
      (depth) => ({
        "a.json": `{"openapi":"3.1.0","x-fill":"${"x".repeat(600_000)}","paths":{},"components":{"schemas":{"A":${'{"not":'.repeat(depth)}true${"}".repeat(depth)}}}}`,
      }),
    ],
    [
      "a schema in YAML",
      (depth) => ({ "a.yaml": withSchema("{ not: ".repeat(depth) + "true" + " }".repeat(depth)) }),
    ],
  ])("refuses %s that is nested without end", (_, files) => {
    for (const depth of [300, 20_000])
      expect(
        read(files(depth))
          .told.map((it) => it.split(" ")[0])
          .join(),
      ).toMatch(/^(nested-too-deep|yaml-syntax)$/);
  });

  it("asks the folder for names in it only", () => {
    const schema = '{ anyOf: [{ $ref: "../../x.yaml" }, { $ref: "../b.yaml" }, { $ref: "/etc/passwd" }] }';
    const folder = folderOf({ "v1/a.yaml": withSchema(schema), "b.yaml": "{}" });
    readOperations("v1/a.yaml", folder.find("v1/a.yaml")!, folder);
    expect([...folder.asked]).toEqual(["v1/a.yaml", "b.yaml"]);
  });
});
