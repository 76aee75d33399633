import { z } from "zod";
import { quota, rate } from "../../policies/shapes.ts";

/** One entry of `plans:`. */
export const planSchema = z.strictObject({
  rate: rate().describe("How often a caller with this plan may ask; limits say `rate: plan`."),
  quota: quota()
    .optional()
    .describe(
      "How much it may ask in a calendar period, in UTC: 1000000/month; quotas say `quota: plan`. Without one it is not bounded in a period.",
    ),
});

export type PlanDocument = z.output<typeof planSchema>;
