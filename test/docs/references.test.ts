import { describe, expect, it } from "vitest";

// A script of the page: it has no types.
const { resolvedPart } = (await import("../../src/docs/references.js" as string)) as {
  resolvedPart(description: object, path: readonly string[]): unknown;
};

const DESCRIPTION = {
  paths: {
    "/users/{id}": {
      get: {
        responses: { 200: { $ref: "#/components/responses/User" } },
        parameters: [{ $ref: "#/components/parameters/id" }],
      },
    },
  },
  components: {
    parameters: { id: { name: "id", in: "path" } },
    responses: {
      User: { description: "A user.", content: { json: { schema: { $ref: "#/components/schemas/User" } } } },
    },
    schemas: {
      User: {
        type: "object",
        properties: { friend: { $ref: "#/components/schemas/User" }, $ref: { type: "string" } },
      },
      Tree: { title: "A tree", items: { $ref: "#/components/schemas/Tree" } },
      "a/b~c d": { type: "null" },
      Both: {
        required: ["b"],
        allOf: [
          { $ref: "#/components/schemas/One" },
          { properties: { code: { enum: ["x"] } }, required: ["a", "b"] },
        ],
      },
      One: { type: "object", required: ["a"], properties: { code: { type: "string" }, a: {} } },
      Data: {
        const: { $ref: "#/components/schemas/One" },
        example: { allOf: [{ $ref: "#/x" }] },
        enum: [{ $ref: "#/x" }],
      },
      Named: {
        properties: { example: { $ref: "#/components/schemas/a~1b~0c%20d" }, allOf: { type: "array" } },
      },
      Beside: { $ref: "#/components/schemas/One", description: "Said here." },
      Lost: { $ref: "#/components/schemas/Nothing" },
      Own: { $ref: "#/components/schemas/__proto__" },
      Elsewhere: { $ref: "other.json#/x" },
    },
  },
};

const schema = (name: string): unknown => resolvedPart(DESCRIPTION, ["components", "schemas", name]);

describe("references of the description", () => {
  it("are put in, through other references too, and what leads back to itself is left", () => {
    expect(resolvedPart(DESCRIPTION, ["paths", "/users/{id}", "get"])).toEqual({
      parameters: [{ name: "id", in: "path" }],
      responses: {
        200: {
          description: "A user.",
          content: {
            json: {
              schema: {
                title: "User",
                type: "object",
                properties: { friend: { $ref: "#/components/schemas/User" }, $ref: { type: "string" } },
              },
            },
          },
        },
      },
    });
  });

  it.each([
    [
      "keep a title of their own",
      "Tree",
      { title: "A tree", items: { title: "A tree", items: { $ref: "#/components/schemas/Tree" } } },
    ],
    [
      "are joined where all of several hold",
      "Both",
      {
        title: "One",
        type: "object",
        required: ["a", "b"],
        properties: { code: { type: "string", enum: ["x"] }, a: {} },
      },
    ],
    ["are none in data", "Data", DESCRIPTION.components.schemas.Data],
    [
      "are found by escaped names, and properties may be called like keywords",
      "Named",
      { properties: { example: { title: "a/b~c d", type: "null" }, allOf: { type: "array" } } },
    ],
    [
      "may have more beside them",
      "Beside",
      { title: "One", description: "Said here.", ...DESCRIPTION.components.schemas.One },
    ],
    ["are left where they lead nowhere", "Lost", DESCRIPTION.components.schemas.Lost],
    ["do not lead to what every object has", "Own", DESCRIPTION.components.schemas.Own],
    ["are left where they lead elsewhere", "Elsewhere", DESCRIPTION.components.schemas.Elsewhere],
    ["of nothing are nothing", "Absent", null],
  ])("%s", (_, name, expected) => {
    expect(schema(name)).toEqual(expected);
  });

  it("end, however often schemas use each other", () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [
        `S${at}`,
        {
          properties: {
            one: { $ref: `#/components/schemas/S${at + 1}` },
            two: { $ref: `#/components/schemas/S${at + 1}` },
          },
        },
      ]),
    );
    const text = JSON.stringify(resolvedPart({ components: { schemas } }, ["components", "schemas", "S0"]));
    expect(text.length).toBeLessThan(2_000_000);
  });
});
