/** Header fields by which a client says who it is, or proves it, wherever it came by them. In lower case. */
export const CREDENTIAL_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  // Keys and tokens under the names that most give them.
  "api-key",
  "apikey",
  "x-api-key",
  "x-access-token",
  "x-auth-token",
  "x-csrf-token",
  "x-id-token",
  "x-xsrf-token",
  "x-amz-security-token",
  "x-goog-iap-jwt-assertion",
  "cf-access-client-secret",
  "cf-access-jwt-assertion",
  // Proofs that hold for one request (RFC 9421, RFC 9449, and senders of webhooks).
  "dpop",
  "signature",
  "signature-input",
  "stripe-signature",
  "x-hub-signature",
  "x-hub-signature-256",
  "x-signature",
  // What a proxy in front says of a client's certificate (RFC 9440).
  "client-cert",
  "client-cert-chain",
]);
