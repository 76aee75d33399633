import { describe, expect, it } from "vitest";
import { bodyDocument, compileDocument, judging } from "./judging.ts";

describe("what is no schema", () => {
  it.each([
    ["null", null, {}],
    ["a text", "string", {}],
    ["a number", 1, {}],
    ["a list", [{ type: "string" }], {}],
    ["null below a keyword", { properties: { a: null } }, {}],
    ["null by a reference", { $ref: "#/components/schemas/Nothing" }, { Nothing: null }],
  ])("is told of: %s", (_, schema, schemas) => {
    const { plan, diagnostics } = compileDocument(bodyDocument(schema, { components: { schemas } }));
    expect(plan).toBeUndefined();
    expect(diagnostics.filter(({ severity }) => severity === "error")).not.toEqual([]);
  });

  it("is one in which an anchor stands twice", () => {
    const twice = {
      $defs: { a: { $dynamicAnchor: "x" }, b: { $dynamicAnchor: "x" } },
      properties: { a: { $dynamicRef: "#x" } },
    };
    const { plan, codes } = compileDocument(bodyDocument(twice));
    expect(plan).toBeUndefined();
    expect(codes).toContain("unsupported-keyword");
  });
});

describe("a schema behind a name with a number sign", () => {
  const components = {
    schemas: { Odd: { type: "object", properties: { "a#b": { type: "integer" }, a: { type: "string" } } } },
  };
  it("is found", async () => {
    const words = bodyDocument({ $ref: "#/components/schemas/Odd/properties/a%23b" }, { components });
    const it = judging(words);
    expect((await it.json("/things", 1)).status).toBe(204);
    expect((await it.json("/things", "x")).status).toBe(422);
  });
});
