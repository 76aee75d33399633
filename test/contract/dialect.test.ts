import { describe, expect, it } from "vitest";
import { modernSchema } from "../../src/contract/dialect.ts";
import type { Json } from "../../src/core/json.ts";
import { at, contractOfApis } from "./contracting.ts";

type Schema = Readonly<Record<string, Json>>;

describe("a schema of OpenAPI 3.0 in the words of 3.1", () => {
  const rows: readonly (readonly [string, Schema, Schema])[] = [
    ["nullable beside a type", { type: "string", nullable: true }, { type: ["string", "null"] }],
    ["nullable: false", { type: "string", nullable: false }, { type: "string" }],
    ["nullable without a type counts for nothing", { nullable: true, minimum: 1 }, { minimum: 1 }],
    [
      "an enum of what may be null",
      { type: "string", nullable: true, enum: ["a"] },
      { type: ["string", "null"], enum: ["a", null] },
    ],
    ["exclusiveMinimum: true", { minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
    ["exclusiveMinimum: false", { minimum: 1, exclusiveMinimum: false }, { minimum: 1 }],
    ["exclusiveMaximum: true", { maximum: 9, exclusiveMaximum: true }, { exclusiveMaximum: 9 }],
    ["an exclusive bound without a bound", { exclusiveMaximum: true }, {}],
    ["an example", { type: "string", example: "a" }, { type: "string", examples: ["a"] }],
    ["an example that is null", { example: null }, { examples: [null] }],
    [
      "a file",
      { type: "string", format: "binary" },
      { type: "string", contentMediaType: "application/octet-stream" },
    ],
    ["bytes as text", { type: "string", format: "byte" }, { type: "string", contentEncoding: "base64" }],
    ["another format", { type: "string", format: "date" }, { type: "string", format: "date" }],
    ["what 3.1 says too", { type: "array", readOnly: true }, { type: "array", readOnly: true }],
  ];
  it.each(rows)("%s", (_, old, modern) => {
    expect(modernSchema(old)).toEqual(modern);
  });
});

const DOCUMENT = `openapi: 3.0.3
info: { title: Old, version: "1" }
paths:
  /old:
    post:
      operationId: old
      summary: Old
      parameters: [{ name: limit, in: query, schema: { type: integer, minimum: 0, exclusiveMinimum: true }, example: 3 }]
      requestBody:
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Animal" }
            example: { nullable: true }
      responses:
        "200":
          description: Good.
          content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Animal" } } } }
components:
  schemas:
    Animal:
      oneOf: [{ $ref: "#/components/schemas/Cat" }, { $ref: "#/components/schemas/Dog" }]
      discriminator: { propertyName: kind }
    Cat: { type: object, properties: { kind: { type: string }, owner: { type: string, nullable: true } } }
    Dog: { type: object, properties: { kind: { type: string }, friend: { $ref: "#/components/schemas/Animal", nullable: true } } }
`;

describe("a document of OpenAPI 3.0", () => {
  const { document } = contractOfApis(
    "apis: { a: { public: true, openapi: { file: old.yaml, operations: all }, upstream: plain } }\n",
    { openapi: { "old.yaml": DOCUMENT } },
  );
  const post = ["paths", "/old", "post"] as const;

  it("is converted wherever a schema stands, and nowhere else", () => {
    expect(at(document, ...post, "parameters", 0)).toMatchObject({
      schema: { type: "integer", exclusiveMinimum: 0 },
      example: 3,
    });
    expect(at(document, ...post, "requestBody", "content", "application/json", "example")).toEqual({
      nullable: true,
    });
    expect(at(document, "components", "schemas", "Cat", "properties", "owner")).toEqual({
      type: ["string", "null"],
    });
  });

  it("loses what counts for nothing beside a reference", () => {
    const dog = (document as { components: { schemas: { Dog: { properties: { friend: Json } } } } })
      .components.schemas.Dog;
    expect(dog.properties.friend).toEqual({ $ref: "#/components/schemas/Animal" });
  });

  it("says by which names a discriminator goes", () => {
    expect(at(document, "components", "schemas", "Animal", "discriminator", "mapping")).toEqual({
      Cat: "#/components/schemas/Cat",
      Dog: "#/components/schemas/Dog",
    });
  });
});
