import type { ContributedAnswer, Contribution } from "../../core/contribution.ts";
import type { Instance } from "../../core/policy.ts";

interface Config {
  readonly request?: { readonly maxBody: number } | undefined;
}

/** Answers in place of bodies that cannot be edited. */
export const describe = ([instance]: readonly Instance<Config>[], _: unknown, stage: string): Contribution =>
  stage === "request"
    ? { answers: ofRequests(instance?.config.request?.maxBody ?? 0) }
    : {
        answers: [
          {
            status: 502,
            description: "The service's answer cannot be edited as it has to be.",
            codes: [
              "upstream-partial",
              "upstream-coded",
              "upstream-too-large",
              "upstream-incomplete",
              "upstream-malformed",
              "upstream-edit-failed",
            ],
          },
        ],
      };

const ofRequests = (maxBytes: number): readonly ContributedAnswer[] => [
  {
    status: 400,
    description: "The body is not well-formed JSON, or broke off.",
    codes: ["malformed-json", "body-incomplete"],
  },
  { status: 413, description: `The body is larger than ${maxBytes} bytes.`, codes: ["body-too-large"] },
  {
    status: 415,
    description: "The body is not JSON, or comes with a content coding.",
    codes: ["unsupported-media-type", "unsupported-content-encoding"],
  },
  { status: 422, description: "The body is not one that the edits fit.", codes: ["body-edit-failed"] },
];
