import { REGEX_LIMITS } from "../lib/regex/compile.ts";
import type { RegexReason } from "../lib/regex/parse.ts";

/** Where a regular expression stands. */
export type RegexUse = "path" | "header" | "query";

interface Words {
  readonly code: "regex-syntax" | "regex-not-linear" | "regex-too-large";
  readonly message: (found: string) => string;
  readonly remedy: string | ((use: RegexUse) => string);
}

const syntax = (message: Words["message"], remedy: Words["remedy"]): Words => ({
  code: "regex-syntax",
  message,
  remedy,
});

const notLinear = (message: Words["message"], remedy: Words["remedy"]): Words => ({
  code: "regex-not-linear",
  message,
  remedy,
});

const elsewhere = (use: RegexUse): string =>
  use === "path"
    ? "Write out what may stand here; requests that are to go elsewhere get a route of their own, which by `path` or `pathPrefix` goes first."
    : "Write out what may stand here; requests that are to go elsewhere get a route of their own.";

const severalMatches = "Write several shorter ones: a `match` may be a list.";

/** What is wrong with a regular expression, by the reason for which it is refused, and what to write instead. */
const WORDS: Readonly<Record<RegexReason, Words>> = {
  "unclosed-group": syntax(
    () => "This group is never closed.",
    'Close it with ")", or write "\\(" for the sign itself.',
  ),
  "unopened-group": syntax(
    () => "Here ends a group that never began.",
    'Remove it, or write "\\)" for the sign itself.',
  ),
  "unclosed-class": syntax(
    () => "This class of characters is never closed.",
    'Close it with "]", or write "\\[" for the sign itself.',
  ),
  "lone-bracket": syntax(
    (found) => `"${found}" belongs to nothing.`,
    (use) =>
      use === "path"
        ? "Write a backslash before a bracket that stands for itself; {parameters} stand in `path`."
        : "Write a backslash before a bracket that stands for itself.",
  ),
  "nothing-to-repeat": syntax(
    (found) => `There is nothing that "${found}" could repeat.`,
    "Write what is repeated before it, or a backslash where it stands for itself.",
  ),
  "count-order": syntax((found) => `"${found}" counts backwards.`, "Write the smaller number first."),
  "range-order": syntax((found) => `"${found}" runs backwards.`, "Write the smaller character first."),
  "bad-range": syntax(
    (found) => `"${found}" is no range of characters.`,
    "Write a hyphen that stands for itself at the end of the class.",
  ),
  "bad-escape": syntax(
    (found) => `"${found}" has no meaning.`,
    'Remove the backslash, or write "\\\\" for a backslash itself.',
  ),
  "unicode-class": syntax(
    (found) => `"${found}" has no meaning: there are no classes by name.`,
    "Write the characters themselves, as in [a-z].",
  ),
  "bad-group": syntax(
    (found) => `No group begins with "${found}".`,
    'Write "(?:" for a group, or "\\(" for the sign itself.',
  ),
  "flags-for-the-rest": syntax(
    (found) => `"${found}" would hold for the rest, and that is not how flags are written.`,
    "Write (?i:…) around what it is meant for.",
  ),
  "bad-syntax": syntax(
    () => "This cannot be read.",
    "Write a regular expression in the syntax of JavaScript.",
  ),
  "inner-anchor": syntax(
    (found) => `"${found}" can stand at the ends only, where it changes nothing.`,
    (use) =>
      use === "path"
        ? "Remove it: the whole path is compared, from its first slash to its end."
        : "Remove it: the whole value is compared, from its first character to its last.",
  ),
  multiline: syntax(() => "The flag m is for texts of several lines.", "Remove it."),
  "two-units": syntax(
    (found) => `"${found}" is two characters to a regular expression.`,
    "Write it as a group of its own, outside of brackets: (?:…).",
  ),
  "named-group": syntax(
    () => "A regular expression captures nothing here.",
    (use) => (use === "path" ? "Write (?:…), or a `path` with {parameters}." : "Write (?:…)."),
  ),
  backreference: notLinear(
    (found) => `"${found}" repeats what a group has matched, and that takes more than linear time.`,
    "Write out what may stand here.",
  ),
  lookahead: notLinear(() => "Nothing can look ahead: each character is read once.", elsewhere),
  lookbehind: notLinear(() => "Nothing can look back: each character is read once.", elsewhere),
  "word-boundary": notLinear(
    (found) => `"${found}" looks at two characters, and each is read once.`,
    "Write the characters that may stand here, such as [ /-].",
  ),
  "too-long": {
    code: "regex-too-large",
    message: () => `A regular expression has at most ${counted(REGEX_LIMITS.length)} characters.`,
    remedy: severalMatches,
  },
  "too-large": {
    code: "regex-too-large",
    message: () =>
      `This would take more than ${counted(REGEX_LIMITS.states)} states to match in linear time.`,
    remedy: `Count less far, as in {1,20} instead of {1,2000}, and less after ".*". ${severalMatches}`,
  },
};

const counted = (count: number): string => count.toLocaleString("en-US");

/** Code, message and remedy of a fault; `found` is the text that it marks. */
export const regexWords = (
  reason: RegexReason,
  found: string,
  use: RegexUse,
): { readonly code: string; readonly message: string; readonly remedy: string } => {
  const { code, message, remedy } = WORDS[reason];
  return { code, message: message(found), remedy: typeof remedy === "string" ? remedy : remedy(use) };
};
