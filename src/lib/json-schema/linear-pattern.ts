import { linkRegex, type RegexPlan } from "../regex/run.ts";

/** What generated validators call where JSON Schema has a pattern: linked when first used. */
export interface LinearPattern {
  test(text: string): boolean;
}

/** Makes patterns of automata that were compiled before, by the expressions that they stand for. */
export const linearPatterns =
  (plans: Readonly<Record<string, RegexPlan>>) =>
  (expression: string): LinearPattern => {
    let matches: ((text: string) => boolean) | undefined;
    return {
      test: (text) => {
        matches ??= linkRegex(plans[expression]!);
        return matches(text);
      },
    };
  };
