import { type AST, RegExpParser, visitRegExpAST } from "@eslint-community/regexpp";
import { type CompiledRegex, compileRegex, REGEX_LIMITS } from "./compile.ts";

const parser = new RegExpParser({ ecmaVersion: 2025, strict: true });

/**
 * Compiles a regular expression to an automaton that tells whether a text has a match anywhere in it, as `pattern` of JSON
 * Schema means it; without anchors at its ends, anything may stand before and behind. A character beyond the basic plane
 * counts as one.
 */
export const compileSearch = (expression: string): CompiledRegex => {
  const whole = { offset: 0, length: expression.length };
  if (expression.length > REGEX_LIMITS.length) return { faults: [{ reason: "too-long", ...whole }] };
  let parsed: AST.Pattern;
  try {
    parsed = parser.parsePattern(expression, 0, expression.length, { unicode: false });
  } catch {
    return compileRegex(expression);
  }
  const compiled = compileRegex(parsed.alternatives.map((part) => anywhere(part, expression)).join("|"));
  // Places are of the expression as it was rewritten, and so mean nothing.
  return "faults" in compiled
    ? { faults: compiled.faults.map(({ reason }) => ({ reason, ...whole })) }
    : compiled;
};

const anywhere = (alternative: AST.Alternative, expression: string): string => {
  const { elements } = alternative;
  const [first, last] = [elements[0], elements[elements.length - 1]];
  const begins = first?.type === "Assertion" && first.kind === "start";
  const ends = last?.type === "Assertion" && last.kind === "end";
  const middle = elements.slice(begins ? 1 : 0, ends && elements.length > (begins ? 1 : 0) ? -1 : undefined);
  const [from, to] = [middle[0]?.start ?? 0, middle[middle.length - 1]?.end ?? 0];
  const text = byCharacters(middle, expression, from, to);
  return `${begins ? "" : "[^]*"}(?:${text})${ends ? "" : "[^]*"}`;
};

const PAIR = "[\\ud800-\\udbff][\\udc00-\\udfff]";

/** The text of elements in which sets that take nearly any character take pairs of surrogates as one. */
const byCharacters = (
  elements: readonly AST.Element[],
  expression: string,
  from: number,
  to: number,
): string => {
  const cuts: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  const wide = ({ start, end }: AST.Node, inside: string): void =>
    void cuts.push({ start, end, text: `(?:[^${inside}\\ud800-\\udfff]|${PAIR})` });
  for (const element of elements)
    visitRegExpAST(element, {
      onCharacterSetEnter(set) {
        if (set.parent.type === "CharacterClass") return;
        if (set.kind === "any") wide(set, "\\n\\r\\u2028\\u2029");
        else if (set.kind !== "property" && set.negate) wide(set, set.raw.toLowerCase());
      },
      onCharacterClassEnter(set) {
        if (set.negate) wide(set, set.raw.slice(2, -1));
      },
    });
  let text = "";
  let at = from;
  for (const cut of cuts.sort((one, other) => one.start - other.start)) {
    text += expression.slice(at, cut.start) + cut.text;
    at = cut.end;
  }
  return text + expression.slice(at, to);
};
