/**
 * Cuts JSON text at the borders of its values. The text has been through JSON.parse, so these functions trust its syntax,
 * and no value is ever made of what they pass over: numbers and escapes stay as they are written.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** What a value is, by its first character. */
export type Kind = "object" | "array" | "text" | "other";

export const kindOf = (json: string): Kind => {
  switch (json.charCodeAt(0)) {
    case BRACE:
      return "object";
    case BRACKET:
      return "array";
    case QUOTE:
      return "text";
    default:
      return "other";
  }
};

/** The values of an array, as they are written. */
export const itemsOf = (json: string): string[] => {
  const items: string[] = [];
  let at = skipBlanks(json, 1);
  if (json.charCodeAt(at) === CLOSING_BRACKET) return items;
  for (;;) {
    const end = endOfValue(json, at);
    items.push(json.slice(at, end));
    at = skipBlanks(json, end);
    if (json.charCodeAt(at) !== COMMA) return items;
    at = skipBlanks(json, at + 1);
  }
};

/** Names and values of an object, as they are written, quotes and all, in their order. */
export const membersOf = (json: string): (readonly [name: string, value: string])[] => {
  const members: (readonly [string, string])[] = [];
  let at = skipBlanks(json, 1);
  if (json.charCodeAt(at) === CLOSING_BRACE) return members;
  for (;;) {
    const nameEnd = endOfText(json, at);
    const from = skipBlanks(json, skipBlanks(json, nameEnd) + 1);
    const end = endOfValue(json, from);
    members.push([json.slice(at, nameEnd), json.slice(from, end)]);
    at = skipBlanks(json, end);
    if (json.charCodeAt(at) !== COMMA) return members;
    at = skipBlanks(json, at + 1);
  }
};

/** The characters that a text stands for. */
export const decodedText = (json: string): string =>
  json.includes("\\") ? (JSON.parse(json) as string) : json.slice(1, -1);

const skipBlanks = (json: string, from: number): number => {
  let at = from;
  while (json.charCodeAt(at) <= 0x20) at++;
  return at;
};

/** Index behind the text that begins at `from`. */
const endOfText = (json: string, from: number): number => {
  let end = from;
  for (;;) {
    end = json.indexOf('"', end + 1);
    let before = end;
    while (json.charCodeAt(before - 1) === BACKSLASH) before--;
    // A quote behind an odd number of backslashes belongs to the text.
    if ((end - before) % 2 === 0) return end + 1;
  }
};

/** Index behind the value that begins at `from`. Counts depth instead of calling itself: a text may be nested at will. */
const endOfValue = (json: string, from: number): number => {
  const first = json.charCodeAt(from);
  if (first === QUOTE) return endOfText(json, from);
  if (first !== BRACE && first !== BRACKET) return endOfScalar(json, from);
  let depth = 0;
  for (let at = from; ; ) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfText(json, at);
      continue;
    }
    at++;
    if (code === BRACE || code === BRACKET) depth++;
    else if ((code === CLOSING_BRACE || code === CLOSING_BRACKET) && --depth === 0) return at;
  }
};

/** Numbers and literals end before a comma, a closing bracket or brace, a blank, or the end. */
const endOfScalar = (json: string, from: number): number => {
  for (let at = from; ; at++) {
    const code = json.charCodeAt(at);
    if (code === COMMA || code === CLOSING_BRACE || code === CLOSING_BRACKET || !(code > 0x20)) return at;
  }
};
