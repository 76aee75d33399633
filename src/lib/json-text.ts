/**
 * Cuts JSON text at the borders of its values. The text has been through JSON.parse, so these functions trust its syntax,
 * and no value is ever made of what they pass over: numbers and escapes stay as they are written.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
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

/**
 * Whether an object of a text has two members of one name, given what JSON.parse made of it, which knows the last of them
 * alone: then the text has more names than the value.
 */
export const hasRepeatedNames = (json: string, value: unknown): boolean => {
  let names = 0;
  for (let at = json.indexOf('"'); at >= 0; ) {
    const end = endOfText(json, at);
    if (json.charCodeAt(skipBlanks(json, end)) === COLON) names++;
    at = json.indexOf('"', end);
  }
  return names > 0 && names !== membersIn(value);
};

/** How many members all objects of a value have. Keeps a list instead of calling itself: a value may be nested at will. */
const membersIn = (value: unknown): number => {
  let count = 0;
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== "object" || next === null) continue;
    const values: unknown[] = Array.isArray(next) ? next : Object.values(next);
    if (!Array.isArray(next)) count += values.length;
    for (const inner of values) if (typeof inner === "object" && inner !== null) waiting.push(inner);
  }
  return count;
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

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * JSON text without the blanks around it, checked as a whole: in UTF-8 (RFC 8259 section 8.1), and such as JSON.parse takes.
 * What that makes of it is dropped, so that large numbers and the order of members survive. Undefined for anything else.
 */
export const jsonTextOf = (bytes: Uint8Array<ArrayBuffer>): string | undefined => {
  try {
    const text = UTF8.decode(bytes);
    JSON.parse(text);
    return text.trim();
  } catch {
    return undefined;
  }
};
