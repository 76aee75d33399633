import { decodeBase64, encodeBase64 } from "../base64.ts";

/** A value of a structured field (RFC 9651 section 3.3); a number is an integer. */
export type BareItem = string | number | boolean | Uint8Array<ArrayBuffer> | Token;

/** A token, which is no text in quotes. */
export interface Token {
  readonly token: string;
}

export interface Item {
  readonly value: BareItem;
  readonly parameters: ReadonlyMap<string, BareItem>;
}

/** A member of a dictionary: an item, or a list of items in parentheses. */
export interface Member {
  readonly value: BareItem | readonly Item[];
  readonly parameters: ReadonlyMap<string, BareItem>;
}

/** One step of a parser: what was read, and where it ended. */
interface Reader {
  readonly text: string;
  at: number;
}

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y;
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y;
const INTEGER = /-?\d{1,15}(?![\d.])/y;
const BOOLEAN = /\?([01])/y;
const TOKEN = /[A-Za-z*][\w!#$%&'*+\-.^`|~:/]*/y;
const SPACES = / */y;
const SEMICOLON = /; */y;
const COMMA = /[ \t]*,[ \t]*/y;

/** What a sticky expression finds where the reader stands, and moves it behind that. */
const take = (reader: Reader, pattern: RegExp): RegExpExecArray | undefined => {
  pattern.lastIndex = reader.at;
  const found = pattern.exec(reader.text);
  if (found === null) return undefined;
  reader.at = pattern.lastIndex;
  return found;
};

/**
 * Reads a dictionary (RFC 9651 section 3.2). Undefined for anything else, and stricter in two ways: a key that stands there
 * twice is refused, since others may believe the one that we would not; and so are decimals, dates and display strings,
 * which no field that is read with this has.
 */
export const parseDictionary = (text: string): ReadonlyMap<string, Member> | undefined => {
  const reader: Reader = { text: text.replace(/^[ ]+|[ ]+$/g, ""), at: 0 };
  const members = new Map<string, Member>();
  if (reader.text === "") return members;
  for (;;) {
    const key = take(reader, KEY)?.[0];
    const member = key === undefined ? undefined : readMember(reader);
    if (key === undefined || member === undefined || members.has(key)) return undefined;
    members.set(key, member);
    if (reader.at === reader.text.length) return members;
    if (take(reader, COMMA) === undefined) return undefined;
  }
};

const readMember = (reader: Reader): Member | undefined => {
  if (reader.text[reader.at] !== "=") return withParameters(reader, true);
  reader.at++;
  if (reader.text[reader.at] === "(") return withParameters(reader, readInnerList(reader));
  return withParameters(reader, readBareItem(reader));
};

const withParameters = <V>(
  reader: Reader,
  value: V | undefined,
): { value: V; parameters: ReadonlyMap<string, BareItem> } | undefined => {
  if (value === undefined) return undefined;
  const parameters = new Map<string, BareItem>();
  while (take(reader, SEMICOLON) !== undefined) {
    const key = take(reader, KEY)?.[0];
    if (key === undefined || parameters.has(key)) return undefined;
    let parameter: BareItem | undefined = true;
    if (reader.text[reader.at] === "=") {
      reader.at++;
      parameter = readBareItem(reader);
    }
    if (parameter === undefined) return undefined;
    parameters.set(key, parameter);
  }
  return { value, parameters };
};

/** Members are set apart by spaces (RFC 9651 section 4.2.1.2). */
const readInnerList = (reader: Reader): readonly Item[] | undefined => {
  reader.at++;
  const items: Item[] = [];
  for (;;) {
    const spaces = take(reader, SPACES)![0];
    if (reader.text[reader.at] === ")") {
      reader.at++;
      return items;
    }
    if (items.length > 0 && spaces === "") return undefined;
    const item = withParameters(reader, readBareItem(reader));
    if (item === undefined) return undefined;
    items.push(item);
  }
};

const readBareItem = (reader: Reader): BareItem | undefined => {
  const string = take(reader, STRING)?.[1];
  if (string !== undefined) return string.replace(/\\(.)/g, "$1");
  const bytes = take(reader, BYTES)?.[1];
  if (bytes !== undefined) return decodeBase64(bytes);
  const integer = take(reader, INTEGER)?.[0];
  if (integer !== undefined) return Number(integer);
  const boolean = take(reader, BOOLEAN)?.[1];
  if (boolean !== undefined) return boolean === "1";
  const token = take(reader, TOKEN)?.[0];
  return token === undefined ? undefined : { token };
};

/** Parameters as they stand behind an item (RFC 9651 section 4.1.1.2), in their order. */
export const serializeParameters = (parameters: ReadonlyMap<string, BareItem>): string => {
  let text = "";
  for (const [key, value] of parameters) text += `;${key}${value === true ? "" : `=${serialized(value)}`}`;
  return text;
};

const serialized = (value: BareItem): string => {
  if (typeof value === "string") return `"${value.replace(/["\\]/g, "\\$&")}"`;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "?1" : "?0";
  if (value instanceof Uint8Array) return `:${encodeBase64(value)}:`;
  return value.token;
};
