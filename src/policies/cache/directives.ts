import { type Directives, fieldsOf, parseDirectives, secondsOf } from "../../lib/http/cache-control.ts";
import { parseTargetedDirectives } from "../../lib/http/targeted-cache-control.ts";

/** What a response says about its being cached, as it holds for us. */
export interface ResponseDirectives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly isPrivate: boolean;
  readonly isPublic: boolean;
  readonly mustRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly noTransform: boolean;
  /** Absent for an entry that is one caller's own. */
  readonly sharedMaxAge: number | undefined;
  readonly maxAge: number | undefined;
  /** False where CDN-Cache-Control took the place of Cache-Control and Expires (RFC 9213 section 2.2). */
  readonly heedsExpires: boolean;
  readonly staleWhileRevalidate: number | undefined;
  readonly staleIfError: number | undefined;
  /** Fields that are not stored: listed by `no-cache`, and by `private` where the entry is shared. */
  readonly withheld: readonly string[];
}

/**
 * Reads CDN-Cache-Control where it is good, else Cache-Control, by the rules of a shared cache or, for an entry that
 * belongs to one caller, of a private one (RFC 9111 section 5.2.2).
 */
export const readDirectives = (headers: Headers, shared: boolean): ResponseDirectives => {
  const targeted = parseTargetedDirectives(headers.get("cdn-cache-control") ?? "");
  const directives: Directives = targeted ?? parseDirectives(headers.get("cache-control") ?? "");
  const privates = shared ? fieldsOf(directives, "private") : undefined;
  const uncached = fieldsOf(directives, "no-cache");
  return {
    noStore: directives.has("no-store"),
    noCache: uncached === "all",
    isPrivate: privates === "all",
    isPublic: directives.has("public"),
    mustRevalidate: directives.has("must-revalidate") || (shared && directives.has("proxy-revalidate")),
    mustUnderstand: directives.has("must-understand"),
    noTransform: directives.has("no-transform"),
    sharedMaxAge: shared ? secondsOf(directives, "s-maxage") : undefined,
    maxAge: secondsOf(directives, "max-age"),
    heedsExpires: targeted === undefined,
    staleWhileRevalidate: secondsOf(directives, "stale-while-revalidate"),
    staleIfError: secondsOf(directives, "stale-if-error"),
    withheld: [...listed(privates), ...listed(uncached)],
  };
};

const listed = (fields: readonly string[] | "all" | undefined): readonly string[] =>
  fields === undefined || fields === "all" ? [] : fields;

/** What a client asks of the cache (RFC 9111 section 5.2.1, RFC 5861 section 4). */
export interface RequestDirectives {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAge: number | undefined;
  readonly minFresh: number | undefined;
  /** Infinite where the client takes any stale response. */
  readonly maxStale: number | undefined;
  readonly staleIfError: number | undefined;
}

/** The directives of a request; undefined where it has none. `Pragma: no-cache` counts where Cache-Control is absent. */
export const readRequestDirectives = (headers: Headers): RequestDirectives | undefined => {
  const field = headers.get("cache-control") ?? headers.get("pragma");
  if (field === null) return undefined;
  const directives = parseDirectives(field);
  const anyStale = directives.get("max-stale")?.some((argument) => argument === null) ?? false;
  return {
    noStore: directives.has("no-store"),
    noCache: directives.has("no-cache"),
    onlyIfCached: directives.has("only-if-cached"),
    maxAge: secondsOf(directives, "max-age"),
    minFresh: secondsOf(directives, "min-fresh"),
    maxStale: anyStale ? Number.POSITIVE_INFINITY : secondsOf(directives, "max-stale"),
    staleIfError: secondsOf(directives, "stale-if-error"),
  };
};
