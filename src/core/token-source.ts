import type { Exchange } from "./exchange.ts";
import type { HeaderEdit } from "./header-edits.ts";

/** Where a policy reads its token; `scheme` is an Authorization field of the scheme `name`, `bearer` that of Bearer. */
export type TokenSource = {
  readonly in: "bearer" | "scheme" | "header" | "cookie" | "query";
  readonly name: string;
};

/** The source that a policy file names; without any, an Authorization field of Bearer. */
export const tokenSourceOf = ({ header = "authorization", cookie, query }: TokenPlace): TokenSource => {
  if (cookie !== undefined) return { in: "cookie", name: cookie };
  if (query !== undefined) return { in: "query", name: query };
  return { in: header === "authorization" ? "bearer" : "header", name: header };
};

/** One of these. */
export interface TokenPlace {
  readonly header?: string | undefined;
  readonly cookie?: string | undefined;
  readonly query?: string | undefined;
}

/** Stands for a credential that is there and cannot be a token: no token is empty. */
const MALFORMED = "";

/**
 * Reads the token of a request: undefined when none is presented, an empty text when what is presented cannot be one. Only
 * the place that the policy names is looked at.
 */
export const tokenReader = ({
  in: place,
  name,
}: TokenSource): ((exchange: Exchange) => string | undefined) => {
  switch (place) {
    case "bearer":
      return ({ request }) => bearerToken(request.headers.get("authorization"));
    case "scheme":
      return schemeReader(name);
    case "header":
      return ({ request }) => request.headers.get(name) ?? undefined;
    case "cookie":
      return ({ request }) => only(cookiesNamed(request.headers.get("cookie"), name));
    case "query":
      return ({ query }) => (query === "" ? undefined : only(new URLSearchParams(query).getAll(name)));
  }
};

/**
 * The token of an Authorization field (RFC 6750 section 2.1): `Bearer`, one space, the token. Other schemes are somebody
 * else's, unless a bearer token stands behind them: two Authorization fields arrive joined by a comma.
 */
export const bearerToken = (field: string | null): string | undefined => {
  if (field === null) return undefined;
  if (field.startsWith("Bearer ") || /^bearer /i.test(field)) return field.slice(7);
  return /^bearer|[\s,]bearer(?:[\s,]|$)/i.test(field) ? MALFORMED : undefined;
};

/** The same for any scheme (RFC 9110 section 11.4). */
const schemeReader = (scheme: string): ((exchange: Exchange) => string | undefined) => {
  const escaped = scheme.replace(/[.*+?^$|]/g, "\\$&");
  const own = new RegExp(`^${escaped} `, "i");
  const broken = new RegExp(`^${escaped}|[\\s,]${escaped}(?:[\\s,]|$)`, "i");
  return ({ request }) => {
    const field = request.headers.get("authorization");
    if (field === null) return undefined;
    if (own.test(field)) return field.slice(scheme.length + 1);
    return broken.test(field) ? MALFORMED : undefined;
  };
};

const only = (values: readonly string[]): string | undefined => (values.length > 1 ? MALFORMED : values[0]);

const cookiesNamed = (field: string | null, name: string): string[] =>
  field === null
    ? []
    : field.split(";").flatMap((pair) => {
        const equals = pair.indexOf("=");
        return equals > 0 && pair.slice(0, equals).trim() === name ? [pair.slice(equals + 1).trim()] : [];
      });

/** The edit that takes a header's token off the request, for every request alike. */
export const removalOf = ({ in: place, name }: TokenSource): readonly HeaderEdit[] => {
  if (place === "bearer" || place === "scheme") return [{ op: "remove", name: "authorization" }];
  return place === "header" ? [{ op: "remove", name }] : [];
};

/** Takes a token off what goes to the upstream where an edit cannot: a cookie or query parameter among others. */
export const takeOff = ({ in: place, name }: TokenSource, exchange: Exchange): void => {
  if (place === "cookie") exchange.requestEdits.push(withoutCookie(exchange, name));
  else if (place === "query")
    exchange.upstreamQuery = withoutParameter(exchange.upstreamQuery ?? exchange.query, name);
};

const withoutCookie = (exchange: Exchange, name: string): HeaderEdit => {
  const kept = (cookieSoFar(exchange) ?? "")
    .split(";")
    .filter((pair) => pair.slice(0, Math.max(0, pair.indexOf("="))).trim() !== name)
    .map((pair) => pair.trim())
    .join("; ");
  return kept === "" ? { op: "remove", name: "cookie" } : { op: "set", name: "cookie", value: kept };
};

/** The Cookie field as edits leave it so far: another policy may have taken its own token off. */
const cookieSoFar = ({ request, requestEdits }: Exchange): string | null => {
  const last = requestEdits.findLast((edit) => "name" in edit && edit.name === "cookie");
  if (last === undefined) return request.headers.get("cookie");
  return last.op === "set" ? last.value : null;
};

/** Names are decoded as they are when the token is read; all others stay as they were written. */
const withoutParameter = (query: string, name: string): string => {
  const kept = query
    .slice(1)
    .split("&")
    .filter((pair) => !new URLSearchParams("&" + pair).has(name))
    .join("&");
  return kept === "" ? "" : "?" + kept;
};
