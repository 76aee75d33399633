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
  for (const value of cookieValues(header, name)) return value;
  return undefined;
};

/** The values of all cookies of a name, in their order: which of them a service reads is not known. */
export function* cookieValues(header: string | null | undefined, name: string): Generator<string> {
  if (!header || name === "") return;
  for (let start = 0; start < header.length; ) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon < 0 ? header.length : semicolon;
    while (start < end && isBlank(header.charCodeAt(start))) start++;
    if (header.startsWith(name, start)) {
      let at = start + name.length;
      while (isBlank(header.charCodeAt(at))) at++;
      if (header.charCodeAt(at) === EQUALS) yield trimmed(header, at + 1, end);
    }
    start = end + 1;
  }
}

const trimmed = (text: string, from: number, to: number): string => {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
};
