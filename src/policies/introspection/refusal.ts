import type { Verdict } from "../../core/identity.ts";
import type { Lapse } from "./claims.ts";

/** Why a token is refused; the codes are part of the product's interface, and as far as they can those of `jwt`. */
export type RefusalCode =
  | Lapse
  | "token-malformed"
  | "token-issuer"
  | "token-audience"
  | "insufficient-scope"
  | "introspection-unavailable";

const DETAILS: Readonly<Record<RefusalCode, string>> = {
  "token-malformed": "This is not one well-formed bearer token.",
  "token-inactive": "The token is not good, or not any more.",
  "token-expired": "The token has expired.",
  "token-not-yet-valid": "The token is not valid yet.",
  "token-claims": "A claim that the token must have is missing or has a wrong type.",
  "token-type": "The token is of a type that is not accepted here.",
  "token-issuer": "The issuer of the token is not accepted here.",
  "token-audience": "The token is meant for another audience.",
  "insufficient-scope": "The token lacks a scope that is needed here.",
  "introspection-unavailable": "Nobody can say now whether the token is good.",
};

/** How long a caller is asked to wait for a server that is away. */
const RETRY_SECONDS = 5;

/** The refusal of a token with its challenge (RFC 6750 section 3.1); none for 503, which no other token would change. */
export const refused = (code: RefusalCode, plain: string, scope?: string): Verdict => {
  const detail = DETAILS[code];
  if (code === "introspection-unavailable")
    return { outcome: "refused", status: 503, code, detail, retryAfterSeconds: RETRY_SECONDS };
  const isScope = code === "insufficient-scope";
  const wanted = scope === undefined ? "" : `, scope="${scope}"`;
  const error = isScope ? "insufficient_scope" : "invalid_token";
  return {
    outcome: "refused",
    status: isScope ? 403 : 401,
    code,
    detail,
    challenge: `${plain}, error="${error}", error_description="${detail}"${wanted}`,
  };
};
