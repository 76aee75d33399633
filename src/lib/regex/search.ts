import { type AST, RegExpParser } from "@eslint-community/regexpp";
import { DIGITS, LINE_ENDS, rangesOf, SPACE, WORD } from "./char-sets.ts";
import { onePoint, otherPoints, type PointSet, pointsOf, pointsWith } from "./code-points.ts";
import { type CompiledRegex, REGEX_LIMITS } from "./compile.ts";
import { determinize } from "./determinize.ts";
import type { RegexReason } from "./parse.ts";
import { choice, oneOf, type Pattern, repeat, sequence } from "./pattern.ts";

const parser = new RegExpParser({ ecmaVersion: 2025, strict: true });

/**
 * Compiles a regular expression to an automaton that tells whether a text has a match anywhere in it, as `pattern` of JSON
 * Schema means it: without anchors at its ends, anything may stand before and behind, and a character is a code point. The
 * flag u is assumed; an expression that has no meaning with it is read without.
 */
export const compileSearch = (expression: string): CompiledRegex => {
  const refused = (reason: RegexReason): CompiledRegex => ({
    faults: [{ reason, offset: 0, length: expression.length }],
  });
  if (expression.length > REGEX_LIMITS.length) return refused("too-long");
  const parsed = parsedWith(expression, true) ?? parsedWith(expression, false);
  if (parsed === undefined) return refused("bad-syntax");
  try {
    const regex = determinize(choice(...parsed.alternatives.map(anywhere)), REGEX_LIMITS);
    return regex === undefined ? refused("too-large") : { regex };
  } catch (error) {
    if (error instanceof Refused) return refused(error.reason);
    throw error;
  }
};

/** What takes more than one step a character. */
class Refused extends Error {
  readonly reason: RegexReason;

  constructor(reason: RegexReason) {
    super(reason);
    this.reason = reason;
  }
}

const parsedWith = (expression: string, unicode: boolean): AST.Pattern | undefined => {
  try {
    return parser.parsePattern(expression, 0, expression.length, { unicode });
  } catch {
    return undefined;
  }
};

const ANYTHING: Pattern = repeat(oneOf([0, 0xffff]), 0);

const anywhere = ({ elements }: AST.Alternative): Pattern => {
  const isAnchor = (element: AST.Element | undefined, kind: "start" | "end"): boolean =>
    element?.type === "Assertion" && element.kind === kind;
  const begins = isAnchor(elements[0], "start");
  const rest = begins ? elements.slice(1) : elements;
  const ends = isAnchor(rest[rest.length - 1], "end");
  const middle = sequence(...(ends ? rest.slice(0, -1) : rest).map(patternOf));
  return sequence(...(begins ? [] : [ANYTHING]), middle, ...(ends ? [] : [ANYTHING]));
};

const alternativesOf = (alternatives: readonly AST.Alternative[]): Pattern =>
  choice(...alternatives.map(({ elements }) => sequence(...elements.map(patternOf))));

const patternOf = (element: AST.Element): Pattern => {
  switch (element.type) {
    case "Character":
      // Without the flag u a character beyond the basic plane is written as two.
      return isSurrogate(element.value)
        ? oneOf([element.value, element.value])
        : onePoint([[element.value, element.value]]);
    case "CharacterSet":
      return onePoint(named(element));
    case "CharacterClass":
      return onePoint(classOf(element));
    case "Group":
      if (element.modifiers !== null) throw new Refused("multiline");
      return alternativesOf(element.alternatives);
    case "CapturingGroup":
      return alternativesOf(element.alternatives);
    case "Quantifier":
      return repeat(patternOf(element.element), element.min, element.max);
    case "Assertion":
      throw new Refused(
        element.kind === "word"
          ? "word-boundary"
          : element.kind === "lookahead" || element.kind === "lookbehind"
            ? element.kind
            : "inner-anchor",
      );
    case "Backreference":
      throw new Refused("backreference");
    case "ExpressionCharacterClass":
      throw new Refused("bad-syntax");
  }
};

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

const classOf = ({ elements, negate }: AST.CharacterClass): PointSet => {
  const set = pointsOf(
    elements.flatMap((element): PointSet => {
      switch (element.type) {
        case "Character":
          if (isSurrogate(element.value)) throw new Refused("two-units");
          return [[element.value, element.value]];
        case "CharacterClassRange":
          return [[element.min.value, element.max.value]];
        case "CharacterSet":
          return named(element);
        default:
          throw new Refused("bad-syntax");
      }
    }),
  );
  return negate ? otherPoints(set) : set;
};

const named = (element: AST.CharacterSet): PointSet => {
  switch (element.kind) {
    case "any":
      return otherPoints(rangesOf(LINE_ENDS));
    case "property": {
      const { key, value, negate } = element;
      const set = pointsWith(value === null ? key : `${key}=${value}`);
      return negate ? otherPoints(set) : set;
    }
    default: {
      const set = rangesOf({ digit: DIGITS, space: SPACE, word: WORD }[element.kind]);
      return element.negate ? otherPoints(set) : set;
    }
  }
};
