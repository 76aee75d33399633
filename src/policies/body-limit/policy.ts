import { z } from "zod";
import { definePolicy } from "../../core/policy.ts";
import { explain, size } from "../shapes.ts";
import { describe } from "./describe.ts";
import type { Step } from "./filter.ts";

const TOKEN = "[a-z0-9!#$&^_.+-]+";

const mediaType = () =>
  z
    .string()
    .toLowerCase()
    .regex(
      new RegExp(`^${TOKEN}/(${TOKEN}|\\*|\\*\\+${TOKEN})$`),
      explain(
        "This is not a media type.",
        "Write a type such as application/json, text/* or application/*+json, without parameters.",
      ),
    );

const schema = z.strictObject({
  max: size()
    .prefault("10MiB")
    .describe(
      "The largest body that passes; a larger one is answered with 413, also when its length shows on the way only. Default 10MiB.",
    ),
  maxHeaders: z
    .strictObject({
      count: z
        .int()
        .min(1)
        .optional()
        .describe("How many header fields a request may have, equal names counted once."),
      size: size()
        .optional()
        .describe("How many bytes the names and values of the header fields may have together."),
    })
    .optional()
    .describe("Limits of the header, answered with 431; default: those of the platform."),
  contentTypes: z
    .array(mediaType())
    .min(1, explain("No type is listed.", "List at least one, or remove `contentTypes`."))
    .optional()
    .describe("Media types that a body may have; another one, or none, is answered with 415. Default: any."),
});

export const bodyLimit = definePolicy({
  name: "bodyLimit",
  summary:
    "Refuses bodies and headers that are too large, counted on the bytes that really come, and bodies of other types.",
  attachment: "replaced",
  schema,
  compile: ([instance]): Step | undefined => {
    if (instance === undefined) return undefined;
    const { max, maxHeaders, contentTypes } = instance.config;
    return {
      maxBytes: max,
      ...(maxHeaders?.count === undefined ? {} : { maxFields: maxHeaders.count }),
      ...(maxHeaders?.size === undefined ? {} : { maxFieldBytes: maxHeaders.size }),
      ...(contentTypes === undefined ? {} : { contentTypes: splitTypes(contentTypes) }),
    };
  },
  describe,
  filter: () => import("./filter.ts"),
});

const splitTypes = (types: readonly string[]): NonNullable<Step["contentTypes"]> => ({
  exact: types.filter((type) => !type.includes("/*")),
  prefixes: types.filter((type) => type.endsWith("/*")).map((type) => type.slice(0, -1)),
  suffixes: types
    .filter((type) => type.includes("/*+"))
    .map((type) => [type.slice(0, type.indexOf("*")), type.slice(type.indexOf("*") + 1)] as const),
  accept: types.join(", "),
});
