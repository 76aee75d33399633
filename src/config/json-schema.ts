import { z } from "zod";
import { duration, percent, rate, size } from "../policies/shapes.ts";

/** A JSON Schema, as plain JSON. */
export type JsonSchema = { [key: string]: unknown };

/** JSON Schema (2020-12) of what people write, not of what it becomes. */
export const jsonSchemaOf = (schema: z.ZodType): JsonSchema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    reused: "inline",
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type !== "default" || jsonSchema.default !== undefined) return;
      const written = writtenDefault(
        (def as { defaultValue?: unknown }).defaultValue,
        jsonSchema as JsonSchema,
      );
      if (written !== undefined) jsonSchema.default = written;
    },
  }) as JsonSchema;
  return rest;
};

const patternOf = (schema: z.ZodType): unknown =>
  (z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema)["pattern"];

/** What a text with a unit is, by the pattern that it has in JSON Schema. */
const QUANTITIES = new Map([
  [patternOf(duration()), "duration"],
  [patternOf(size()), "size"],
  [patternOf(percent()), "percentage"],
  [patternOf(rate()), "rate"],
]);

/** `duration`, `size`, `percentage` or `rate` where a schema is that of a quantity. */
export const quantityOf = (schema: JsonSchema): string | undefined => QUANTITIES.get(schema["pattern"]);

/** A default of what becomes something else when it is read, as people would write it. */
const writtenDefault = (value: unknown, schema: JsonSchema): string | undefined => {
  if (typeof value === "string") return value;
  if (typeof value !== "number") return undefined;
  switch (quantityOf(schema)) {
    case "duration":
      return withUnit(value, [
        [86_400_000, "d"],
        [3_600_000, "h"],
        [60_000, "m"],
        [1000, "s"],
        [1, "ms"],
      ]);
    case "size":
      return withUnit(value, [
        [1024 ** 3, "GiB"],
        [1024 ** 2, "MiB"],
        [1024, "KiB"],
        [1, "B"],
      ]);
    default:
      return undefined;
  }
};

/** In the largest unit of which it is a whole number. */
const withUnit = (value: number, units: readonly (readonly [number, string])[]): string => {
  const [size, unit] = units.find(([factor]) => value >= factor && value % factor === 0) ?? [1, units[0]![1]];
  return value === 0 ? `0${units.at(-2)![1]}` : `${value / size}${unit}`;
};
