import type { Requirement } from "./requirement.ts";

/** RFC 9111, sections 5.1 to 5.2.1.7: Age, and what requests say. */
export const fields: readonly Requirement[] = [
  [
    "5.1",
    "SHOULD",
    "Take the first of several ages",
    "age-parse-suffix",
    "age-parse-prefix",
    "age-parse-suffix-twoline",
  ],
  [
    "5.1",
    "SHOULD",
    "Ignore an age that is none",
    "age-parse-nonnumeric",
    "age-parse-negative",
    "age-parse-float",
  ],
  ["5.2", "MUST", "Pass directives through", "5.2: directives pass in both directions, known or not"],
  [
    "5.2.1.1",
    "SHOULD",
    "max-age: nothing older (heeded where a route says so)",
    "ccreq-ma0",
    "ccreq-magreaterage",
    "5.2.1.1: max-age is for an answer that is no older",
  ],
  ["5.2.1.2", "SHOULD", "max-stale: a stale answer will do (likewise)", "ccreq-max-stale"],
  [
    "5.2.1.3",
    "SHOULD",
    "min-fresh: only what stays fresh (likewise)",
    "ccreq-min-fresh",
    "ccreq-min-fresh-age",
  ],
  [
    "5.2.1.4",
    "SHOULD",
    "no-cache: not without asking (likewise)",
    "ccreq-no-cache",
    "ccreq-no-cache-etag",
    "ccreq-no-cache-lm",
  ],
  [
    "5.2.1.5",
    "MUST NOT",
    "no-store: store nothing of it (likewise)",
    "5.2.1.5: no-store of the request: its answer is not stored",
    "ccreq-no-store",
  ],
  [
    "5.2.1.6",
    "MUST NOT",
    "no-transform: transform nothing",
    "5.2.2.6: what is not coded is stored, and stays as it was",
  ],
  [
    "5.2.1.7",
    "SHOULD",
    "only-if-cached: what is stored, or 504 (likewise)",
    "ccreq-oic",
    "5.2.1.7: only-if-cached gets what is stored",
  ],
];
