import { accepts, exampleOf } from "../lib/regex/compare.ts";
import type { Condition, MatchIr, RegexIr } from "./ir.ts";
import { onlyText } from "./texts.ts";

/** How the predicates of two matches relate: whether one holds wherever the other does, and what fulfils both. */

/** Whether whatever fulfils `narrow` fulfils `wide` too; methods aside, and where neither has a regular expression, paths. */
export const matchCovers = (wide: MatchIr, narrow: MatchIr): boolean =>
  conditionsCover(wide, narrow) && pathCovers(wide, narrow);

/** What a match says beside host, path and methods. */
export type Conditions = Pick<MatchIr, "headers" | "query">;

/** Whether the headers and the query that fulfil `narrow` fulfil `wide` too. */
export const conditionsCover = (wide: Conditions, narrow: Conditions): boolean =>
  covers(wide.headers, narrow.headers) && covers(wide.query, narrow.query);

const covers = (wide: readonly Condition[], narrow: readonly Condition[]): boolean =>
  wide.every((condition) =>
    narrow.some((other) => other.name === condition.name && conditionCovers(condition, other)),
  );

const conditionCovers = (wide: Condition, narrow: Condition): boolean => {
  if (wide.regex !== undefined) {
    if (narrow.value !== undefined) return accepts(wide.regex.automaton, narrow.value);
    return regexCovers(wide.regex, narrow.regex);
  }
  if (wide.value === undefined || wide.value === narrow.value) return true;
  return (
    narrow.regex !== undefined &&
    exampleOf([narrow.regex.automaton, narrow.regex.domain], [onlyText(wide.value)]) === undefined
  );
};

const pathCovers = ({ regex: wide }: MatchIr, { regex: narrow }: MatchIr): boolean =>
  wide === undefined || regexCovers(wide, narrow);

/** Without a narrow one, whether every text that there is fits. */
const regexCovers = (wide: RegexIr, narrow: RegexIr | undefined): boolean => {
  if (narrow === undefined) return exampleOf([wide.domain], [wide.automaton]) === undefined;
  // Most are told apart by one text.
  return (
    accepts(wide.automaton, narrow.example) &&
    exampleOf([narrow.automaton, narrow.domain], [wide.automaton]) === undefined
  );
};

/** A value by the name of each header or parameter. */
export type ExampleValues = ReadonlyMap<string, string>;

/** Values that fulfil the conditions of two lists at once; undefined where none do. */
export const commonValues = (
  one: readonly Condition[],
  other: readonly Condition[],
): ExampleValues | undefined => {
  const values = new Map<string, string>();
  for (const condition of [...one, ...other]) {
    if (values.has(condition.name)) continue;
    const rival = other.find(({ name }) => name === condition.name) ?? condition;
    const value = commonValue(condition, rival);
    if (value === undefined) return undefined;
    values.set(condition.name, value);
  }
  return values;
};

const commonValue = (one: Condition, other: Condition): string | undefined => {
  const regexes = [one, other].flatMap(({ regex }) => regex ?? []);
  const value = one.value ?? other.value;
  if (value !== undefined) {
    const isOther = other.value !== undefined && other.value !== value;
    return !isOther && regexes.every(({ automaton }) => accepts(automaton, value)) ? value : undefined;
  }
  const [first] = regexes;
  if (first === undefined) return "x";
  return exampleOf([first.domain, ...regexes.map(({ automaton }) => automaton)]) ?? undefined;
};
