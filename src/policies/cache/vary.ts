import type { Exchange } from "../../core/exchange.ts";

/** Fields that differ from one request to the next whoever calls: a response that varies by one is as good as `*`. */
const EVER_NEW = new Set([
  "forwarded",
  "via",
  "cdn-loop",
  "traceparent",
  "tracestate",
  "x-forwarded-for",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "cf-ray",
]);

/** Fields whose values are in every key already. */
const ALREADY_KEYED = new Set(["host", "x-forwarded-host", "x-forwarded-proto"]);

const MOST_NAMES = 16;

/**
 * The fields by which a response was selected, in lower case, sorted, each once (RFC 9111 section 4.1); undefined where no
 * later request can be matched with it: `*`, a name that is none, or more names than anybody means.
 */
export const varyNames = (headers: Headers): readonly string[] | undefined => {
  const field = headers.get("vary");
  if (field === null) return [];
  const names = new Set<string>();
  for (const member of field.split(",")) {
    const name = member.trim().toLowerCase();
    if (name === "" || ALREADY_KEYED.has(name)) continue;
    if (EVER_NEW.has(name) || !/^[!#$%&'+.^_`|~0-9a-z-]+$/.test(name)) return undefined;
    names.add(name);
  }
  return names.size > MOST_NAMES ? undefined : [...names].sort();
};

/** A field as the upstream gets it: what the client sent and policies changed. Null where it is absent. */
export const sentHeader = (exchange: Exchange, name: string): string | null => {
  let value = exchange.request.headers.get(name);
  for (const edit of exchange.requestEdits) {
    if (edit.op === "allow") {
      if (!edit.names.includes(name)) value = null;
    } else if (edit.name === name) {
      if (edit.op === "remove") value = null;
      else value = edit.op === "set" || value === null ? edit.value : `${value}, ${edit.value}`;
    }
  }
  return value;
};

/** Fields that list alternatives by weight, where neither case nor the order of equal weights says anything. */
const WEIGHTED = new Set(["accept-charset", "accept-encoding", "accept-language"]);

/**
 * The one form of values that say the same (RFC 9111 section 4.1): blanks around commas go, and weighted lists are sorted.
 * Where text is quoted, a blank may be part of it, and the value stays as it is.
 */
export const normalizeSelecting = (name: string, value: string): string => {
  if (value.includes('"')) return value;
  const members = value
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  return WEIGHTED.has(name) ? sortedByWeight(members) : members.join(",");
};

/** `en;q=0.5, DE` becomes `de,en;q=0.5` (RFC 9110 section 12.4.2). */
const sortedByWeight = (members: readonly string[]): string => {
  const weighted = members.map((member) => {
    const [range, ...parameters] = member.toLowerCase().split(";");
    const quality = parameters.map((text) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(text)?.[1]).find(Boolean);
    return { range: range!.trim(), weight: quality === undefined ? 1 : Math.min(1, Number(quality)) };
  });
  weighted.sort((a, b) => b.weight - a.weight || (a.range < b.range ? -1 : a.range > b.range ? 1 : 0));
  return weighted.map(({ range, weight }) => (weight === 1 ? range : `${range};q=${weight}`)).join(",");
};
