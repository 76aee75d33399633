import type { DirectiveArgument, Directives } from "./cache-control.ts";

/** One member of a Dictionary (RFC 8941 section 3.2) with its parameters, which no cache directive has a use for. */
const KEY = "[a-z*][a-z0-9_.*-]*";
const BARE = [
  `"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*"`,
  "-?\\d{1,12}\\.\\d{1,3}",
  "-?\\d{1,15}",
  "[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*",
  ":[A-Za-z0-9+/=]*:",
  "\\?[01]",
].join("|");
const MEMBER = new RegExp(
  `(${KEY})(?:=(${BARE}))?(?:; *${KEY}(?:=(?:${BARE}))?)*[ \\t]*(,[ \\t]*(?!$)|$)`,
  "y",
);

const NUMBERS = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]);

/**
 * The directives of a targeted field such as CDN-Cache-Control (RFC 9213 section 2.1), which is a Dictionary and nothing
 * else. Undefined where it is empty, is no Dictionary, or gives a known directive a value of the wrong type: such a field
 * is to be ignored, and Cache-Control holds. A member that comes twice counts as it came last.
 */
export const parseTargetedDirectives = (field: string): Directives | undefined => {
  const text = field.trim();
  if (text === "") return undefined;
  const found = new Map<string, readonly DirectiveArgument[]>();
  MEMBER.lastIndex = 0;
  while (MEMBER.lastIndex < text.length) {
    const member = MEMBER.exec(text);
    if (member === null) return undefined;
    const name = member[1]!;
    const argument = argumentOf(member[2]);
    if (NUMBERS.has(name) && !(argument?.form === "token" && /^\d+$/.test(argument.text))) return undefined;
    if (member[2] === "?0") found.delete(name);
    else found.set(name, [argument]);
  }
  return found;
};

const argumentOf = (bare: string | undefined): DirectiveArgument => {
  if (bare === undefined || bare.startsWith("?")) return null;
  if (!bare.startsWith('"')) return { text: bare, form: "token" };
  return { text: bare.slice(1, -1).replace(/\\(.)/g, "$1"), form: "quoted" };
};
