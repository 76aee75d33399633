import { type AST, RegExpParser } from "@eslint-community/regexpp";
import {
  type CharSet,
  complement,
  DIGITS,
  ignoringCase,
  LINE_ENDS,
  rangesOf,
  SPACE,
  unionOf,
  WORD,
} from "./char-sets.ts";
import { choice, oneOf, type Pattern, repeat, sequence } from "./pattern.ts";
import { type SyntaxReason, syntaxFault } from "./syntax-faults.ts";

/** Why a regular expression is refused. */
export type RegexReason =
  | SyntaxReason
  | "lookahead"
  | "lookbehind"
  | "word-boundary"
  /** The flag m, which only anchors would heed. */
  | "multiline"
  /** A character of two code units where only one can stand. */
  | "two-units"
  | "too-long"
  | "too-large";

/** What is wrong with a regular expression, and where in its text. */
export interface RegexFault {
  readonly reason: RegexReason;
  readonly offset: number;
  readonly length: number;
}

export type ParsedRegex = { readonly pattern: Pattern } | { readonly faults: readonly RegexFault[] };

const parser = new RegExpParser({ ecmaVersion: 2025, strict: true });

/**
 * Reads JavaScript's syntax without flags (ECMA-262 section 22.2.1, without the leniences of Annex B), as far as it can
 * be matched in linear time by an automaton that only says yes or no: groups capture nothing, and lazy is as good as
 * greedy. The whole text is compared, so that `^` and `$` at its ends change nothing.
 */
export const parseRegex = (text: string): ParsedRegex => {
  let parsed: AST.Pattern;
  try {
    parsed = parser.parsePattern(text, 0, text.length, { unicode: false });
  } catch (error) {
    return { faults: [syntaxFault(text, error as SyntaxError & { readonly index: number })] };
  }
  const reader = new Reader();
  const pattern = reader.choice(parsed.alternatives, {
    ignoreCase: false,
    dotAll: false,
    first: true,
    last: true,
  });
  return reader.faults.length > 0 ? { faults: reader.faults } : { pattern };
};

/** What holds for a part of the expression. */
interface Scope {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
  /** Whether nothing can stand before it, or after it. */
  readonly first: boolean;
  readonly last: boolean;
}

const NOTHING: Pattern = sequence();

class Reader {
  readonly faults: RegexFault[] = [];

  choice(alternatives: readonly AST.Alternative[], scope: Scope): Pattern {
    const parts = alternatives.map(({ elements }) =>
      sequence(
        ...elements.map((element, index) =>
          this.#element(element, {
            ...scope,
            first: scope.first && index === 0,
            last: scope.last && index === elements.length - 1,
          }),
        ),
      ),
    );
    return parts.length === 1 ? parts[0]! : choice(...parts);
  }

  #element(element: AST.Element, scope: Scope): Pattern {
    switch (element.type) {
      case "Character":
        return oneOf(withCase([element.value, element.value], scope));
      case "CharacterSet":
        return oneOf(withCase(this.#named(element, scope), scope));
      case "CharacterClass":
        return oneOf(this.#class(element, scope));
      case "Group":
        return this.choice(element.alternatives, this.#modified(element, scope));
      case "CapturingGroup":
        if (element.name !== null) this.#refuse("named-group", element, element.name.length + 4);
        return this.choice(element.alternatives, scope);
      case "Quantifier":
        return this.#quantifier(element, scope);
      case "Assertion":
        return this.#assertion(element, scope);
      case "Backreference":
        return this.#refuse("backreference", element);
      case "ExpressionCharacterClass":
        throw new Error("this class takes the flag v");
    }
  }

  #quantifier({ element, min, max }: AST.Quantifier, scope: Scope): Pattern {
    if (element.type === "Character" && isSurrogate(element.value))
      return this.#refuse("two-units", { start: element.start - 1, end: element.end });
    return repeat(this.#element(element, { ...scope, first: false, last: false }), min, max);
  }

  #assertion(assertion: AST.Assertion, { first, last }: Scope): Pattern {
    switch (assertion.kind) {
      case "start":
        return first ? NOTHING : this.#refuse("inner-anchor", assertion);
      case "end":
        return last ? NOTHING : this.#refuse("inner-anchor", assertion);
      case "word":
        return this.#refuse("word-boundary", assertion);
      default:
        return this.#refuse(assertion.kind, assertion);
    }
  }

  #modified({ modifiers }: AST.Group, scope: Scope): Scope {
    if (modifiers === null) return scope;
    const { add, remove } = modifiers;
    if (add.multiline || remove?.multiline) this.#refuse("multiline", modifiers);
    return {
      ...scope,
      ignoreCase: add.ignoreCase || (scope.ignoreCase && !remove?.ignoreCase),
      dotAll: add.dotAll || (scope.dotAll && !remove?.dotAll),
    };
  }

  /** The set before case is ignored: of a negated class, its members are widened first (ECMA-262 section 22.2.2.7.1). */
  #class({ elements, negate }: AST.CharacterClass, scope: Scope): CharSet {
    const ranges = elements.flatMap((element) => {
      switch (element.type) {
        case "Character":
          if (isSurrogate(element.value) && element.raw.length === 1) this.#refuse("two-units", element);
          return [[element.value, element.value] as const];
        case "CharacterClassRange":
          return [[element.min.value, element.max.value] as const];
        case "CharacterSet":
          return rangesOf(this.#named(element, scope));
        default:
          throw new Error("such classes take the flag v");
      }
    });
    const set = withCase(unionOf(ranges), scope);
    return negate ? complement(set) : set;
  }

  #named(element: AST.CharacterSet, { dotAll }: Scope): CharSet {
    switch (element.kind) {
      case "any":
        return complement(dotAll ? [] : LINE_ENDS);
      case "property":
        throw new Error("properties take the flag u");
      default: {
        const set = { digit: DIGITS, space: SPACE, word: WORD }[element.kind];
        return element.negate ? complement(set) : set;
      }
    }
  }

  #refuse(
    reason: RegexReason,
    { start, end }: { readonly start: number; readonly end: number },
    length = end - start,
  ) {
    this.faults.push({ reason, offset: start, length });
    return NOTHING;
  }
}

const withCase = (set: CharSet, { ignoreCase }: Scope): CharSet => (ignoreCase ? ignoringCase(set) : set);

/** Half of a character beyond the basic plane, as it stands in the text. */
const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;
