import type { Expression, ExpressionOptions } from "../core/expression.ts";
import type { Json } from "../core/json.ts";
import { type Ast, typeOf } from "./expression/ast.ts";
import { evaluate, readsContext, treeOf } from "./expression/constants.ts";
import { contextOf, type ExpressionNames, environmentOf, type Spot } from "./expression/context.ts";
import { type ExpressionFault, libraryFault, tooLarge } from "./expression/faults.ts";
import { lower } from "./expression/lower.ts";

export type { ExpressionFault, ExpressionNames };

/** Longer texts are refused before they are parsed. */
const MAX_LENGTH = 4096;

/**
 * Checks a CEL expression and compiles it to plain JSON, which `lib/cel` links. Every fault has its place in the text;
 * with any of them there is no expression.
 */
export const compileExpression = (
  text: string,
  names: ExpressionNames,
  options: ExpressionOptions = {},
): { readonly expression?: Expression; readonly faults: readonly ExpressionFault[] } => {
  const { context, environment } = prepared(names);
  try {
    if (text.length > MAX_LENGTH) return { faults: [tooLarge(text)] };
    const parsed = environment.parse(text);
    const checked = parsed.check();
    const faults: ExpressionFault[] = [];
    const tree = lower(parsed.ast, { context, locals: new Map(), faults, numeric: false });
    // Names and functions first: the checker stops at the first of them, and says less.
    if (faults.length > 0) return { faults: faults.sort((a, b) => a.offset - b.offset) };
    if (!checked.valid) return { faults: [libraryFault(checked.error, text)] };
    const wrong = resultFault(parsed.ast, text, options);
    if (wrong !== undefined) return { faults: [wrong] };
    return settled(tree as Json, text);
  } catch (error) {
    return { faults: [libraryFault(error, text)] };
  }
};

/** What does not read the request is decided now. */
const settled = (tree: Json, text: string): ReturnType<typeof compileExpression> => {
  if (readsContext(tree)) return { expression: tree, faults: [] };
  const value = evaluate(tree as Parameters<typeof evaluate>[0]);
  if (value !== undefined) return { expression: treeOf(value, false) ?? tree, faults: [] };
  const message = "The expression fails whatever the request is.";
  const remedy = "Write true or false where that is meant.";
  return { faults: [{ code: "expression-type", message, remedy, offset: 0, length: text.length }] };
};

const resultFault = (ast: Ast, text: string, options: ExpressionOptions): ExpressionFault | undefined => {
  const wanted = options.result ?? "bool";
  const found = typeOf(ast) ?? "dyn";
  if (wanted === "dyn" || found === wanted || found.startsWith("dyn")) return undefined;
  const remedy =
    wanted === "bool"
      ? "Write a condition, such as claims.tenant == params.tenant."
      : "Convert it with string().";
  const message = `The expression answers ${found}, where ${wanted} is expected.`;
  return { code: "expression-type", message, remedy, offset: 0, length: Math.max(1, text.length) };
};

interface Prepared {
  readonly context: Readonly<Record<string, Spot>>;
  readonly environment: ReturnType<typeof environmentOf>;
}

/** The last context: routes of one api ask with the same names, many times. */
let last: { readonly key: string; readonly prepared: Prepared } | undefined;

const prepared = (names: ExpressionNames): Prepared => {
  const key = JSON.stringify([
    names.params,
    names.claims,
    names.hasConsumers,
    names.attributes,
    names.clientIp,
  ]);
  if (last?.key !== key) {
    const context = contextOf(names);
    last = { key, prepared: { context, environment: environmentOf(context) } };
  }
  return last.prepared;
};
