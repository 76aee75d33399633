/** A member of a query, and the name by which it is known. */
interface Member {
  readonly text: string;
  readonly name: string;
}

/** Which members count: all, or those with a name of the set. */
export type QueryNames = ReadonlySet<string> | undefined;

/**
 * A query in the one form that goes into a key: without `?`, without members that do not count, sorted by name. Members
 * of the same name keep their order, because it may matter; names are compared decoded, or an escape would hide that they
 * are the same.
 */
export const keyedQuery = (query: string, names: QueryNames): string => {
  if (query.length < 2) return "";
  if (names === undefined && !query.includes("&")) return query.slice(1);
  const members = membersOf(query).filter(({ name }) => counts(name, names));
  members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return members.map(({ text }) => text).join("&");
};

/** The query without the members that do not count, in the order of the client, with its `?`. */
export const forwardedQuery = (query: string, names: QueryNames): string => {
  if (query.length < 2 || names === undefined) return query;
  const members = membersOf(query);
  const kept = members.filter(({ name }) => counts(name, names));
  if (kept.length === members.length) return query;
  return kept.length === 0 ? "" : "?" + kept.map(({ text }) => text).join("&");
};

const membersOf = (query: string): Member[] =>
  query
    .slice(1)
    .split("&")
    .filter((text) => text !== "")
    .map((text) => ({ text, name: decodedName(text) }));

/** `filter[status]` belongs to the parameter `filter` (OpenAPI's style deepObject). */
const counts = (name: string, names: QueryNames): boolean => {
  if (names === undefined || names.has(name)) return true;
  const bracket = name.indexOf("[");
  return bracket > 0 && names.has(name.slice(0, bracket));
};

const decodedName = (member: string): string => {
  const equals = member.indexOf("=");
  const name = equals < 0 ? member : member.slice(0, equals);
  if (!/[%+]/.test(name)) return name;
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
};
