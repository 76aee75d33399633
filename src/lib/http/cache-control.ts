/** What stands after a directive's `=`; null where nothing does. */
export type DirectiveArgument = {
  readonly text: string;
  readonly form: "token" | "quoted" | "broken";
} | null;

/** Directives by their names in lower case, each with the arguments of all its occurrences, in order. */
export type Directives = ReadonlyMap<string, readonly DirectiveArgument[]>;

/** The most seconds that a delta-seconds can say; a larger one means this (RFC 9111 section 1.2.2). */
const MOST_SECONDS = 2 ** 31;

/**
 * The directives of a Cache-Control field whose lines were joined by commas (RFC 9111 section 5.2). Takes what it meets:
 * quoted arguments, empty members, a semicolon for a comma, a quote that never closes. Where it has to guess, the argument
 * is marked as broken, so that no lifetime comes of it, and the directive stays known, so that a restriction is not lost.
 */
export const parseDirectives = (field: string): Directives => {
  const found = new Map<string, DirectiveArgument[]>();
  let at = 0;
  while (at < field.length) {
    const end = endOfName(field, at);
    const name = field.slice(at, end).trim().toLowerCase();
    let argument: DirectiveArgument = null;
    at = end + 1;
    if (field[end] === "=") {
      const stray = field[end - 1] === " " || field[end - 1] === "\t";
      const read = readArgument(field, end + 1);
      argument = stray ? { text: read.argument.text, form: "broken" } : read.argument;
      at = read.next;
    }
    if (name === "") continue;
    const occurrences = found.get(name);
    if (occurrences === undefined) found.set(name, [argument]);
    else occurrences.push(argument);
  }
  return found;
};

const endOfName = (field: string, from: number): number => {
  let at = from;
  while (at < field.length && field[at] !== "," && field[at] !== ";" && field[at] !== "=") at++;
  return at;
};

const readArgument = (
  field: string,
  from: number,
): { argument: NonNullable<DirectiveArgument>; next: number } => {
  const quoted = field[from] === '"' ? readQuoted(field, from + 1) : undefined;
  let at = quoted?.next ?? from;
  while (at < field.length && field[at] !== "," && field[at] !== ";") at++;
  const rest = field.slice(quoted?.next ?? from, at).trimEnd();
  const broken = field[at] === ";";
  const next = at + 1;
  if (quoted === undefined) return { argument: { text: rest, form: broken ? "broken" : "token" }, next };
  return { argument: { text: quoted.text, form: broken || rest !== "" ? "broken" : "quoted" }, next };
};

/** The text up to the closing quote, and where what follows begins; undefined when there is none. */
const readQuoted = (field: string, from: number): { text: string; next: number } | undefined => {
  let text = "";
  for (let at = from; at < field.length; at++) {
    if (field[at] === '"') return { text, next: at + 1 };
    if (field[at] === "\\" && at + 1 < field.length) at++;
    text += field[at];
  }
  return undefined;
};

/**
 * The seconds that a directive says; undefined where it is absent. What is no number, and two that contradict each other,
 * count as 0: the response is considered stale (RFC 9111 section 4.2.1).
 */
export const secondsOf = (directives: Directives, name: string): number | undefined => {
  const occurrences = directives.get(name);
  if (occurrences === undefined) return undefined;
  let seconds: number | undefined;
  for (const argument of occurrences) {
    if (argument === null || argument.form === "broken" || !/^\d+$/.test(argument.text)) return 0;
    const value = Math.min(Number(argument.text), MOST_SECONDS);
    if (seconds !== undefined && seconds !== value) return 0;
    seconds = value;
  }
  return seconds;
};

/**
 * The field names that `private` or `no-cache` is limited to, in lower case (RFC 9111 sections 5.2.2.4 and 5.2.2.7); `all`
 * where any occurrence is not limited, or not well formed; undefined where the directive is absent.
 */
export const fieldsOf = (directives: Directives, name: string): readonly string[] | "all" | undefined => {
  const occurrences = directives.get(name);
  if (occurrences === undefined) return undefined;
  const fields: string[] = [];
  for (const argument of occurrences) {
    if (argument?.form !== "quoted") return "all";
    const names = argument.text.split(",").map((text) => text.trim().toLowerCase());
    const known = names.filter((text) => text !== "");
    if (known.length === 0 || !known.every((text) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(text))) return "all";
    fields.push(...known);
  }
  return fields;
};
