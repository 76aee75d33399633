import { decodedText, itemsOf, kindOf, membersOf } from "./json-text.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * JSON text in UTF-8 (RFC 8259), checked as a whole and kept as it is written, so that large numbers and the order of members
 * survive; undefined for anything else.
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

/** An index as a JSON Pointer writes it (RFC 6901 section 4). */
const INDEX = /^(?:0|[1-9]\d*)$/;

/** The value to which a JSON Pointer leads, as it is written; undefined where it leads nowhere. */
export const picked = (json: string, path: readonly string[]): string | undefined =>
  path.reduce<string | undefined>((value, name) => value && member(value, name), json);

const member = (json: string, name: string): string | undefined => {
  switch (kindOf(json)) {
    case "object":
      // Of a name that comes twice the last counts, as for JSON.parse.
      return membersOf(json).findLast(([written]) => decodedText(written) === name)?.[1];
    case "array":
      return INDEX.test(name) ? itemsOf(json)[Number(name)] : undefined;
    default:
      return undefined;
  }
};
