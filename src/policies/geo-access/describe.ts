import type { Contribution } from "../../core/contribution.ts";

/** Refusals by country. */
export const describe = (): Contribution => ({
  answers: [{ status: 403, description: "Calls from this country are refused.", codes: ["country-refused"] }],
});
