import type { WithheldParameters } from "./contribution.ts";
import type { Json } from "./json.ts";
import type { TokenSource } from "./token-source.ts";

/** The Security Scheme Object (OpenAPI 3.1) of a token, and what of it does not reach the service. */
export interface DescribedToken {
  readonly scheme: { readonly [name: string]: Json };
  readonly withheld: WithheldParameters;
}

/** Describes where a token stands. `forwarded` says that it travels on to the service. */
export const describeToken = (
  { in: place, name }: TokenSource,
  description: string,
  forwarded: boolean,
): DescribedToken => {
  const scheme: DescribedToken["scheme"] =
    place === "bearer" || place === "scheme"
      ? { type: "http", scheme: place === "bearer" ? "bearer" : name.toLowerCase(), description }
      : { type: "apiKey", in: place, name, description };
  if (forwarded) return { scheme, withheld: {} };
  return { scheme, withheld: withheldOf(place, name) };
};

const withheldOf = (place: TokenSource["in"], name: string): WithheldParameters => {
  if (place === "query") return { query: [name] };
  if (place === "cookie") return { cookie: [name] };
  return { header: [place === "header" ? name : "authorization"] };
};

/** The scopes that a token needs, in words; undefined where it needs none. */
export const scopeWords = (any: readonly string[], all: readonly string[]): string | undefined => {
  const quoted = (scopes: readonly string[]): string => scopes.map((scope) => `\`${scope}\``).join(", ");
  const each = all.length === 0 ? [] : [`the scope${all.length > 1 ? "s" : ""} ${quoted(all)}`];
  const one =
    any.length === 0
      ? []
      : [any.length > 1 ? `one of the scopes ${quoted(any)}` : `the scope ${quoted(any)}`];
  const parts = [...each, ...one];
  return parts.length === 0 ? undefined : parts.join(" and ");
};
