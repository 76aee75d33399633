import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import { CHALLENGE } from "../../core/described-fields.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

/** Refusals: of somebody, and of a caller who may be nobody. */
export const describe = (_: readonly Instance<unknown>[], { identity }: CompileContext): Contribution => {
  const isAsked = identity.policies.length > 0;
  return {
    answers: [...(isAsked ? [FORBIDDEN] : []), ...(isAsked && !identity.anonymous ? [] : [MISSING])],
  };
};

const FORBIDDEN: ContributedAnswer = {
  status: 403,
  description: "This caller may not do this.",
  codes: ["forbidden"],
};

const MISSING: ContributedAnswer = {
  status: 401,
  description: "No credential came along.",
  codes: ["credential-missing"],
  fields: CHALLENGE,
};
