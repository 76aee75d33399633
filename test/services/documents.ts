import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { ZodType } from "zod";
import { renderDocument } from "../../src/services/document.ts";

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly "x-internal"?: boolean;
  readonly responses: Readonly<Record<string, { content?: object }>>;
}

/** The sentences that hold for every document. `file` is the text of the one that is kept in openapi/. */
export const describeDocument = (
  document: object,
  source: string,
  file: string,
  schemas: Readonly<Record<string, ZodType>>,
  operationIds: readonly string[],
) => {
  const { openapi, paths, components } = parse(file) as {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, { readonly examples?: readonly unknown[] }> };
  };
  const operations = Object.values(paths).flatMap((item) => Object.values(item));

  describe("the document", () => {
    it("is the one that is kept in openapi/", () => {
      expect(renderDocument(document, source)).toBe(file);
    });

    it("is OpenAPI 3.1 and has these operations", () => {
      expect(openapi).toBe("3.1.0");
      expect(operations.map(({ operationId }) => operationId).sort()).toEqual([...operationIds].sort());
    });

    it.each(operations)("describes $operationId, and every failure as a problem", (operation) => {
      expect(operation.summary).not.toBe("");
      expect(operation.description).not.toBe("");
      expect(operation["x-internal"] === true).toBe(operation.tags.includes("internal"));
      expect(Object.keys(operation.responses)).toContain("500");
      for (const [status, { content }] of Object.entries(operation.responses)) {
        const expected = Number(status) >= 400 ? ["application/problem+json"] : ["application/json"];
        expect(Object.keys(content ?? {})).toEqual(status === "304" ? [] : expected);
      }
    });

    it("names no schema that it does not hold, and holds none that it does not name", () => {
      const named = new Set(Array.from(file.matchAll(/#\/components\/schemas\/(\w+)/g), ([, name]) => name));
      expect([...named].sort()).toEqual(Object.keys(components.schemas).sort());
    });

    it("gives examples that fit their schemas", () => {
      const examples = Object.entries(components.schemas).flatMap(([name, schema]) =>
        (schema.examples ?? []).map((example) => ({ schema: schemas[name], example })),
      );
      expect(examples.length).toBeGreaterThan(0);
      for (const { schema, example } of examples) expect(schema?.parse(example)).toEqual(example);
    });

    it("has only patterns that are regular expressions without flags", () => {
      for (const [, pattern] of file.matchAll(/ pattern: (.+)/g)) {
        expect(pattern).toMatch(/^\^.*\$$/);
        expect(() => new RegExp(pattern ?? "", "u")).not.toThrow();
      }
    });
  });
};
