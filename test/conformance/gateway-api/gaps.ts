/** Why a case does not hold, and how that shows. */
export interface Gap {
  readonly why: string;
  /** The language refuses a rule of the test, with this code among others. */
  readonly refused?: string;
  /** The case is served, and exactly this is not as the case has it. */
  readonly differs?: readonly string[];
}

/** By the name of a test, for all of its cases, or by the id of one case. */
export type Gaps = Readonly<Record<string, Gap>>;

const mirrors: Gap = { why: "There is no `mirror` yet.", refused: "unknown-key" };
const retries: Gap = { why: "Upstreams have no `retry` yet.", refused: "unknown-key" };

/**
 * What the product does not have yet. An entry whose case holds, or whose rule is refused no more, fails its case: remove
 * it then, or say what differs now.
 */
export const NOT_YET: Gaps = {
  HTTPRouteRequestMirror: mirrors,
  HTTPRouteRequestMultipleMirrors: mirrors,
  HTTPRouteRequestPercentageMirror: mirrors,
  HTTPRouteRetry: retries,
  HTTPRouteRetryConnectionError: retries,
  HTTPRouteRetryWithTimeouts: retries,
  HTTPRouteRequestHeaderModifierBackendWeights: {
    why: "There is no `split` yet, and no word for what one lane alone edits.",
    refused: "unknown-key",
  },
};

const endless: Gap = {
  why: "A redirect to the very URL that was asked for is refused: it would never end.",
  refused: "redirect-loop",
};
const anyWithCredentials: Gap = {
  why: "Any origin or header together with credentials is refused: every page of the web could act as its visitor.",
  refused: "cors-any-with-credentials",
};
const configuredHost: Gap = {
  why: "The host of an upstream call comes from policies alone (S28); the client's is in X-Forwarded-Host.",
  differs: ["host"],
};

/** Where the product does otherwise, and means to. */
export const ON_PURPOSE: Gaps = {
  HTTPRoute303Redirect: endless,
  HTTPRoute307Redirect: endless,
  HTTPRoute308Redirect: endless,
  "HTTPRouteMethodMatching/03": {
    why: "HEAD is answered wherever GET is (RFC 9110 section 9.3.2).",
    differs: ["status"],
  },
  "HTTPRouteCORS/14": anyWithCredentials,
  "HTTPRouteCORS/16": anyWithCredentials,
  // A port in the Host, and hosts below a wildcard: `rewrite.host` can name neither.
  "HTTPRouteHostnameIntersection/02": configuredHost,
  "HTTPRouteHostnameIntersection/19": configuredHost,
  "HTTPRouteHostnameIntersection/20": configuredHost,
  "HTTPRouteHostnameIntersection/21": configuredHost,
  "HTTPRouteListenerHostnameMatching/03": configuredHost,
  "HTTPRouteListenerHostnameMatching/04": configuredHost,
  "HTTPRouteListenerHostnameMatching/05": configuredHost,
  "HTTPRouteListenerHostnameMatching/06": configuredHost,
};

/** The entry of a case in a list, its own or its test's. */
export const gapIn = (gaps: Gaps, test: string, id: string): Gap | undefined => gaps[id] ?? gaps[test];
