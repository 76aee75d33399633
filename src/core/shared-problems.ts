import type { Problem } from "./problem.ts";

/** Problems with which several policies answer, in the same words. */

/** A request's body that ended before it was whole. */
export const BODY_INCOMPLETE: Problem = {
  status: 400,
  code: "body-incomplete",
  title: "Bad request",
  detail: "The body broke off.",
};

/** A request's body with a content coding, where it has to be read (RFC 9110 section 12.5.3). */
export const BODY_CODED: Problem = {
  status: 415,
  code: "unsupported-content-encoding",
  title: "Unsupported content coding",
  detail: "The body has to come without a content coding.",
  headers: { "accept-encoding": "identity" },
};

/** A request's body of another type than those of an Accept field (RFC 9110 section 15.5.16). */
export const bodyOfOtherType = (accept: string): Problem => ({
  status: 415,
  code: "unsupported-media-type",
  title: "Unsupported media type",
  detail: `The body's type has to be one of ${accept}.`,
  headers: { accept },
});

/** An upstream's answer that ended before it was whole. */
export const UPSTREAM_INCOMPLETE: Problem = {
  status: 502,
  code: "upstream-incomplete",
  title: "Bad gateway",
  detail: "The service's answer broke off.",
  proxyError: "http_response_incomplete",
};
