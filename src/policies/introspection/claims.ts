/** What the server said of a token (RFC 7662 section 2.2). */
export type Claims = Readonly<Record<string, unknown>>;

/** Why a token is not good, whoever asks. */
export type Lapse =
  | "token-inactive"
  | "token-expired"
  | "token-not-yet-valid"
  | "token-claims"
  | "token-type";

/** A member of an answer, without what objects inherit. */
export const member = (claims: Claims, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

const isTime = (value: unknown): boolean =>
  value === undefined || (typeof value === "number" && Number.isFinite(value));

/**
 * What is wrong with an active token by its own claims: a time that has passed or is none, nobody of whom it speaks, a type that is
 * no bearer's. Whoever holds a token of DPoP (RFC 9449 section 7.1) has to prove that it is theirs, which we could not check.
 */
export const lapseOf = (claims: Claims, nowMs: number): Lapse | undefined => {
  const [exp, nbf, iat] = ["exp", "nbf", "iat"].map((name) => member(claims, name));
  if (![exp, nbf, iat].every(isTime) || callerOf(claims) === undefined) return "token-claims";
  const type = member(claims, "token_type");
  if (type !== undefined && !(typeof type === "string" && type.toLowerCase() === "bearer"))
    return "token-type";
  if (exp !== undefined && nowMs >= (exp as number) * 1000) return "token-expired";
  return nbf !== undefined && nowMs < (nbf as number) * 1000 ? "token-not-yet-valid" : undefined;
};

/** When a token ends. */
export const lifeOf = (claims: Claims): number => {
  const exp = member(claims, "exp");
  return exp === undefined ? Number.POSITIVE_INFINITY : (exp as number) * 1000;
};

/** Of whom a token speaks: a person, or else the client that got it for itself. */
export const callerOf = (
  claims: Claims,
): { readonly subject: string; readonly isClient: boolean } | undefined => {
  const sub = member(claims, "sub");
  const client = member(claims, "client_id");
  if (sub !== undefined) return isName(sub) ? { subject: sub, isClient: false } : undefined;
  return isName(client) ? { subject: client, isClient: true } : undefined;
};

const isName = (value: unknown): value is string => typeof value === "string" && value !== "";

/** A text, or a list of nothing but texts; anything else is nothing. */
export const textsOf = (value: unknown): readonly string[] => {
  if (typeof value === "string") return [value];
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? value : [];
};

/** Scopes are words of a text (RFC 7662 section 2.2); some servers list them. */
export const scopesOf = (claims: Claims): readonly string[] => {
  const scope = member(claims, "scope");
  return typeof scope === "string" ? scope.split(" ") : textsOf(scope);
};
