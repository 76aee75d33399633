/** First and last byte, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The single byte range that a Range field asks of a representation of `size` bytes (RFC 9110 section 14.1.2): clipped to
 * it, `unsatisfiable` where nothing of it is there, undefined where the field is to be ignored: another unit, malformed,
 * or several ranges, which a server may always answer with the whole.
 */
export const singleRange = (field: string, size: number): ByteRange | "unsatisfiable" | undefined => {
  const found = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(field);
  if (found === null) return undefined;
  const [, from, to] = found as unknown as readonly [string, string, string];
  if (from === "") {
    if (to === "") return undefined;
    const length = Math.min(Number(to), size);
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  if (to !== "" && Number(to) < first) return undefined;
  if (first >= size) return "unsatisfiable";
  return { first, last: to === "" ? size - 1 : Math.min(Number(to), size - 1) };
};
