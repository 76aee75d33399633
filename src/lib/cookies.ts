const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/**
 * The value of a cookie in a Cookie field; undefined when the field is absent or does not hold it. Tolerant as RFC 6265bis
 * section 5.6 is: blanks around name and value go, quotes are part of the value, nothing is decoded, a part without `=` is
 * passed over. Names compare exactly, and of several the first counts: it has the longest path (section 5.8.3). Linear,
 * and copies nothing but the value. `name` is a cookie's name, and so holds neither `;` nor `=`.
 */
export const cookieValue = (header: string | null | undefined, name: string): string | undefined => {
  if (!header || name === "") return undefined;
  for (let start = 0; start < header.length; ) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon < 0 ? header.length : semicolon;
    while (start < end && isBlank(header.charCodeAt(start))) start++;
    if (header.startsWith(name, start)) {
      let at = start + name.length;
      while (isBlank(header.charCodeAt(at))) at++;
      if (header.charCodeAt(at) === EQUALS) return trimmed(header, at + 1, end);
    }
    start = end + 1;
  }
  return undefined;
};

/** The values of all cookies of a name, in their order: which of them another reader takes is not known. */
export const cookieValues = (header: string | null | undefined, name: string): string[] =>
  (header ?? "").split(";").flatMap((part) => {
    const equals = part.indexOf("=");
    return equals > 0 && trimmed(part, 0, equals) === name ? [trimmed(part, equals + 1, part.length)] : [];
  });

const trimmed = (text: string, from: number, to: number): string => {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
};
