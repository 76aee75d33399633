import { z } from "zod";
import { explain, named } from "../../policies/shapes.ts";

const attribute = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

const key = z.strictObject({
  id: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/,
      explain("This is not the id of a key.", "Write up to 32 letters, digits, hyphens and underscores: k1."),
    )
    .describe("Tells the consumer's keys apart, as when one is revoked."),
  sha256: z
    .string()
    .regex(
      /^[0-9a-f]{64}$/,
      explain(
        "This is not a SHA-256 digest.",
        "Write the 64 digits that `postern key new` printed, never the key itself.",
      ),
    )
    .describe(
      "SHA-256 of the key, in lower-case hexadecimal, as `postern key new` prints it; a key from elsewhere has to be as random (256 bits).",
    ),
  expires: z.iso
    .date({ error: explain("This is not a date.", "Write the last day in UTC: 2027-06-30.") })
    .optional()
    .describe("The last day, in UTC, on which the key is good."),
});

/** One entry of `consumers:`. */
export const consumerSchema = z.strictObject({
  plan: z.string().optional().describe("Name of the plan that bounds how often it may ask."),
  attributes: named(attribute)
    .default({})
    .describe("What expressions read as `consumer.attributes`: texts, numbers, booleans and lists of texts."),
  keys: z
    .array(key)
    .max(16)
    .default([])
    .describe("Its keys; several may be good at once, so that one can be changed without a refusal."),
});

export type ConsumerDocument = z.output<typeof consumerSchema>;
