import { keyedQuery } from "../lib/http/query-members.ts";
import { normalizePath } from "../lib/path.ts";
import {
  authorityOf,
  MOST_PREFIX_SEGMENTS,
  type PurgeScope,
  pathScope,
  prefixScope,
  queryScope,
} from "./purge.ts";

/** What a URL that is to be purged says. */
export interface PurgeTarget {
  /** Lower case, without the port that its scheme implies. */
  readonly authority: string;
  /** As it is written; empty where there is none. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

const AUTHORITY = /^(?:[a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** Cuts `https://host/path?query` by its text; undefined for anything else. */
export const readPurgeUrl = (url: string): PurgeTarget | undefined => {
  const found = /^(https?):\/\/([^/?#]+)([^?#]*)(\?[^#]*)?$/i.exec(url);
  if (found === null || !url.isWellFormed()) return undefined;
  const [, scheme, host, path, query = ""] = found as unknown as [string, string, string, string, string?];
  const authority = host.toLowerCase();
  if (!AUTHORITY.test(authority)) return undefined;
  return { authority: authorityOf({ scheme: scheme.toLowerCase(), authority }), path, query };
};

// A path in a form that the gateway refuses is that of no entry.
const KEEP = { encodedSlash: "keep", matrixParameters: "keep" } as const;

const normalized = (path: string): string | undefined => {
  const result = normalizePath(path === "" ? "/" : path, KEEP);
  return "path" in result ? result.path : undefined;
};

/**
 * The entries of a URL: of its path with whatever query where it has none, else of that one alone. Undefined where no entry can
 * have such a path.
 */
export const scopeOfUrl = ({ authority, path, query }: PurgeTarget): PurgeScope | undefined => {
  const normal = normalized(path);
  if (normal === undefined) return undefined;
  const keyed = keyedQuery(query, undefined);
  return keyed === "" ? pathScope(authority, normal) : queryScope(authority, normal, keyed);
};

/** The entries below a path, segment by segment; of a longer one, those below its first 16 segments. */
export const scopeOfPrefix = ({ authority, path }: Omit<PurgeTarget, "query">): PurgeScope | undefined => {
  const normal = normalized(path);
  if (normal === undefined) return undefined;
  const segments = normal.replace(/\/+$/, "").split("/");
  return prefixScope(authority, segments.slice(0, MOST_PREFIX_SEGMENTS + 1).join("/"));
};
