import type { Exchange } from "../../core/exchange.ts";
import { authorityOf, MOST_TAG_CHARACTERS, type PurgeScope, tagScope } from "../../core/purge.ts";
import { scopeOfPrefix, scopeOfUrl } from "../../core/purge-target.ts";
import { fillTemplate, forPathSegment, forTag, type Template } from "../../core/template.ts";

/** A URL or a prefix. */
export type TargetStep = {
  /** Null for the request's own. */
  readonly authority: string | null;
  readonly path: Template;
  /** Without its `?`; null where there is none. */
  readonly query: Template | null;
};

/** The scope of a tag that is a text already, or that is filled for an exchange; undefined for one that no entry has. */
export const scopeOfTag: {
  (tag: string): PurgeScope | undefined;
  (tag: Template, exchange: Exchange): PurgeScope | undefined;
} = (tag: string | Template, exchange?: Exchange) => {
  const text = typeof tag === "string" ? tag : fillTemplate(tag, exchange!, forTag);
  return text === "" || text.length > MOST_TAG_CHARACTERS ? undefined : tagScope(text);
};

/** The scope of a URL or a prefix; undefined where a value is missing from its path, or would climb out of its place there. */
export const scopeOfTarget = (
  target: TargetStep,
  kind: "url" | "prefix",
  exchange: Exchange,
): PurgeScope | undefined => {
  const path = filledPath(target.path, exchange);
  if (path === undefined) return undefined;
  const authority = target.authority ?? authorityOf(exchange);
  if (kind === "prefix") return scopeOfPrefix({ authority, path });
  const query = target.query === null ? "" : "?" + fillTemplate(target.query, exchange, encodeURIComponent);
  return scopeOfUrl({ authority, path, query });
};

const NO_SEGMENT = new Set(["", ".", ".."]);

const filledPath = (template: Template, exchange: Exchange): string | undefined => {
  let path = "";
  for (const part of template) {
    const text = typeof part === "string" ? part : fillTemplate([part], exchange, forPathSegment);
    if (typeof part !== "string" && part.verbatim !== true && NO_SEGMENT.has(text)) return undefined;
    path += text;
  }
  return path;
};
