import { z } from "zod";
import { explain, rate } from "../../policies/shapes.ts";

/** `1000000/month`: over a calendar period in UTC. */
const quota = z
  .string()
  .regex(
    /^[1-9]\d{0,14}\/(hour|day|week|month|year)$/,
    explain("This is not a quota.", "Write how many in which calendar period: 1000000/month."),
  )
  .transform((text) => {
    const [quantity, period] = text.split("/");
    return { quantity: Number(quantity), period: period as "hour" | "day" | "week" | "month" | "year" };
  });

/** One entry of `plans:`. */
export const planSchema = z.strictObject({
  rate: rate().describe("How often a caller with this plan may ask; limits say `rate: plan`."),
  quota: quota
    .optional()
    .describe("How much it may ask in a calendar period, in UTC: 1000000/month. No policy counts it yet."),
});

export type PlanDocument = z.output<typeof planSchema>;
