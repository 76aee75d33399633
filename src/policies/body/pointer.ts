import type { Token } from "./walk.ts";

/**
 * The tokens of an RFC 6901 pointer; undefined where its syntax is wrong. A token that is `*` alone stands for every member
 * or element, and so no member of that name can be pointed to.
 */
export const parsePointer = (pointer: string): Token[] | undefined => {
  if (pointer === "") return [];
  if (!/^(?:\/(?:[^~/]|~[01])*)+$/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((token) => (token === "*" ? null : token.replaceAll("~1", "/").replaceAll("~0", "~")));
};
