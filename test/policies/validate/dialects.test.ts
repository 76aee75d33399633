import { describe, expect, it } from "vitest";
import { bodyDocument, type Judging, judging, type Words } from "./judging.ts";

const OBJECT = { type: "object" } as const;

/** One row: what a schema in a dialect says of a value. */
type Row = readonly [
  sentence: string,
  openapi: "3.0.3" | "3.1.0",
  schema: unknown,
  value: unknown,
  fits: boolean,
];

const judgedBy = (words: Words, value: unknown) => judging(words).json("/things", value);

const expectFit = async (words: Words, value: unknown, fits: boolean) => {
  const { status, code, errors } = await judgedBy(words, value);
  expect([status, code], JSON.stringify(errors)).toEqual(
    fits ? [204, undefined] : [422, "validation-failed"],
  );
};

const ROWS: readonly Row[] = [
  ["nullable lets null pass", "3.0.3", { type: "string", nullable: true }, null, true],
  ["without nullable null is no text", "3.0.3", { type: "string" }, null, false],
  [
    "nullable does not add null to an enum",
    "3.0.3",
    { type: "string", nullable: true, enum: ["a"] },
    null,
    false,
  ],
  ["an enum may name null", "3.0.3", { type: "string", nullable: true, enum: ["a", null] }, null, true],
  [
    "nullable beside allOf lets null pass",
    "3.0.3",
    { nullable: true, allOf: [{ type: "object" }] },
    null,
    true,
  ],
  ["nullable means nothing in 3.1", "3.1.0", { type: "string", nullable: true }, null, false],
  ["a list of types in 3.1", "3.1.0", { type: ["string", "null"] }, null, true],
  ["a list of types refuses others", "3.1.0", { type: ["string", "null"] }, 1, false],
  [
    "exclusiveMinimum is a word of minimum in 3.0",
    "3.0.3",
    { type: "number", minimum: 1, exclusiveMinimum: true },
    1,
    false,
  ],
  [
    "exclusiveMinimum: false changes nothing",
    "3.0.3",
    { type: "number", minimum: 1, exclusiveMinimum: false },
    1,
    true,
  ],
  [
    "exclusiveMaximum is a word of maximum in 3.0",
    "3.0.3",
    { type: "number", maximum: 1, exclusiveMaximum: true },
    1,
    false,
  ],
  [
    "exclusiveMinimum is a bound of its own in 3.1",
    "3.1.0",
    { type: "number", exclusiveMinimum: 1 },
    1,
    false,
  ],
  [
    "exclusiveMaximum is a bound of its own in 3.1",
    "3.1.0",
    { type: "number", exclusiveMaximum: 1 },
    0.5,
    true,
  ],
  ["const is judged in 3.1", "3.1.0", { const: "a" }, "b", false],
  ["const means nothing in 3.0", "3.0.3", { const: "a" }, "b", true],
  ["prefixItems is judged in 3.1", "3.1.0", { prefixItems: [{ type: "string" }] }, [1], false],
  [
    "items follow prefixItems in 3.1",
    "3.1.0",
    { prefixItems: [{ type: "string" }], items: false },
    ["a", 1],
    false,
  ],
  [
    "prefixItems means nothing in 3.0",
    "3.0.3",
    { type: "array", items: {}, prefixItems: [{ type: "string" }] },
    [1],
    true,
  ],
  [
    "if, then and else are judged in 3.1",
    "3.1.0",
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
    { if: { type: "string" }, then: { minLength: 2 } },
    "a",
    false,
  ],
  [
    "patternProperties mean nothing in 3.0",
    "3.0.3",
    { ...OBJECT, patternProperties: { "^x": { type: "string" } } },
    { x: 1 },
    true,
  ],
  [
    "patternProperties are judged in 3.1",
    "3.1.0",
    { ...OBJECT, patternProperties: { "^x": { type: "string" } } },
    { x: 1 },
    false,
  ],
  [
    "what stands beside $ref counts in 3.1",
    "3.1.0",
    { $ref: "#/components/schemas/Text", maxLength: 1 },
    "ab",
    false,
  ],
  [
    "what stands beside $ref is nothing in 3.0",
    "3.0.3",
    { $ref: "#/components/schemas/Text", maxLength: 1 },
    "ab",
    true,
  ],
  [
    "unevaluatedProperties see through allOf",
    "3.1.0",
    { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
    { a: 1 },
    true,
  ],
  [
    "unevaluatedProperties refuse the rest",
    "3.1.0",
    { allOf: [{ properties: { a: {} } }], unevaluatedProperties: false },
    { b: 1 },
    false,
  ],
  ["contains", "3.1.0", { contains: { const: 1 }, minContains: 2 }, [1, 2], false],
  ["dependentRequired", "3.1.0", { dependentRequired: { a: ["b"] } }, { a: 1 }, false],
  ["a schema that is false", "3.1.0", { properties: { a: false } }, { a: 1 }, false],
  [
    "a recursive schema",
    "3.1.0",
    { $ref: "#/components/schemas/Tree" },
    { children: [{ children: [{ children: 1 }] }] },
    false,
  ],
  [
    "a recursive schema that fits",
    "3.0.3",
    { $ref: "#/components/schemas/Tree" },
    { children: [{ children: [] }] },
    true,
  ],
];

const COMPONENTS = {
  schemas: {
    Text: { type: "string" },
    Tree: {
      type: "object",
      properties: { children: { type: "array", items: { $ref: "#/components/schemas/Tree" } } },
    },
  },
};

describe("dialects", () => {
  it.each(ROWS)("%s (%s)", async (_, openapi, schema, value, fits) => {
    await expectFit(bodyDocument(schema, { openapi, components: COMPONENTS }), value, fits);
  });
});

describe("the directions", () => {
  const components = {
    schemas: {
      Id: { type: "string", readOnly: true },
      User: {
        type: "object",
        required: ["id", "name", "password"],
        properties: {
          id: { type: "string", readOnly: true },
          other: { $ref: "#/components/schemas/Id" },
          name: { type: "string" },
          password: { type: "string", writeOnly: true },
        },
      },
      Composed: {
        allOf: [{ properties: { id: { readOnly: true } } }, { type: "object", required: ["id", "name"] }],
      },
    },
  };
  const document = (name: string, config: object = {}): Words => ({
    paths: {
      "/things": {
        post: {
          operationId: "make",
          requestBody: {
            content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
          },
          responses: {
            200: {
              description: "Made.",
              content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
            },
          },
        },
      },
    },
    components,
    config: { request: true, response: true, ...config },
  });
  const answering = (words: Words, value: unknown): Judging => {
    const made = judging(words);
    made.answer = () => Response.json(value);
    return made;
  };
  const ANSWER = { id: "1", name: "a" };
  const REFUSE = { otherDirection: "refuse" };

  it.each([
    ["a request needs nothing that is readOnly", "User", {}, { name: "a", password: "b" }, ANSWER, 200],
    ["a request needs what is writeOnly", "User", {}, { name: "a" }, ANSWER, 422],
    [
      "what is readOnly may be sent, and is not judged",
      "User",
      {},
      { id: 1, name: "a", password: "b" },
      ANSWER,
      200,
    ],
    [
      "what is readOnly is refused where that is said",
      "User",
      REFUSE,
      { id: "1", name: "a", password: "b" },
      ANSWER,
      422,
    ],
    [
      "what is readOnly by reference is refused too",
      "User",
      REFUSE,
      { other: "1", name: "a", password: "b" },
      ANSWER,
      422,
    ],
    ["an answer needs what is readOnly", "User", {}, { name: "a", password: "b" }, { name: "a" }, 502],
    [
      "an answer may hold what is writeOnly",
      "User",
      {},
      { name: "a", password: "b" },
      { ...ANSWER, password: 1 },
      200,
    ],
    [
      "an answer holds nothing that is writeOnly where that is said",
      "User",
      REFUSE,
      { name: "a", password: "b" },
      { ...ANSWER, password: "b" },
      502,
    ],
    ["required of one part knows readOnly of another", "Composed", {}, { name: "a" }, ANSWER, 200],
    ["and in an answer it is required", "Composed", {}, { name: "a" }, { name: "a" }, 502],
  ])("%s", async (_, name, config, request, answer, status) => {
    expect((await answering(document(name, config), answer).json("/things", request)).status).toBe(status);
  });
});

describe("discriminators", () => {
  const components = {
    schemas: {
      Cat: {
        type: "object",
        required: ["kind"],
        properties: { kind: { type: "string" }, lives: { type: "integer" } },
      },
      Dog: {
        type: "object",
        required: ["kind"],
        properties: { kind: { type: "string" }, tail: { type: "boolean" } },
      },
    },
  };
  const oneOf = [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }];
  const mapped = {
    oneOf,
    discriminator: { propertyName: "kind", mapping: { kitty: "#/components/schemas/Cat", hound: "Dog" } },
  };
  const plain = { oneOf, discriminator: { propertyName: "kind" } };

  it.each([
    ["the name of the schema decides", plain, { kind: "Cat", lives: 9 }, []],
    ["what the other schema says does not count", plain, { kind: "Cat", lives: 9, tail: 1 }, []],
    ["only the schema that is meant is at fault", plain, { kind: "Cat", lives: "9" }, ["/lives type"]],
    ["a name that is none", plain, { kind: "Bird" }, ["/kind enum"]],
    ["a value without the property", plain, {}, ["/kind required"]],
    ["a mapping to a place", mapped, { kind: "kitty", lives: "9" }, ["/lives type"]],
    ["a mapping to a name", mapped, { kind: "hound", tail: 1 }, ["/tail type"]],
    ["the name of the schema beside a mapping", mapped, { kind: "Dog", tail: 1 }, ["/tail type"]],
    ["anyOf", { ...plain, oneOf: undefined, anyOf: oneOf }, { kind: "Dog", tail: 1 }, ["/tail type"]],
  ])("%s", async (_, schema, value, faults) => {
    for (const openapi of ["3.0.3", "3.1.0"]) {
      const { errors } = await judgedBy(bodyDocument(schema, { openapi, components }), value);
      expect(errors.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual(faults);
    }
  });

  it("are hints only where a schema has no name", async () => {
    const schema = { ...plain, oneOf: [...oneOf, { type: "null" }] };
    const { status } = await judgedBy(bodyDocument(schema, { components }), null);
    expect(status).toBe(204);
  });
});

describe("properties that no schema names", () => {
  const components = {
    schemas: {
      Base: { type: "object", properties: { id: { type: "string" } } },
      Open: { type: "object", properties: { a: {} }, additionalProperties: true },
      Map: { type: "object" },
      Linked: { type: "object", properties: { next: { $ref: "#/components/schemas/Linked" } } },
    },
  };
  const refuse = { unknownProperties: "refuse" };
  it.each([
    ["pass as the schema says", { $ref: "#/components/schemas/Base" }, {}, { x: 1 }, true],
    ["are refused", { $ref: "#/components/schemas/Base" }, refuse, { x: 1 }, false],
    [
      "are refused inside of lists",
      { type: "array", items: { $ref: "#/components/schemas/Base" } },
      refuse,
      [{ x: 1 }],
      false,
    ],
    ["pass where the schema says so itself", { $ref: "#/components/schemas/Open" }, refuse, { x: 1 }, true],
    [
      "pass where the schema says so in its place",
      { type: "object", properties: { a: {} }, additionalProperties: true },
      refuse,
      { x: 1 },
      true,
    ],
    ["pass where no property is listed", { $ref: "#/components/schemas/Map" }, refuse, { x: 1 }, true],
    [
      "are those that no part of allOf names",
      { allOf: [{ $ref: "#/components/schemas/Base" }, { properties: { b: {} } }] },
      refuse,
      { id: "1", b: 2 },
      true,
    ],
    [
      "are refused by allOf as a whole",
      { allOf: [{ $ref: "#/components/schemas/Base" }, { properties: { b: {} } }] },
      refuse,
      { id: "1", c: 2 },
      false,
    ],
    [
      "are refused at every depth",
      { $ref: "#/components/schemas/Linked" },
      refuse,
      { next: { next: { x: 1 } } },
      false,
    ],
  ])("%s", async (_, schema, config, value, fits) => {
    await expectFit(bodyDocument(schema, { components, config }), value, fits);
  });
});
