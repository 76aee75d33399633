/** Why a case does not hold, and how that shows. */
export interface Gap {
  readonly why: string;
  /** The language refuses a rule of the test, with this code among others. */
  readonly refused?: string;
  /** The case is served, and exactly this is not as the case has it. */
  readonly differs?: readonly string[];
}

/** By the id of a case. */
export type Gaps = Readonly<Record<string, Gap>>;

const anyWithCredentials: Gap = {
  why: "Any origin together with credentials is refused: every page of the web could act as its visitor.",
  refused: "cors-any-with-credentials",
};
const configuredHost: Gap = {
  why: "The host of an upstream call comes from policies alone (S28): on Cloudflare it is what is dialed, and the client must not choose that. Its own host is in X-Forwarded-Host, and `rewrite.host` hands on one that is known.",
  differs: ["host"],
};

/**
 * Where the product does otherwise, and means to. An entry whose case holds, or whose rule is refused no more, fails its case:
 * remove it then.
 */
export const ON_PURPOSE: Gaps = {
  "HTTPRouteMethodMatching/03": {
    why: "HEAD is answered wherever GET is (RFC 9110 sections 9.1 and 9.3.2: every server has both).",
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
