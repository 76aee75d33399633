/** Why a text is no regular expression at all. */
export type SyntaxReason =
  | "unclosed-group"
  | "unopened-group"
  | "unclosed-class"
  /** A bracket or brace that belongs to nothing. */
  | "lone-bracket"
  | "nothing-to-repeat"
  | "count-order"
  | "range-order"
  | "bad-range"
  | "bad-escape"
  | "unicode-class"
  | "bad-group"
  /** `(?i)`, which other languages have. */
  | "flags-for-the-rest"
  | "backreference"
  | "named-group"
  /** `^`, `$`, or what other languages have for them, where a text neither begins nor ends. */
  | "inner-anchor"
  | "bad-syntax";

interface SyntaxFault {
  readonly reason: SyntaxReason;
  readonly offset: number;
  readonly length: number;
}

type Place = (
  text: string,
  index: number,
) => Omit<SyntaxFault, "reason"> & { readonly reason?: SyntaxReason };

const between = (offset: number, end: number): { offset: number; length: number } => ({
  offset: Math.max(0, offset),
  length: Math.max(1, end - Math.max(0, offset)),
});

/** From the sign that began it to where the parser stands. */
const sinceLast =
  (sign: string): Place =>
  (text, index) =>
    between(text.lastIndexOf(sign, index - 1), index);

const repeated: Place = (text, index) =>
  text[index - 1] === "}" ? sinceLast("{")(text, index) : between(index - 1, index);

const bracket: Place = (text, index) =>
  text[index - 1] === "{" ? between(index - 1, index) : between(index, index + 1);

const escaped: Place = (text, index) => {
  const offset = text.lastIndexOf("\\", index - 1);
  const [found = "\\", letter = ""] = /^\\(\d+|.?)/s.exec(text.slice(offset)) ?? [];
  const reason = /^[1-9k]/.test(letter)
    ? "backreference"
    : /^[AGZz]$/.test(letter)
      ? "inner-anchor"
      : /^[pP]$/.test(letter)
        ? "unicode-class"
        : "bad-escape";
  return { reason, offset, length: found.length };
};

const group: Place = (text, index) => {
  const rest = text.slice(index - 1);
  const flags = /^\(\?[a-z-]+\)/.exec(rest)?.[0];
  const named = /^\(\?P?<[^>]*>?/.exec(rest)?.[0];
  return {
    reason: flags !== undefined ? "flags-for-the-rest" : named !== undefined ? "named-group" : "bad-group",
    ...between(index - 1, index - 1 + (flags ?? named ?? "(?x").length),
  };
};

/** The sign that opens what is never closed. */
const unclosed =
  (wanted: "(" | "["): Place =>
  (text) => {
    const open: number[] = [];
    let inClass = false;
    for (let at = 0; at < text.length; at++) {
      const sign = text[at];
      if (sign === "\\") at++;
      else if (inClass) inClass = sign !== "]";
      else if (sign === "[") {
        inClass = true;
        if (wanted === "[") open.push(at);
      } else if (sign === "(" && wanted === "(") open.push(at);
      else if (sign === ")") open.pop();
    }
    const offset = open[open.length - 1] ?? 0;
    return between(offset, offset + 1);
  };

/** By the end of the parser's message. */
const FAULTS: readonly (readonly [message: string, reason: SyntaxReason, place: Place])[] = [
  ["Unterminated group", "unclosed-group", unclosed("(")],
  ["Unmatched ')'", "unopened-group", (_, index) => between(index, index + 1)],
  ["Unterminated character class", "unclosed-class", unclosed("[")],
  ["Incomplete quantifier", "lone-bracket", sinceLast("{")],
  ["Lone quantifier brackets", "lone-bracket", bracket],
  ["Nothing to repeat", "nothing-to-repeat", repeated],
  ["numbers out of order in {} quantifier", "count-order", sinceLast("{")],
  ["Range out of order in character class", "range-order", (_, index) => between(index - 3, index)],
  ["Invalid character class", "bad-range", (_, index) => between(index - 4, index)],
  ["Invalid escape", "bad-escape", escaped],
  ["Invalid unicode escape", "bad-escape", escaped],
  ["\\ at end of pattern", "bad-escape", escaped],
  ["Invalid named reference", "backreference", sinceLast("\\")],
  ["Invalid named capture referenced", "backreference", sinceLast("\\")],
  ["Invalid group", "bad-group", group],
  ["Invalid capture group name", "named-group", sinceLast("(")],
  ["Duplicate capture group name", "named-group", sinceLast("(")],
];

/** Says in our words what the parser found, and where it stands. */
export const syntaxFault = (
  text: string,
  { message, index }: { readonly message: string; readonly index: number },
): SyntaxFault => {
  const [, reason, place] = FAULTS.find(([end]) => message.endsWith(`: ${end}`)) ?? [];
  if (reason === undefined || place === undefined)
    return { reason: "bad-syntax", ...between(index - 1, index) };
  return { reason, ...place(text, index) };
};
