import type { Contribution } from "../../core/contribution.ts";
import type { Instance } from "../../core/policy.ts";

interface Config {
  readonly tagsFrom?: { readonly maxBody: number } | undefined;
}

/** Refusals of bodies that cannot be read for what they change. */
export const describe = ([instance]: readonly Instance<Config>[]): Contribution => {
  const { tagsFrom } = instance?.config ?? {};
  if (tagsFrom === undefined) return {};
  return {
    answers: [
      {
        status: 413,
        description: `The body is larger than ${tagsFrom.maxBody} bytes.`,
        codes: ["body-too-large"],
      },
      { status: 400, description: "The body broke off.", codes: ["body-incomplete"] },
    ],
    limits: [{ kind: "body", maxBytes: tagsFrom.maxBody }],
  };
};
