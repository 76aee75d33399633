import type { Exchange } from "../../core/exchange.ts";
import type { Identity } from "../../core/identity.ts";
import { authorityOf } from "../../core/purge.ts";
import { normalizeSelecting, sentHeader } from "./vary.ts";

/** What beside the URL and Vary is part of a key. */
export interface KeyParts {
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  readonly claims: readonly string[];
}

/**
 * A field of a key. Its length stands before it, so that no two lists of fields come to the same text, whatever they hold.
 */
const field = (text: string): string => text.length + ":" + text;

/** A field that may be absent, which is not the same as empty. */
const optional = (text: string | null | undefined): string => (text == null ? "-" : field(text));

/** Whose entries those of an identity are; empty for entries that everybody shares. */
export const ownerOf = (identity: Identity | undefined): string =>
  identity === undefined || identity.kind === "anonymous" ? "" : field(identity.kind) + field(identity.id);

/**
 * The part of the key that is the target URI's own (RFC 9111 section 2), and whose it is. GET and HEAD are one class.
 * `behindProxy` says that the upstream gets X-Forwarded-Host and -Proto as a trusted proxy wrote them.
 */
export const primaryKey = (
  exchange: Exchange,
  path: string,
  query: string,
  owner: string,
  behindProxy: boolean,
): string =>
  "G" +
  field(exchange.scheme) +
  field(authorityOf(exchange)) +
  field(path) +
  field(query) +
  (behindProxy ? forwardedOf(exchange.request.headers) : "") +
  owner;

const forwardedOf = (headers: Headers): string =>
  "f" + optional(headers.get("x-forwarded-host")) + optional(headers.get("x-forwarded-proto"));

/**
 * What tells a request's variant from others with the same primary key: the route, because routes may share a URI; its lane,
 * which is a version of its own; what the gateway adds to the query, since whoever changes or purges the URI knows nothing of
 * that; the parts that the policy names; the values of the fields that Vary names. Each part says what it is, so that a key
 * never means something else under another policy.
 */
export const variantOf = (exchange: Exchange, parts: KeyParts, names: readonly string[]): string => {
  const { route, lane } = exchange;
  let variant = "r" + field(route.id);
  if (lane !== undefined) variant += "l" + field(lane);
  if (exchange.addedQuery !== undefined) variant += "q" + field(exchange.addedQuery);
  for (const name of parts.headers) variant += "h" + field(name) + optional(selecting(exchange, name));
  if (parts.cookies.length > 0) {
    const cookies = sentHeader(exchange, "cookie");
    for (const name of parts.cookies)
      variant += "c" + field(name) + optional(textOf(exchange, cookiesNamed(cookies, name)));
  }
  for (const name of parts.claims) {
    variant += "i" + field(name) + optional(JSON.stringify(exchange.identity?.claims?.[name]));
  }
  for (const name of names) variant += "v" + field(name) + optional(selecting(exchange, name));
  return variant;
};

/** Every cookie of a name, in order: which of several counts is the upstream's choice. */
const cookiesNamed = (cookies: string | null, name: string): string | undefined => {
  const found = cookies?.split(";").filter((pair) => pair.split("=", 1)[0]!.trim() === name);
  return found === undefined || found.length === 0 ? undefined : found.map((pair) => pair.trim()).join(";");
};

const selecting = (exchange: Exchange, name: string): string | null | undefined => {
  const value = sentHeader(exchange, name);
  return textOf(exchange, value === null ? null : normalizeSelecting(name, value));
};

/**
 * A part of a field as text. For bytes that are no UTF-8 the runtime gives the same text whatever they are, though the upstream
 * gets them as they came: such a request is like no other.
 */
const textOf = (exchange: Exchange, text: string | null | undefined): string | null | undefined =>
  text?.includes("\ufffd") ? "\ufffd" + exchange.requestId : text;

/** The key of a variant that has an index. */
export const variantKey = (primary: string, generation: string, variant: string): string =>
  "V" + field(generation) + field(variant) + primary;
