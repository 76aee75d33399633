import type { IssuerPlan } from "./issuer-plan.ts";
import { type Jws, member } from "./jws.ts";
import { type Refusal, refuse } from "./refusal.ts";

/** Who a token speaks of, and until when. */
export interface Caller {
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  /** When the token ends, the clock skew included. */
  readonly expiresAtMs: number;
}

/**
 * Checks the claims of a token whose signature holds (RFC 7519 section 4.1). `iss` is checked before: it chooses the
 * issuer. A token without `sub` is refused, since limits and caches would take all such callers for one.
 */
export const checkClaims = ({ claims, typ }: Jws, plan: IssuerPlan, nowMs: number): Caller | Refusal => {
  if (plan.type !== undefined && mediaType(typ) !== mediaType(plan.type)) return refuse("token-type");
  const times = checkTimes(claims, plan, nowMs);
  if (typeof times !== "number") return times;
  const subject = member(claims, "sub");
  if (typeof subject !== "string" || subject === "") return refuse("token-claims");
  const audiences = textsOf(member(claims, "aud"));
  if (!plan.audiences.some((audience) => audiences.includes(audience))) return refuse("token-audience");
  return { subject, audiences, claims, expiresAtMs: times };
};

/** `at+jwt`, `AT+JWT` and `application/at+jwt` are one type (RFC 7515 section 4.1.9, RFC 9068 section 4). */
const mediaType = (typ: string | undefined): string | undefined =>
  typ?.toLowerCase().replace(/^application\//, "");

/** Milliseconds at which the token ends. Every time must be a finite number; JSON reads 1e400 as infinity. */
const checkTimes = (
  claims: Jws["claims"],
  { clockSkewMs, maxLifetimeMs }: IssuerPlan,
  nowMs: number,
): number | Refusal => {
  const exp = member(claims, "exp");
  const nbf = member(claims, "nbf");
  const iat = member(claims, "iat");
  if (!isTime(exp) || !(nbf === undefined || isTime(nbf)) || !(iat === undefined || isTime(iat)))
    return refuse("token-claims");
  const expiresAtMs = exp * 1000 + clockSkewMs;
  if (nowMs >= expiresAtMs) return refuse("token-expired");
  if (nbf !== undefined && nowMs < nbf * 1000 - clockSkewMs) return refuse("token-not-yet-valid");
  if (maxLifetimeMs === undefined) return expiresAtMs;
  if (iat === undefined || exp * 1000 - iat * 1000 > maxLifetimeMs)
    return refuse(
      "token-claims",
      "The token lives longer than its issuer allows, or does not say since when.",
    );
  // Without this, a token from the future would stretch its life.
  return nowMs < iat * 1000 - clockSkewMs ? refuse("token-not-yet-valid") : expiresAtMs;
};

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** A text, or a list of nothing but texts; anything else is nothing. */
const textsOf = (value: unknown): readonly string[] => {
  if (typeof value === "string") return [value];
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : [];
};

/** The scopes of a token: `scope` as words of a text (RFC 8693 section 4.2), else `scp` as a list or as words. */
export const scopesOf = (claims: Jws["claims"]): readonly string[] => {
  const scope = member(claims, "scope") ?? member(claims, "scp");
  return typeof scope === "string" ? scope.split(" ") : textsOf(scope);
};
