import type { Exchange } from "../../core/exchange.ts";
import type { Ports } from "../../core/ports.ts";
import { authorityOf, MOST_TAG_CHARACTERS, type Purges, scopesOfEntry } from "../../core/purge.ts";
import { fillTemplate, forTag, type Template } from "../../core/template.ts";
import { keyedQuery, type QueryNames } from "../../lib/http/query-members.ts";
import type { Labels, StoredResponse } from "./entry.ts";

/**
 * Learns of purges elsewhere, once for each request, before an entry is used. Undefined where that keeps nobody waiting, or where
 * nothing can be purged.
 */
export const knownPurges = (
  { ports }: { readonly ports: Ports },
  exchange: Exchange,
): Promise<void> | undefined => ports.purges?.catchUp(exchange.defer);

/** By what the entries of a policy are labelled. */
export interface LabelRules {
  readonly tags: readonly Template[];
  readonly queryNames: QueryNames;
}

/** An entry with its labels; one that freshens another keeps those of that, as of the call that it came by. */
export const withLabels = <Entry extends Pick<StoredResponse, "labels">>(
  entry: Entry,
  exchange: Exchange,
  rules: LabelRules,
  purges: Purges | undefined,
  asOf: number,
): Entry =>
  purges === undefined
    ? entry
    : { ...entry, labels: entry.labels ? { ...entry.labels, asOf } : labelsOf(exchange, rules, asOf) };

/** By what a purge finds the entry of an exchange. */
const labelsOf = (exchange: Exchange, { tags, queryNames }: LabelRules, asOf: number): Labels => ({
  authority: authorityOf(exchange),
  path: exchange.path,
  query: keyedQuery(exchange.upstreamQuery ?? exchange.query, queryNames),
  tags: tagsOf(exchange, tags),
  asOf,
});

const tagsOf = (exchange: Exchange, templates: readonly Template[]): readonly string[] => {
  if (templates.length === 0) return templates as readonly [];
  const tags = new Set<string>();
  for (const template of templates) {
    const tag = fillTemplate(template, exchange, forTag);
    if (tag !== "" && tag.length <= MOST_TAG_CHARACTERS) tags.add(tag);
  }
  return [...tags];
};

/**
 * Whether a purge that is known now has taken an entry away. So it is with every entry from before there were purges: nothing
 * says what it is about. Its scopes are made only where there was a purge since.
 */
export const isPurged = (purges: Purges | undefined, { labels }: Pick<StoredResponse, "labels">): boolean => {
  if (purges === undefined) return false;
  if (labels === undefined) return true;
  if (labels.asOf >= purges.last) return false;
  const { authority, path, query, tags, asOf } = labels;
  return purges.lastOf(scopesOfEntry(authority, path, query, tags)) > asOf;
};

/** Whether a purge that is known now takes away what was asked for, for an exchange, as of an earlier one. */
export const isPurgedSince = (
  exchange: Exchange,
  rules: LabelRules,
  purges: Purges | undefined,
  asOf: number,
): boolean =>
  purges !== undefined && purges.last > asOf && isPurged(purges, { labels: labelsOf(exchange, rules, asOf) });
