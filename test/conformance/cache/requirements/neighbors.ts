import { POLICIES, type Requirement } from "./requirement.ts";

/** RFC 5861, stale content. */
export const staleContent: readonly Requirement[] = [
  [
    "3",
    "SHOULD",
    "stale-while-revalidate: answer at once, and revalidate meanwhile",
    "stale-while-revalidate",
    "RFC 5861 3: what is used stale is revalidated meanwhile",
  ],
  ["3", "SHOULD NOT", "stale-while-revalidate: not after its time", "stale-while-revalidate-window"],
  [
    "4",
    "SHOULD",
    "stale-if-error: what is stale in place of 500, 502, 503 and 504",
    "RFC 5861: stale-if-error covers 500",
    "RFC 5861 4: a client may allow what is stale when the origin fails",
    "stale-sie-503",
    "stale-sie-close",
  ],
  [
    "4",
    "SHOULD NOT",
    "stale-if-error: not after its time, nor for other answers",
    "RFC 5861: it ends",
    "RFC 5861: it does not cover 404",
  ],
];

/** RFC 9211, Cache-Status. */
export const cacheStatus: readonly Requirement[] = [
  [
    "2",
    "SHOULD NOT",
    "Add a member to what is made here, and not from what is stored",
    "RFC 9211 2: an answer of the cache's own has no Cache-Status",
  ],
  [
    "2",
    "SHOULD",
    "Keep what other caches said, before what we say",
    "RFC 9211: what a cache before us said stays, before what we say",
  ],
  [
    "2",
    "MUST",
    "Name the cache by a token or a string",
    "RFC 9211: a hit says how long it lives",
    "RFC 9211: a miss says that it was stored",
  ],
  [
    "2.1",
    "SHOULD",
    "Say either hit or fwd",
    "RFC 9211: a hit says how long it lives",
    "RFC 9211: a miss says that it was stored",
  ],
  [
    "2.2",
    "SHOULD",
    "Say the most specific reason for going on",
    "RFC 9211 2.2: the request says why it went on: stale",
    "RFC 9211 2.2: the request says why it went on: another variant",
    `${POLICIES}/client-directives.test.ts: says that the request, not the entry, was why it went on`,
  ],
  [
    "2.3",
    "SHOULD",
    "Say the origin's status where the client sees another",
    "RFC 9211 2.3: the origin's status is told where the client sees another",
    "RFC 9211 2.2: the request says why it went on: stale",
  ],
  [
    "2.4",
    "SHOULD",
    "Count the lifetime down, below zero where it is over",
    "RFC 9211: a hit says how long it lives",
    "RFC 9211 2.4: what is stale has a negative lifetime",
  ],
  [
    "2.6",
    "SHOULD",
    "Say which requests were answered with another's answer",
    "test/e2e/cache-coalescing.test.ts: 500 clients of one cold key get the answer to one request",
  ],
];

/** RFC 9213, Targeted Cache-Control. */
export const targeted: readonly Requirement[] = [
  [
    "2.1",
    "MUST",
    "Ignore a field that is empty or no Dictionary",
    "RFC 9213 2.1: a field without members is not there",
    "cdn-cc-invalid-sh-type-unknown",
  ],
  ["2.1", "SHOULD NOT", "Use values of another type", "cdn-cc-invalid-sh-type-wrong"],
  [
    "2.2",
    "MUST",
    "Take CDN-Cache-Control where it is good",
    "cdn-max-age",
    "cdn-max-age-long-cc-max-age",
    "cdn-fresh-cc-nostore",
  ],
  [
    "2.2",
    "MUST",
    "Ignore Cache-Control and Expires then",
    "cdn-max-age-short-cc-max-age",
    "cdn-max-age-0-expires",
    "RFC 9213 2.2: Expires is not heard beside a good field",
  ],
  [
    "2.2",
    "MUST NOT",
    "Heed a field for other caches",
    "RFC 9213 2.2: a field for other caches changes nothing, and passes",
  ],
  [
    "2.2",
    "MUST",
    "Pass such a field on",
    "RFC 9213 2.2: a field for other caches changes nothing, and passes",
  ],
  [
    "2.2",
    "MUST",
    "Know max-age, must-revalidate, no-store, no-cache and private",
    "cdn-max-age",
    "cdn-no-store-cc-fresh",
    "cdn-no-cache",
    "cdn-private",
    "RFC 9213 2.2: must-revalidate counts in it as elsewhere",
  ],
  [
    "2.2",
    "SHOULD",
    "Know the other directives, too",
    "RFC 9213 2.2: must-revalidate counts in it as elsewhere",
    "cdn-max-age-extension",
  ],
  [
    "2.4",
    "MUST NOT",
    "Know a targeted field by the end of its name",
    "RFC 9213 2.2: a field for other caches changes nothing, and passes",
  ],
];
