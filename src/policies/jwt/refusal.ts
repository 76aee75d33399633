/** Why a token is refused; the codes are part of the product's interface. */
export type RefusalCode =
  | "token-malformed"
  | "token-expired"
  | "token-not-yet-valid"
  | "token-signature"
  | "token-issuer"
  | "token-audience"
  | "token-type"
  | "token-claims"
  | "insufficient-claims"
  | "insufficient-scope"
  | "issuer-unavailable";

/** A token's refusal before it is put into words for the caller. */
export interface Refusal {
  readonly code: RefusalCode;
  /** For the caller: one sentence without quotes, and without a word of the token. */
  readonly detail: string;
  /** Of an issuer whose keys are not known. */
  readonly retryAfterSeconds?: number;
  /** The scopes that would do (RFC 6750 section 3). */
  readonly scope?: string;
}

/** Makes a refusal with the words of its code. */
export const refuse = (code: RefusalCode, detail = DETAILS[code]): Refusal => ({ code, detail });

const DETAILS: Readonly<Record<RefusalCode, string>> = {
  "token-malformed": "This is not one well-formed bearer token.",
  "token-expired": "The token has expired.",
  "token-not-yet-valid": "The token is not valid yet.",
  "token-signature": "The signature of the token was not made by a key of its issuer.",
  "token-issuer": "The issuer of the token is not accepted here.",
  "token-audience": "The token is meant for another audience.",
  "token-type": "The token is of another type than its issuer gives out.",
  "token-claims": "A claim that the token must have is missing or has a wrong type.",
  "insufficient-claims": "The token lacks a claim that is needed here.",
  "insufficient-scope": "The token lacks a scope that is needed here.",
  "issuer-unavailable": "The keys of the issuer are not available.",
};

const STATUSES: Readonly<Partial<Record<RefusalCode, 403 | 503>>> = {
  "insufficient-claims": 403,
  "insufficient-scope": 403,
  "issuer-unavailable": 503,
};

/** Who may not: 403; whom nobody can judge now: 503; every other refusal is 401. */
export const statusOf = (code: RefusalCode): 401 | 403 | 503 => STATUSES[code] ?? 401;

/** The challenge of a refusal (RFC 6750 section 3.1); none for 503, which no other token would change. */
export const challengeOf = (plain: string, { code, detail, scope }: Refusal): string | undefined => {
  const status = statusOf(code);
  if (status === 503) return undefined;
  const error = status === 403 ? "insufficient_scope" : "invalid_token";
  const wanted = scope === undefined ? "" : `, scope="${scope}"`;
  return `${plain}, error="${error}", error_description="${detail}"${wanted}`;
};
