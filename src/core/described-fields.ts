import type { ContributedAnswer } from "./contribution.ts";
import type { Json } from "./json.ts";

// Header Objects (OpenAPI 3.1) of fields that several policies describe, and answers that those have in common that count.

type HeaderObject = { readonly [name: string]: Json };

const text = (description: string, required: boolean): HeaderObject => ({
  description,
  ...(required && { required }),
  schema: { type: "string" },
});

/** Of an answer that says when to come back. */
export const RETRY_AFTER: Readonly<Record<string, HeaderObject>> = {
  "Retry-After": {
    description: "After how many seconds to try again (RFC 9110 section 10.2.3).",
    required: true,
    schema: { type: "integer", minimum: 0 },
  },
};

const challenge = (required: boolean): Readonly<Record<string, HeaderObject>> => ({
  "WWW-Authenticate": text(
    "Which credentials are asked for, or what the one that came lacks (RFC 9110 section 11.6.1).",
    required,
  ),
});

/** Of a 401. */
export const CHALLENGE = challenge(true);

/** Of a 403 that names what a token lacks (RFC 6750 section 3). */
export const OPTIONAL_CHALLENGE = challenge(false);

/** Of answers where a limit or quota tells a caller where they stand (draft-ietf-httpapi-ratelimit-headers). */
export const rateLimitFields = (required: boolean): Readonly<Record<string, HeaderObject>> => ({
  RateLimit: text(
    "What is left of each limit, and in how many seconds there is more (draft-ietf-httpapi-ratelimit-headers).",
    required,
  ),
  "RateLimit-Policy": text(
    "The limits: how many units in how many seconds (draft-ietf-httpapi-ratelimit-headers).",
    required,
  ),
});

/** Of a policy that takes its bounds from the plans of callers. */
export const WITHOUT_PLAN: ContributedAnswer = {
  status: 403,
  description: "This caller has no plan.",
  codes: ["caller-without-plan"],
};

/** Of a policy that refuses while the store of its counts is away. */
export const LIMITS_UNAVAILABLE: ContributedAnswer = {
  status: 503,
  description: "How much is left of a limit cannot be found out now.",
  codes: ["limits-unavailable"],
  fields: RETRY_AFTER,
};
