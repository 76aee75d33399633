import type { PathOptions } from "../lib/path.ts";
import type { TemplateSegment } from "../lib/path-template.ts";
import { type CharSet, complement, unionOf } from "../lib/regex/char-sets.ts";
import { automatonOf } from "../lib/regex/determinize.ts";
import { choice, literal, oneOf, type Pattern, repeat, sequence } from "../lib/regex/pattern.ts";
import type { RegexPlan } from "../lib/regex/run.ts";

/** The texts that matches are compared with, as automata: what there is of paths and values, and what a template takes. */

const made = new Map<string, RegexPlan>();

/** Made when it is first asked for: most policies have no regular expression. */
const once = (name: string, make: () => Pattern): RegexPlan => {
  const known = made.get(name) ?? automatonOf(make());
  made.set(name, known);
  return known;
};

const setOf = (characters: string): CharSet =>
  unionOf([...characters].map((one) => [one.charCodeAt(0), one.charCodeAt(0)]));

/** As in lib/path.ts, but for the slash. */
const UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
const PLAIN = `${UNRESERVED}!$&'()*+,=:@`;
const SEPARATORS = "/\\\0;%?#";
const OCTETS = 256;

const slash = literal("/");
const optional = (part: Pattern): Pattern => repeat(part, 0, 1);

/** Paths in their normal form (lib/path.ts): what a regular expression for paths is ever asked about. */
export const normalPaths = (options: PathOptions): RegexPlan =>
  once(`paths ${options.encodedSlash} ${options.matrixParameters}`, () => {
    const refused = new Set([...UNRESERVED, ...(options.encodedSlash === "reject" ? SEPARATORS : "")]);
    const escapes = Array.from({ length: OCTETS }, (_, octet) => octet)
      .filter((octet) => !refused.has(String.fromCharCode(octet)))
      .map((octet) => literal(`%${octet.toString(16).toUpperCase().padStart(2, "0")}`));
    const dot = literal(".");
    const other = choice(oneOf(setOf(PLAIN.replace(".", ""))), ...escapes);
    const any = choice(dot, other);
    // Anything but nothing, one dot and two dots.
    const text = choice(
      sequence(other, repeat(any, 0)),
      sequence(dot, other, repeat(any, 0)),
      sequence(dot, dot, repeat(any, 1)),
    );
    const matrix = sequence(literal(";"), repeat(choice(any, literal(";")), 0));
    const segment =
      options.matrixParameters === "keep" ? choice(sequence(text, optional(matrix)), matrix) : text;
    return sequence(slash, optional(sequence(segment, repeat(sequence(slash, segment), 0), optional(slash))));
  });

/** Paths that the gateway's own control routes take. */
export const pathsBelow = (prefix: string): RegexPlan =>
  once(`below ${prefix}`, () => prefixPattern(literal(prefix)));

/** Values that a header field can have: no NUL, CR and LF, and no space at the ends (Fetch standard, section 2.2.2). */
export const headerValues = (): RegexPlan =>
  once("header", () => {
    const inside = oneOf(complement(setOf("\0\n\r")));
    const end = oneOf(complement(setOf("\0\n\r\t ")));
    return optional(sequence(end, optional(sequence(repeat(inside, 0), end))));
  });

/** Values that a query parameter can have: any text of whole characters. */
export const queryValues = (): RegexPlan =>
  once("query", () => {
    const [high, low]: [CharSet, CharSet] = [
      [0xd800, 0xdbff],
      [0xdc00, 0xdfff],
    ];
    return repeat(choice(oneOf(complement([0xd800, 0xdfff])), sequence(oneOf(high), oneOf(low))), 0);
  });

/** One text alone. */
export const onlyText = (text: string): RegexPlan => automatonOf(literal(text));

const SEGMENT = oneOf(complement(setOf("/")));

/** The paths that a template or a prefix takes, as the router has it. */
export const templatePaths = (segments: readonly TemplateSegment[], prefix: boolean): RegexPlan => {
  const pattern = sequence(...segments.map((segment) => sequence(slash, segmentPattern(segment))));
  if (prefix) return automatonOf(prefixPattern(pattern));
  return automatonOf(segments.length === 0 ? slash : pattern);
};

const prefixPattern = (pattern: Pattern): Pattern =>
  sequence(pattern, optional(sequence(slash, repeat(oneOf(complement([])), 0))));

const segmentPattern = (segment: TemplateSegment): Pattern => {
  switch (segment.kind) {
    case "literal":
      return literal(segment.text);
    case "param":
      return repeat(SEGMENT, 1);
    case "rest":
      return repeat(oneOf(complement([])), 0);
    case "mixed":
      return sequence(
        ...segment.texts.flatMap((text, index) =>
          index === 0 ? [literal(text)] : [repeat(SEGMENT, 1), literal(text)],
        ),
      );
  }
};
