/** How binding a requirement is (RFC 2119). */
export type Level = "MUST" | "MUST NOT" | "SHOULD" | "SHOULD NOT";

/** What a document asks of a cache, in our words, and what shows that it is so. */
export type Requirement = readonly [
  section: string,
  level: Level,
  says: string,
  /** Ids of cases; tests as `file: name`; or, after `not ours:`, why it does not concern this cache. */
  ...shownBy: readonly [string, ...string[]],
];

export const POLICIES = "test/policies/cache";

/** The law of test/policies/cache/privacy.test.ts. */
export const PRIVACY = `${POLICIES}/privacy.test.ts: random histories nothing that is one caller's reaches another`;
