/** A Content-Type field taken apart (RFC 9110 section 8.3.1), in lower case but for the values of parameters. */
export interface MediaType {
  /** `type/subtype`. */
  readonly essence: string;
  /** In lower case; undefined where the field names none. */
  readonly charset: string | undefined;
}

/** Reads a Content-Type field; undefined where it is none. */
export const parseMediaType = (field: string | null): MediaType | undefined => {
  if (field === null) return undefined;
  const semicolon = field.indexOf(";");
  const essence = (semicolon < 0 ? field : field.slice(0, semicolon)).trim().toLowerCase();
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+$/.test(essence)) return undefined;
  if (semicolon < 0) return { essence, charset: undefined };
  let charset: string | undefined;
  for (const part of field.slice(semicolon + 1).split(";")) {
    const equals = part.indexOf("=");
    if (equals < 0 || part.slice(0, equals).trim().toLowerCase() !== "charset") continue;
    const value = part
      .slice(equals + 1)
      .trim()
      .toLowerCase();
    const bare = value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    // Two that differ are none that anybody knows: which of them counts is read differently.
    charset = charset === undefined || charset === bare ? bare : `${charset}, ${bare}`;
  }
  return { essence, charset };
};

/** application/json, and every type whose suffix says that it is JSON (RFC 6839 section 3.1). */
export const isJsonEssence = (essence: string): boolean =>
  essence === "application/json" || essence === "text/json" || essence.endsWith("+json");

/**
 * Whether a media type is in a range as OpenAPI documents name them: a type, `image/*`, `application/*+json` or all; the
 * longer of two ranges is the narrower.
 */
export const isInRange = (essence: string, range: string): boolean => {
  if (range === essence || range === "*/*") return true;
  const star = range.indexOf("*");
  return (
    star > 0 &&
    essence.length >= range.length &&
    essence.startsWith(range.slice(0, star)) &&
    essence.endsWith(range.slice(star + 1))
  );
};
