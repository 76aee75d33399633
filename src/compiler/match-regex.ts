import { fault, placeInText, type Tree } from "../config/tree.ts";
import type { PathOptions } from "../lib/path.ts";
import { exampleOf } from "../lib/regex/compare.ts";
import { compileRegex } from "../lib/regex/compile.ts";
import type { RegexIr, Report } from "./ir.ts";
import { type RegexUse, regexWords } from "./regex-words.ts";
import { headerValues, normalPaths, pathsBelow, queryValues } from "./texts.ts";

/** Control routes of the gateway itself. */
export const CONTROL_PREFIX = "/__postern";

/** A regular expression in a match: its text, where it stands, and what it is compared with. */
export interface WrittenRegex {
  readonly text: string;
  readonly tree: Tree;
  readonly use: RegexUse;
  readonly paths: PathOptions;
}

/** Compiles a regular expression; what is wrong with it is reported at its place inside the text. */
export const matchRegex = (written: WrittenRegex, report: Report): RegexIr | undefined => {
  const { text, tree, use } = written;
  const tell = (offset: number, length: number, code: string, message: string, remedy: string): undefined => {
    report(fault(placeInText(tree, offset, length), code, message, remedy));
  };
  const odd = use === "path" ? /[^\x21-\x7e]/u.exec(text) : null;
  if (odd !== null) {
    const [sign] = odd;
    return tell(
      odd.index,
      sign.length,
      "regex-never-matches",
      `${JSON.stringify(sign)} never stands in a path as it is compared.`,
      `Write it percent-encoded: ${encodeURIComponent(sign.toWellFormed())}.`,
    );
  }
  const compiled = compileRegex(text);
  if ("faults" in compiled) {
    for (const { reason, offset, length } of compiled.faults) {
      const { code, message, remedy } = regexWords(reason, text.slice(offset, offset + length), use);
      tell(offset, length, code, message, remedy);
    }
    return undefined;
  }
  const [automaton, domain] = [compiled.regex, domainOf(written)];
  const example = exampleOf([automaton, domain]);
  if (typeof example !== "string") return tell(0, text.length, "regex-never-matches", ...NEVER[use]);
  if (use === "path" && exampleOf([automaton, domain], [pathsBelow(CONTROL_PREFIX)]) === undefined) {
    const wrong = `Paths below ${CONTROL_PREFIX} are the gateway's own.`;
    return tell(0, text.length, "reserved-path", wrong, "Choose another path.");
  }
  return { text, automaton, domain, example };
};

const domainOf = ({ use, paths }: WrittenRegex) =>
  use === "path" ? normalPaths(paths) : use === "header" ? headerValues() : queryValues();

/** What is wrong with a regular expression that no request can fit, and what to write. */
const NEVER: Readonly<Record<RegexUse, readonly [wrong: string, remedy: string]>> = {
  path: [
    "No path fits this regular expression as a whole.",
    'Begin with "/", and leave out what paths never have when they are compared: doubled slashes, dot segments, lower-case escapes.',
  ],
  header: [
    "No value fits this regular expression as a whole.",
    "Leave out what values never have: line breaks, and spaces at the ends.",
  ],
  query: ["No value fits this regular expression as a whole.", "Write what the value is to be."],
};
