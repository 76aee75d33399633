import type { ContributedLimit, Contribution } from "../../core/contribution.ts";
import type { OperationInfo } from "../../core/operation.ts";

/** What is said to callers of how strictly they are judged. */
interface Strictness {
  readonly maxBody: number;
  readonly unknownParameters: string;
  readonly unknownProperties: string;
  readonly otherDirection: string;
}

/** The answers that callers get where a request is judged. */
export const describedRequests = (
  { body }: OperationInfo,
  { maxBody: maxBytes, ...strictness }: Strictness,
): Contribution => {
  const refused = (name: string, setting: string): readonly ContributedLimit[] =>
    setting === "refuse" ? [{ kind: "other", name, value: "refused" }] : [];
  const ofParameters = refused("unknown query parameters", strictness.unknownParameters);
  const fault = {
    status: 422,
    description: "The request is not as this description says.",
    codes: ["validation-failed"],
  };
  if (body === undefined)
    return { answers: [fault], ...(ofParameters.length > 0 && { limits: ofParameters }) };
  return {
    answers: [
      fault,
      {
        status: 400,
        description: "The body is not of the type that it says it is.",
        codes: ["malformed-body", "body-incomplete"],
      },
      { status: 413, description: "The body is too large.", codes: ["body-too-large"] },
      {
        status: 415,
        description: "The body's type is not one that is taken here.",
        codes: ["unsupported-media-type", "unsupported-content-encoding", "unsupported-charset"],
      },
    ],
    limits: [
      { kind: "body", maxBytes },
      ...ofParameters,
      ...refused("unknown properties", strictness.unknownProperties),
      ...refused("read-only properties", strictness.otherDirection),
    ],
  };
};

/** The answer that callers get where the service's answer is judged. */
export const DESCRIBED_ANSWERS: Contribution = {
  answers: [
    {
      status: 502,
      description: "The service answered with something that it does not promise.",
      codes: ["response-invalid", "upstream-incomplete"],
    },
  ],
};
