import { decodedText, itemsOf, kindOf, membersOf } from "./json-text.ts";

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
