import { hash32 } from "../lib/hash.ts";
import type { Exchange } from "./exchange.ts";
import type { Defer } from "./ports.ts";

/**
 * What a purge takes away: everything, what has a tag, a URL with whatever query, one with a query, or what is below a path.
 * The functions below write it, alike for whoever stores and whoever purges.
 */
export type PurgeScope = string;

/** Every entry of the gateway. */
export const EVERYTHING: PurgeScope = "*";

/** Longer scopes are told apart by a hash: what is known of purges is bounded, and two that meet take away too much at worst. */
const MOST_CHARACTERS = 512;

const bounded = (scope: string): PurgeScope =>
  scope.length <= MOST_CHARACTERS
    ? scope
    : scope.slice(0, MOST_CHARACTERS - 32).toWellFormed() + "#" + hash32(scope) + "." + hash32(scope, 1);

/**
 * A path without the escapes of what may stand in a segment as it is (RFC 3986 section 3.3): `/a@b` and `/a%40b` are two
 * entries, and whoever purges one means both.
 */
const plain = (path: string): string =>
  path.includes("%")
    ? path.replace(/%(?:2[14689ABC]|27|3[AD]|40)/g, (triplet) => decodeURIComponent(triplet))
    : path;

/** Longer tags are left out, and none is purged by. */
export const MOST_TAG_CHARACTERS = 256;

/**
 * Entries with a tag. In tags, what stands for a value is escaped; whoever purges may write the value as it is, or escaped, and
 * means the same. Two tags that come to the same so are purged together.
 */
export const tagScope = (tag: string): PurgeScope => bounded(`t${unescaped(tag)}`);

const unescaped = (tag: string): string => {
  let text = tag;
  for (let before = ""; text !== before && text.includes("%"); ) {
    before = text;
    text = text.replace(/(?:%[\da-f]{2})+/gi, (triplets) => {
      try {
        return decodeURIComponent(triplets);
      } catch {
        return triplets;
      }
    });
  }
  return text;
};

/** Entries of a path (normalized), whatever their query. */
export const pathScope = (authority: string, path: string): PurgeScope =>
  bounded(`u${authority}${plain(path)}`);

/** Entries of a path with one query in the form of a cache key, which is not empty. */
export const queryScope = (authority: string, path: string, query: string): PurgeScope =>
  bounded(`q${authority}${plain(path)}?${query}`);

/** Entries whose path begins with these segments: `/orders` for /orders and /orders/1; empty for all of an authority. */
export const prefixScope = (authority: string, prefix: string): PurgeScope =>
  bounded(`p${authority}${plain(prefix)}`);

/** A prefix has at most so many segments: an entry has a scope for each that its path has. */
export const MOST_PREFIX_SEGMENTS = 16;

/** All scopes of an entry. `query` is in the form of a cache key. */
export const scopesOfEntry = (
  authority: string,
  path: string,
  query: string,
  tags: readonly string[],
): readonly PurgeScope[] => {
  const scopes = [EVERYTHING, pathScope(authority, path), prefixScope(authority, "")];
  if (query !== "") scopes.push(queryScope(authority, path, query));
  let end = 0;
  for (let count = 0; count < MOST_PREFIX_SEGMENTS && end < path.length; count++) {
    const next = path.indexOf("/", end + 1);
    end = next < 0 ? path.length : next;
    // `/orders/` is the path of the prefix `/orders` with nothing behind it.
    if (end > 1) scopes.push(prefixScope(authority, path.slice(0, end)));
  }
  for (const tag of tags) scopes.push(tagScope(tag));
  return scopes;
};

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: ":80", https: ":443" };

/** The authority without the port that its scheme implies: naming it must not make another key. */
export const authorityOf = ({ scheme, authority }: Pick<Exchange, "scheme" | "authority">): string => {
  const port = DEFAULT_PORTS[scheme];
  return port !== undefined && authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
};

/**
 * Which purges this isolate knows of. They are numbered, and the numbers only grow: an entry remembers the last purge that was
 * known when its upstream was asked, and is gone when a later one takes one of its scopes away.
 */
export interface Purges {
  /** Number of the last purge that is known here; 0 before the first. */
  readonly last: number;
  /** Number of the last known purge of any of the scopes; 0 where there was none. */
  lastOf(scopes: readonly PurgeScope[]): number;
  /**
   * Learns of purges elsewhere. Undefined where what is known is no older than promised, which costs no more than a look at the
   * clock; it may then be brought up to date in the background. Else a promise of that, which keeps nobody waiting for longer
   * than a look-up may take, and never rejects.
   */
  catchUp(defer: Defer): Promise<void> | undefined;
  /** Purges: here at once, elsewhere as the others learn of it. `false` where they cannot be told. Never rejects. */
  purge(scopes: readonly PurgeScope[], defer: Defer): Promise<boolean>;
}

/** The log through which isolates learn of each other's purges. Rejects where the store is away. */
export interface PurgeLog {
  /** Appends a purge; answers its number, greater than that of any before it and not below `above`. */
  append(scopes: readonly PurgeScope[], above: number): Promise<number>;
  /** What was purged since the one with a number, which itself may be among it. */
  since(number: number): Promise<readonly { readonly scope: PurgeScope; readonly number: number }[]>;
}
