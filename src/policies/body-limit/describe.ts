import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import type { CompileContext, Instance } from "../../core/policy.ts";

interface Config {
  readonly max: number;
  readonly maxHeaders?: object | undefined;
  readonly contentTypes?: readonly string[] | undefined;
}

/** Refusals of what is too large, or of another type; of bodies only where the method has any use for one. */
export const describe = (
  [instance]: readonly Instance<Config>[],
  { route }: CompileContext,
): Contribution => {
  if (instance === undefined) return {};
  const { max, maxHeaders, contentTypes } = instance.config;
  const hasBody =
    route.methods.length === 0 || route.methods.some((method) => method !== "GET" && method !== "HEAD");
  return {
    answers: [
      ...(hasBody
        ? [{ status: 413, description: `The body is larger than ${max} bytes.`, codes: ["body-too-large"] }]
        : []),
      ...(hasBody && contentTypes !== undefined ? [unsupported(contentTypes)] : []),
      ...(maxHeaders === undefined ? [] : [TOO_MANY_FIELDS]),
    ],
    limits: hasBody ? [{ kind: "body", maxBytes: max }] : [],
  };
};

const TOO_MANY_FIELDS: ContributedAnswer = {
  status: 431,
  description: "The header has too many fields, or they are too long together.",
  codes: ["header-fields-too-large"],
};

const unsupported = (types: readonly string[]): ContributedAnswer => ({
  status: 415,
  description: `The type of the body is none of ${types.join(", ")}.`,
  codes: ["unsupported-media-type"],
  fields: { Accept: { description: "Types that are taken.", required: true, schema: { type: "string" } } },
});
