import { describe, expect, it } from "vitest";
import { bodyDocument, judging } from "./judging.ts";

const MANY = 250;
const list = (item: unknown): unknown[] => Array.from({ length: MANY }, () => item);
const object = (value: unknown): object =>
  Object.fromEntries(list(value).map((item, index) => [`member${index}`, item]));
const items = (type: string): object => ({ type: "array", items: { type } });
const members = (type: string): object => ({ type: "object", additionalProperties: { type } });

const faultsOf = async (schema: unknown, value: unknown) => {
  const { status, errors } = await judging(bodyDocument(schema)).json("/things", value);
  return { status, count: errors.length, last: errors.at(-1)?.code };
};

describe("more faults than are told", () => {
  it.each([
    ["a list that fits none of two", { anyOf: [items("integer"), items("string")] }, list(true)],
    ["a list that must fit one of two", { oneOf: [items("integer"), items("string")] }, list(true)],
    ["an object that fits none of two", { anyOf: [members("integer"), members("string")] }, object(true)],
    [
      "unknown members that none of two permits",
      {
        anyOf: [
          { type: "object", additionalProperties: false },
          { type: "object", properties: { a: {} }, additionalProperties: false },
        ],
      },
      object(true),
    ],
    [
      "a list behind another that is at fault",
      { allOf: [{ anyOf: [items("integer"), items("null"), items("string")] }, items("boolean")] },
      list(true),
    ],
    [
      "items behind the first ones",
      { anyOf: [{ prefixItems: [true], items: { type: "integer" } }, items("string")] },
      list(true),
    ],
    [
      "names of members",
      { anyOf: [{ type: "object", propertyNames: { maxLength: 1 } }, members("string")] },
      object(true),
    ],
  ])("%s is refused", async (_, schema, value) => {
    const { status, count } = await faultsOf(schema, value);
    expect(status).toBe(422);
    expect(count).toBeLessThanOrEqual(100);
  });

  it.each([
    ["a list that fits the second of two", { anyOf: [items("integer"), items("boolean")] }, list(true)],
    ["an object that fits the last", { oneOf: [members("integer"), members("boolean")] }, object(true)],
    ["an item behind many others", { contains: { const: 1 } }, [...list(0), 1]],
    ["items behind many others", { contains: { const: 1 }, minContains: 2 }, [1, ...list(0), 1]],
    ["what is not there", { not: { contains: { const: 1 } } }, list(0)],
  ])("%s passes", async (_, schema, value) => {
    expect(await faultsOf(schema, value)).toEqual({ status: 204, count: 0 });
  });

  it("are told up to a hundred, however many alternatives and items there are", async () => {
    const { status, count } = await faultsOf(
      { type: "array", items: { anyOf: [items("integer"), items("string"), items("null")] } },
      list(list(true)),
    );
    expect([status, count]).toEqual([422, 100]);
  });
});
