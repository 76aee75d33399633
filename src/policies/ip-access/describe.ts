import type { Contribution } from "../../core/contribution.ts";

/** Refusals by address. */
export const describe = (): Contribution => ({
  answers: [{ status: 403, description: "This address may not call.", codes: ["ip-refused"] }],
});
