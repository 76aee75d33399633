import type { Exchange } from "./exchange.ts";
import { problem } from "./problem.ts";

/** Whose plan is which, beside consumers, who bring theirs along. */
export type CallerPlans = {
  /** Plans of the issuers' subjects, by the issuer's name. */
  readonly issuers: { readonly [issuer: string]: string };
  /** Whether callers without identity have the plan `anonymous`. */
  readonly anonymous: boolean;
};

/** Answers the function that knows the plan of whoever calls; undefined for a caller who has none. */
export const linkCallerPlan = ({
  issuers,
  anonymous,
}: CallerPlans): ((exchange: Exchange) => string | undefined) => {
  const byIssuer = new Map(Object.entries(issuers));
  const nobody = anonymous ? "anonymous" : undefined;
  return ({ identity }) => {
    if (identity === undefined || identity.kind === "anonymous") return nobody;
    if (identity.consumer !== undefined) return identity.consumer.plan;
    // What other policies call an issuer may be spelled like the name of one of these.
    return identity.kind === "jwt" ? byIssuer.get(identity.issuer ?? "") : undefined;
  };
};

/** The refusal of a caller who has none. */
export const withoutPlan = (exchange: Exchange): Response =>
  problem(exchange, {
    status: 403,
    code: "caller-without-plan",
    title: "Not allowed",
    detail: "This caller has no plan that says how often they may call.",
  });
