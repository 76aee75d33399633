import { type Document, isMap, isScalar, isSeq, type LineCounter, visit, type YAMLError } from "yaml";
import type { Diagnostic, Place } from "../core/diagnostic.ts";
import { fault } from "./tree.ts";

/** A file as it was read. */
export interface Source {
  /** As the user named it: relative to where the command runs. */
  readonly file: string;
  readonly text: string;
}

/** The place of some characters of a file. */
export const placeOfRange = (file: string, lines: LineCounter, from: number, to: number): Place => {
  const start = lines.linePos(from);
  const end = lines.linePos(Math.max(from, to));
  return { file, line: start.line, column: start.col, endLine: end.line, endColumn: end.col };
};

interface Slip {
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly remedy: string;
}

/**
 * The first slip of a file that is not YAML, undefined where it is. What the parser says after the first only follows
 * from it.
 */
export const syntaxFault = (
  document: Document.Parsed,
  source: Source,
  lines: LineCounter,
): Diagnostic | undefined => {
  const [error, ...more] = [...document.errors, ...document.warnings];
  const { yaml } = document.directives ?? {};
  const slip =
    error !== undefined
      ? slipOf(error, more, document, source.text)
      : yaml?.explicit === true && yaml.version !== "1.2"
        ? OTHER_VERSION
        : undefined;
  if (slip === undefined) return undefined;
  return fault(
    placeOfRange(source.file, lines, slip.from, slip.to),
    "yaml-syntax",
    slip.message,
    slip.remedy,
  );
};

const OTHER_VERSION: Slip = {
  from: 0,
  to: 5,
  message:
    "This file asks for another version of YAML than 1.2, in which texts such as yes have another meaning.",
  remedy: "Remove the line that begins with %YAML.",
};

const slipOf = (
  error: YAMLError,
  more: readonly YAMLError[],
  document: Document.Parsed,
  text: string,
): Slip => {
  const [from, to] = error.pos;
  const at = { from, to };
  switch (error.code) {
    case "TAB_AS_INDENT":
      return { ...at, message: "A line is indented with a tab.", remedy: "Indent with spaces." };
    case "MULTIPLE_DOCS":
      return {
        ...at,
        message: "A second YAML document begins here, and a file holds one.",
        remedy: "Put what follows `---` into a file of its own.",
      };
    case "MISSING_CHAR":
      return /quote/.test(error.message) ? unclosedQuote(from, document, text) : withoutColon(from, text);
    case "BAD_INDENT":
      return /end with a/.test(error.message)
        ? unclosed(from, /sequence/.test(error.message), document, text)
        : misplaced(lineStart(from, text), text);
    case "BLOCK_AS_IMPLICIT_KEY": {
      const below = more.find(({ code }) => code === "MULTILINE_IMPLICIT_KEY");
      return below === undefined
        ? secondColon(from, text)
        : misplaced(lineStart(below.pos[1] - 1, text), text);
    }
    case "MULTILINE_IMPLICIT_KEY":
      return withoutColon(from, text);
    default:
      return slipOfToken(error, text);
  }
};

const slipOfToken = (error: YAMLError, text: string): Slip => {
  const [from, to] = error.pos;
  const at = { from, to };
  const quoted = JSON.stringify(text.slice(from, Math.min(to, from + 30)));
  switch (error.code) {
    case "BAD_SCALAR_START":
    case "BAD_ALIAS":
      return { ...at, message: `A text cannot begin with ${quoted} here.`, remedy: "Write it in quotes." };
    case "BAD_DQ_ESCAPE":
      return {
        ...at,
        message: "A backslash in double quotes begins an escape, and this is none.",
        remedy: "Double the backslash, or put the text into single quotes.",
      };
    case "TAG_RESOLVE_FAILED":
      return {
        ...at,
        message: `Files have plain values, and no tags such as ${quoted}.`,
        remedy: "Remove it.",
      };
    case "RESOURCE_EXHAUSTION":
      return { ...at, message: "The file is nested too deep to be read.", remedy: "Nest it less." };
    case "BLOCK_IN_FLOW":
      return {
        from,
        to: endOfLine(from, to, text),
        message: "Inside of brackets and braces, a comma is missing here.",
        remedy: "Write a comma between the members, and texts that hold a colon in quotes.",
      };
    default:
      return {
        ...at,
        message: `${quoted} is not expected here.`,
        remedy:
          "Put the whole value in quotes, or look for a bracket, comma or quote that is missing, or is too many.",
      };
  }
};

const lineStart = (offset: number, text: string): number => {
  let at = text.lastIndexOf("\n", offset - 1) + 1;
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
};

const endOfLine = (from: number, to: number, text: string): number => {
  const end = text.indexOf("\n", from);
  return end < 0 ? to : Math.min(to, end);
};

const wholeLine = (from: number, text: string): number => endOfLine(from, text.length, text);

const misplaced = (from: number, text: string): Slip => ({
  from,
  to: wholeLine(from, text),
  message: "This line is not indented like the others of its map or list.",
  remedy: "Give all keys of one map the same indentation.",
});

const withoutColon = (from: number, text: string): Slip => ({
  from,
  to: wholeLine(from, text),
  message: "Here stands a text where a key and a value are expected.",
  remedy: "Write a key, a colon, a space and the value.",
});

const secondColon = (from: number, text: string): Slip => ({
  from,
  to: wholeLine(from, text),
  message: "A second key follows on the same line.",
  remedy: "Write it on a line of its own, or put the value in quotes if the colon belongs to it.",
});

/** The quote that opens the text; the parser points to where the file ended while it looked for the other. */
const unclosedQuote = (end: number, document: Document.Parsed, text: string): Slip => {
  const from =
    innermost(document, end, (node) => isScalar(node) && node.type?.startsWith("QUOTE") === true) ?? end;
  const quote = text[from] === "'" ? "'" : '"';
  return {
    from,
    to: wholeLine(from, text),
    message: "The quote that opens this text is never closed.",
    remedy: `Close it with ${quote}.`,
  };
};

/** The bracket that opens the collection. */
const unclosed = (end: number, isList: boolean, document: Document.Parsed, text: string): Slip => {
  const before = text.slice(text.lastIndexOf("\n", end - 1) + 1, end);
  if (before.includes("\t") && before.trim() === "")
    return {
      from: end - before.length,
      to: end,
      message: "A line is indented with a tab.",
      remedy: "Indent with spaces.",
    };
  const from =
    innermost(
      document,
      end,
      (node) => (isSeq(node) || isMap(node)) && node.flow === true && isSeq(node) === isList,
    ) ?? end;
  const [what, close] = isList ? ["list", "]"] : ["map", "}"];
  return {
    from,
    to: wholeLine(from, text),
    message: `The ${what} that begins here is not closed, or goes on with too little indentation.`,
    remedy: `Close it with ${close}, and indent all of its lines further than its key.`,
  };
};

/** Where the last node of a kind begins that ends at an offset or goes beyond. */
const innermost = (
  document: Document.Parsed,
  end: number,
  isOne: (node: unknown) => boolean,
): number | undefined => {
  let found: number | undefined;
  visit(document, (_, node) => {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    if (range && range[0]! <= end && range[2]! >= end && isOne(node)) found = range[0];
  });
  return found;
};
