/** The opaque part of an entity tag, without the mark of weakness (RFC 9110 section 8.8.3). */
const opaque = (tag: string): string => (tag.startsWith("W/") ? tag.slice(2) : tag);

/** Weak comparison (RFC 9110 section 8.8.3.2): the same opaque part is enough. */
export const weaklyEqual = (one: string, other: string): boolean => opaque(one) === opaque(other);

/** Strong comparison (RFC 9110 section 8.8.3.2): the same tag, and neither of them weak. */
export const stronglyEqual = (one: string, other: string): boolean => one === other && !one.startsWith("W/");

const TAGS = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Whether an If-None-Match field names an entity tag, or anything with `*` (RFC 9110 section 13.1.2). What is no tag in
 * the field is passed over and so matches nothing.
 */
export const noneMatchNames = (field: string, tag: string | null): boolean => {
  if (field.trim() === "*") return true;
  if (tag === null) return false;
  for (const [candidate] of field.matchAll(TAGS)) if (weaklyEqual(candidate, tag)) return true;
  return false;
};
