/** A fault inside an expression's text. */
export interface ExpressionFault {
  readonly code:
    | "expression-syntax"
    | "expression-unknown-name"
    | "expression-type"
    | "expression-unsupported";
  readonly message: string;
  readonly remedy: string;
  /** Where the culprit begins in the text, and how many characters it takes. */
  readonly offset: number;
  readonly length: number;
}

/** What the library throws or answers for a faulty expression. */
interface LibraryError {
  readonly name: string;
  readonly code: string;
  readonly summary: string;
  readonly range?: { readonly start: number; readonly end: number };
}

const SYMBOLS: Readonly<Record<string, string>> = {
  EOF: "the end",
  NUMBER: "a number",
  STRING: "a text",
  BYTES: "bytes",
  BOOLEAN: "a boolean",
  NULL: "null",
  IDENTIFIER: "a name",
  PLUS: "+",
  MINUS: "-",
  MULTIPLY: "*",
  DIVIDE: "/",
  MODULO: "%",
  EQ: "==",
  NE: "!=",
  LT: "<",
  LE: "<=",
  GT: ">",
  GE: ">=",
  AND: "&&",
  OR: "||",
  NOT: "!",
  IN: "in",
  LPAREN: "(",
  RPAREN: ")",
  LBRACKET: "[",
  RBRACKET: "]",
  LBRACE: "{",
  RBRACE: "}",
  DOT: ".",
  COMMA: ",",
  COLON: ":",
  QUESTION: "?",
};
const symbol = (token: string | undefined): string => SYMBOLS[token ?? ""] ?? "something else";

/** What people write who have another language in their fingers. */
const OTHER_TONGUES: Readonly<Record<string, string>> = {
  "=": "Compare with ==.",
  "&": "Write && for and.",
  "|": "Write || for or.",
  and: "Write && for and.",
  or: "Write || for or.",
  not: "Write ! for not.",
  is: "Compare with ==.",
  "^": "CEL has no bitwise operators; remove it.",
  "`": "Write the text in single quotes: 'admin'.",
};

const CONVERT = "Compare and combine values of one type; convert with string(), int() or double().";

const REMEDIES: Readonly<Record<string, string>> = {
  unterminated_string: "Close it with the quote that opens it.",
  unterminated_triple_quoted_string: "Close it with the three quotes that open it.",
  newline_in_string: "Write \\n, or three quotes around a text of several lines.",
  reserved_identifier: "Choose another name: CEL keeps this one for itself.",
  invalid_macro_argument: "Write a variable and a condition: claims.roles.exists(role, role == 'admin').",
  heterogeneous_list_element: "Write elements of one type, or dyn() around those that differ.",
  heterogeneous_map_key: "Write keys of one type.",
  heterogeneous_map_value: "Write values of one type, or dyn() around those that differ.",
  incompatible_ternary_branches: "Let both sides answer the same type, or write dyn() around one.",
  invalid_condition_type: "Write a condition, such as claims.tenant == params.tenant.",
  invalid_logical_operand: "Write conditions on both sides, such as claims.tenant == params.tenant.",
  invalid_comprehension_range: "Call it on a list or a map.",
  invalid_index_type: "Index lists with an int, maps with a string.",
  cannot_index_type: "Only maps, lists and the names of the context have fields.",
  no_such_overload: CONVERT,
  no_matching_overload: CONVERT,
};

/** Turns what the library says of an expression into a fault with a remedy. Anything else that was thrown is a bug. */
export const libraryFault = (thrown: unknown, text: string): ExpressionFault => {
  const error = thrown as LibraryError;
  if (thrown instanceof RangeError) return tooLarge(text);
  if (typeof error?.summary !== "string") throw thrown;
  const start = Math.min(error.range?.start ?? 0, text.length);
  const range = { offset: start, length: Math.max(1, (error.range?.end ?? start) - start) };
  if (error.code === "limit_exceeded") return { ...tooLarge(text), ...range };
  const said = error.summary.slice(0, 1).toUpperCase() + error.summary.slice(1) + ".";
  if (error.name !== "ParseError") {
    const remedy = REMEDIES[error.code] ?? CONVERT;
    return { code: "expression-type", message: said, remedy: numeric(error.summary) ?? remedy, ...range };
  }
  return { code: "expression-syntax", ...syntax(error, said, text.slice(start, error.range?.end)), ...range };
};

/** An int beside a double is the commonest slip. */
const numeric = (summary: string): string | undefined =>
  /int [-+*/%] double|double [-+*/%] int/.test(summary)
    ? "Write the number as a double, such as 3.0, or convert with int() or double()."
    : undefined;

const syntax = (
  error: LibraryError,
  said: string,
  culprit: string,
): { readonly message: string; readonly remedy: string } => {
  const tongue = Object.hasOwn(OTHER_TONGUES, culprit) ? OTHER_TONGUES[culprit] : undefined;
  switch (error.code) {
    case "expected_token": {
      const [, expected, got] = /^Expected (\w+), got (\w+)$/.exec(error.summary) ?? [];
      const message = `Here stands ${symbol(got)}, where ${symbol(expected)} is expected.`;
      return { message, remedy: `Write ${symbol(expected)} here.` };
    }
    case "unexpected_token": {
      const [, got] = /^Unexpected token: (\w+)$/.exec(error.summary) ?? [];
      const message = `Here stands ${symbol(got)}, where a value is expected.`;
      return { message, remedy: tongue ?? "Write a name, a literal or a call here." };
    }
    case "unexpected_character":
      return {
        message: `"${culprit}" cannot stand here.`,
        remedy: tongue ?? "Join conditions with && and ||, and write texts in quotes.",
      };
    default:
      return { message: said, remedy: REMEDIES[error.code] ?? "Write it as the CEL specification says." };
  }
};

export const tooLarge = (text: string): ExpressionFault => ({
  code: "expression-unsupported",
  message: "The expression is too large or nested too deep.",
  remedy: "Make it smaller: `authorize` policies of the gateway, api and route add up.",
  offset: 0,
  length: Math.max(1, text.length),
});
