import { describe, expect, it } from "vitest";
import { clientTypes } from "../../src/adapters/node/client-types.ts";
import { withoutExamples } from "../../src/contract/without-examples.ts";

const DATA = { $ref: "#/components/examples/none" };

describe("a document without examples", () => {
  const document = {
    openapi: "3.1.0",
    info: { title: "Shop", version: "1" },
    paths: {
      "/a": {
        get: {
          parameters: [{ name: "example", in: "query", example: DATA, schema: { type: "string" } }],
          responses: {
            200: {
              description: "Found.",
              content: {
                "application/json": {
                  schema: { $ref: "#/components/schemas/A" },
                  examples: { one: { value: DATA } },
                },
              },
            },
          },
        },
      },
    },
    components: {
      examples: { one: { value: DATA } },
      schemas: {
        A: {
          type: "object",
          example: DATA,
          properties: {
            example: { type: "string", examples: [DATA] },
            examples: { type: "array", items: { type: "integer", example: 1 } },
          },
          default: { example: 1 },
        },
      },
    },
    "x-more": { example: 1 },
  };

  it("has all but these", () => {
    const bare = JSON.stringify(withoutExamples(document));
    expect(bare).not.toContain("none");
    expect(withoutExamples(document)).toMatchObject({
      components: {
        schemas: {
          A: {
            properties: { example: { type: "string" }, examples: { items: { type: "integer" } } },
            default: { example: 1 },
          },
        },
      },
      "x-more": { example: 1 },
    });
  });

  it("is what types are made of", async () => {
    const types = await clientTypes(withoutExamples(document));
    expect(types).toMatch(/examples\?: number\[\]/);
    expect(types).toMatch(/example\?: string/);
  });
});
