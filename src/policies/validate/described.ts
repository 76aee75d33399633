import type { Contribution } from "../../core/contribution.ts";
import type { OperationInfo } from "../../core/operation.ts";

/** The answers that callers get where a request is judged. */
export const describedRequests = ({ body }: OperationInfo, maxBytes: number): Contribution => {
  const fault = {
    status: 422,
    description: "The request is not as this description says.",
    codes: ["validation-failed"],
  };
  if (body === undefined) return { answers: [fault] };
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
    limits: [{ kind: "body", maxBytes }],
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
