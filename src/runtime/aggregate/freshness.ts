import { parseDirectives, secondsOf } from "../../lib/http/cache-control.ts";

/** What one part says of how long it may be kept, in seconds from now. */
interface PartFreshness {
  readonly noStore: boolean;
  readonly noCache: boolean;
  readonly isPrivate: boolean;
  readonly isPublic: boolean;
  readonly mustRevalidate: boolean;
  readonly maxAge: number | undefined;
  readonly sharedMaxAge: number | undefined;
}

/**
 * The Cache-Control (RFC 9111 section 5.2) of an answer that is made of several: what any of them forbids is forbidden, what
 * all allow is allowed, and the shortest lifetime holds. Where only some name a lifetime there is none to go by, and the answer
 * is not to be used again without asking. Undefined where none of them says anything.
 */
export const cacheControlOf = (parts: readonly Headers[]): string | undefined => {
  const told = parts.map(freshnessOf);
  if (told.some(({ noStore }) => noStore)) return "no-store";
  const all = (holds: (part: PartFreshness) => boolean): boolean => told.every(holds);
  const any = (holds: (part: PartFreshness) => boolean): boolean => told.some(holds);
  const mustRevalidate = any((part) => part.mustRevalidate);
  // must-revalidate, public and s-maxage let shared caches keep answers to requests with credentials (section 3.5).
  const isPrivate = any((part) => part.isPrivate) || (mustRevalidate && !all((part) => part.mustRevalidate));
  const timed = told.filter(({ maxAge, sharedMaxAge }) => maxAge !== undefined || sharedMaxAge !== undefined);
  const isTimed = timed.length === told.length;
  const members = [
    isPrivate ? "private" : all((part) => part.isPublic) ? "public" : "",
    any((part) => part.noCache) || (timed.length > 0 && !isTimed) ? "no-cache" : "",
    mustRevalidate ? "must-revalidate" : "",
    ...(isTimed ? lifetimes(told, isPrivate) : []),
  ];
  return members.filter((member) => member !== "").join(", ") || undefined;
};

const lifetimes = (parts: readonly PartFreshness[], isPrivate: boolean): readonly string[] => {
  const shared = parts.map((part) => part.sharedMaxAge);
  const isShared = !isPrivate && shared.every((seconds) => seconds !== undefined);
  // Where not all tell shared caches apart, everybody goes by the shortest of all.
  const own = parts.flatMap(({ maxAge, sharedMaxAge }) => (isShared ? maxAge : [maxAge, sharedMaxAge]) ?? []);
  const known = own.filter((seconds) => seconds !== undefined);
  return [
    known.length === 0 ? "" : `max-age=${Math.min(...known)}`,
    isShared ? `s-maxage=${Math.min(...(shared as number[]))}` : "",
  ];
};

const freshnessOf = (headers: Headers): PartFreshness => {
  const directives = parseDirectives(headers.get("cache-control") ?? "");
  const age = ageOf(headers);
  const remaining = (name: string): number | undefined => {
    const seconds = secondsOf(directives, name);
    return seconds && Math.max(0, seconds - age);
  };
  return {
    noStore: directives.has("no-store"),
    noCache: directives.has("no-cache"),
    // A cookie is one caller's. What is said to some shared caches only is not ours to pass on to all of them (RFC 9213).
    isPrivate: directives.has("private") || headers.has("set-cookie") || headers.has("cdn-cache-control"),
    isPublic: directives.has("public"),
    mustRevalidate: directives.has("must-revalidate") || directives.has("proxy-revalidate"),
    // A date of expiry is old-fashioned, and nearly always in the past.
    maxAge: remaining("max-age") ?? (headers.has("expires") ? 0 : undefined),
    sharedMaxAge: remaining("s-maxage"),
  };
};

/** Seconds that a part has been in caches before; one that does not tell is new. */
const ageOf = (headers: Headers): number => {
  const age = headers.get("age");
  return age !== null && /^\d{1,10}$/.test(age) ? Number(age) : 0;
};

/** What the gateway writes itself, so that no two clients differ in it. */
const SETTLED = new Set(["accept", "accept-encoding"]);

/** The Vary field (RFC 9110 section 12.5.5) of an answer that is made of several; undefined where it varies by nothing. */
export const varyOf = (parts: readonly Headers[]): string | undefined => {
  const names = new Set(
    parts
      .flatMap((headers) => (headers.get("vary") ?? "").split(","))
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== "" && !SETTLED.has(name)),
  );
  if (names.has("*")) return "*";
  return names.size === 0 ? undefined : [...names].join(", ");
};
