import type { PolicyType } from "../core/policy.ts";

/** One entry of the order; a policy that works at two points has two. */
export interface OrderedPolicy {
  readonly type: PolicyType;
  readonly stage: string;
}

const at = (type: PolicyType, stage = "only"): OrderedPolicy => ({ type, stage });

/**
 * THE list of policy types, in the order in which they run, outermost first. Language, editor schema, reference, order and
 * the imports of the Worker's entry all follow from it; a policy is added by one line.
 */
export const policyOrder: readonly OrderedPolicy[] = [
  at((await import("./request-id/policy.ts")).requestId), // everything after it can name the request
  at((await import("./access-log/policy.ts")).accessLog), // sees the answer that the client gets
  at((await import("./security-headers/policy.ts")).securityHeaders), // on every answer, refusals included
  at((await import("./cors/policy.ts")).cors), // answers preflights before anybody is asked who they are
  at((await import("./ip-access/policy.ts")).ipAccess), // whom it refuses costs nothing more
  at((await import("./geo-access/policy.ts")).geoAccess),
  at((await import("./csrf/policy.ts")).csrf), // before what a page could use up of its visitor's: limits, tokens
  at((await import("./body-limit/policy.ts")).bodyLimit), // before anything reads a body
  at((await import("./rate-limit/policy.ts")).rateLimit, "before-identity"), // guessing costs the guesser, not us
  at((await import("./jwt/policy.ts")).jwt), // identity policies run inside of identity
  at((await import("./api-key/policy.ts")).apiKey),
  at((await import("./basic-auth/policy.ts")).basicAuth),
  at((await import("./hmac/policy.ts")).hmac), // reads the body, inside of its limit
  at((await import("./client-certificate/policy.ts")).clientCertificate),
  at((await import("./introspection/policy.ts")).introspection), // the two that ask somebody come last: others refuse for less
  at((await import("./forward-auth/policy.ts")).forwardAuth),
  at((await import("./identity/policy.ts")).identity),
  at((await import("./authorize/policy.ts")).authorize),
  at((await import("./rate-limit/policy.ts")).rateLimit, "after-identity"),
  at((await import("./quota/policy.ts")).quota), // what a rate refuses uses up no quota
  at((await import("./concurrency/policy.ts")).concurrency), // nearest to the work that it bounds
  at((await import("./validate/policy.ts")).validate, "request"), // callers who may not ask learn nothing of what they sent
  at((await import("./deprecation/policy.ts")).deprecation), // outside the cache, like the line after it
  at((await import("./headers/policy.ts")).headers, "response"), // outside the cache: hits get today's headers
  at((await import("./headers/policy.ts")).headers, "request"),
  at((await import("./query/policy.ts")).query), // the cache keys what the upstream will see
  at((await import("./body/policy.ts")).body, "request"), // after all who refuse: only what goes on is read and edited
  at((await import("./fault/policy.ts")).fault), // stands for the upstream, and so for what may be stored of it
  at((await import("./purge/policy.ts")).purge), // outside of the cache: what is stored of an answer to a write goes too
  at((await import("./cache/policy.ts")).cache), // inside of every check: a stored answer skips none
  at((await import("./validate/policy.ts")).validate, "response"), // inside the cache, paid once; what callers get is judged, edits and all
  at((await import("./body/policy.ts")).body, "response"), // inside the cache: what is stored was edited once
];
