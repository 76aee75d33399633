import type { Contribution } from "../../core/contribution.ts";
import { CHALLENGE } from "../../core/described-fields.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

interface Config {
  readonly any: readonly (string | readonly string[])[];
}

/** Which credentials go together; without a word, all that the route's policies ask for. */
export const describe = (
  [instance]: readonly Instance<Config>[],
  { identity }: CompileContext,
): Contribution => {
  const alternatives = instance?.config.any.map((names) =>
    typeof names === "string" ? (names === "anonymous" ? [] : [names]) : names,
  ) ?? [identity.policies];
  const isOpen = alternatives.some((names) => names.length === 0);
  return {
    alternatives,
    answers: isOpen
      ? []
      : [
          {
            status: 401,
            description: "No credential came along.",
            codes: ["credential-missing"],
            fields: CHALLENGE,
          },
        ],
  };
};
