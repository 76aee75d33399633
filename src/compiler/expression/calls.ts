import { didYouMean } from "../../config/faults.ts";
import type { Tree, UnaryOp } from "../../lib/cel/tree.ts";
import { type Ast, type AstOf, literalText } from "./ast.ts";
import { type At, faultAt, plain } from "./at.ts";
import { fold } from "./constants.ts";
import { parseCelDuration } from "./duration.ts";
import {
  DATE_FIELDS,
  FUNCTION_NAMES,
  FUNCTIONS,
  MACROS,
  METHOD_NAMES,
  METHODS,
  METHODS_OF_TWO,
  REFUSED,
} from "./functions.ts";
import { lower } from "./lower.ts";
import { lowerHas } from "./names.ts";

/** Comprehensions inside one another multiply their work; two suffice for lists of lists. */
const MAX_NESTED = 2;

/** `f(x)`. */
export const lowerCall = (node: AstOf<"call">, at: At): Tree => {
  const [name, args] = node.args;
  const [only] = args;
  if (only !== undefined && args.length === 1) {
    if (name === "has") return lowerHas(only, at);
    if (name === "dyn") return lower(only, at);
    if (name === "duration") return lowerDuration(only, at);
    if (Object.hasOwn(FUNCTIONS, name)) return lowerUnary(FUNCTIONS[name]!, only, at);
  }
  return refuse(node, at);
};

/** `x.f(…)`. */
export const lowerMethod = (node: AstOf<"rcall">, at: At): Tree => {
  const [name, receiver, args] = node.args;
  const [only] = args;
  if (Object.hasOwn(MACROS, name)) return lowerMacro(node, at);
  if (only === undefined) {
    if (Object.hasOwn(METHODS, name)) return lowerUnary(METHODS[name]!, receiver, at);
    if (Object.hasOwn(DATE_FIELDS, name)) return lowerDateField(name, receiver, at);
    if (name === "join") return operate("join", lower(receiver, plain(at)), "", at);
  } else if (args.length === 1) {
    const op = METHODS_OF_TWO.find((method) => method === name);
    if (op !== undefined) return operate(op, lower(receiver, plain(at)), lower(only, plain(at)), at);
  }
  return refuse(node, at);
};

const operate = (op: (typeof METHODS_OF_TWO)[number] | "-", left: Tree, right: Tree, at: At): Tree =>
  fold([op, left, right], [left, right], at.numeric);

const lowerUnary = (op: UnaryOp, operand: Ast, at: At): Tree => {
  const tree = lower(operand, plain(at));
  // A size that is only compared need not be a 64-bit int.
  const settled = fold([op === "size" && at.numeric ? "length" : op, tree], [tree], at.numeric);
  if (op === "toTimestamp" && typeof tree === "string" && typeof settled === "object" && settled !== null) {
    if ((settled as readonly unknown[])[0] !== "instant") {
      const remedy = "Write it as RFC 3339 does: timestamp('2027-01-31T12:00:00Z').";
      return faultAt(at, operand, "expression-type", `"${tree}" is not a timestamp.`, remedy);
    }
  }
  return settled;
};

const lowerDuration = (operand: Ast, at: At): Tree => {
  const text = literalText(operand);
  if (text === undefined) {
    const remedy = "Write it as a text: duration('15m').";
    return faultAt(at, operand, "expression-unsupported", "A duration must be known when compiled.", remedy);
  }
  const ms = parseCelDuration(text);
  if (ms !== undefined) return ["span", ms];
  const remedy = "Write numbers with their units, h the largest: duration('1h30m').";
  return faultAt(at, operand, "expression-type", `"${text}" is not a duration.`, remedy);
};

const lowerDateField = (name: string, receiver: Ast, at: At): Tree => {
  const tree = lower(receiver, plain(at));
  const counted = fold(["utc", DATE_FIELDS[name]!, tree], [tree], false);
  return name === "getDayOfMonth" ? operate("-", counted, ["int", "1"], at) : counted;
};

/** `list.exists(x, condition)` and its like. */
const lowerMacro = (node: AstOf<"rcall">, at: At): Tree => {
  const [name, receiver, args] = node.args;
  const [variable, ...bodies] = args;
  const body = bodies.at(-1);
  if (variable?.op !== "id" || body === undefined || bodies.length > (name === "map" ? 2 : 1)) {
    return refuse(node, at);
  }
  const slot = at.locals.size;
  if (slot >= MAX_NESTED) {
    const remedy = "Write the conditions side by side, joined with &&.";
    const message = `Macros nest at most ${MAX_NESTED} deep.`;
    return faultAt(at, node, "expression-unsupported", message, remedy);
  }
  if (Object.hasOwn(at.context, variable.args) || at.locals.has(variable.args)) {
    const message = `"${variable.args}" has a meaning here already.`;
    return faultAt(at, variable, "expression-unsupported", message, "Give the variable another name.");
  }
  const range = lower(receiver, plain(at));
  const inside = { ...plain(at), locals: new Map(at.locals).set(variable.args, slot) };
  const items: Tree = bodies.length === 2 ? ["filter", slot, range, lower(bodies[0]!, inside)] : range;
  return [MACROS[name]!, slot, items, lower(body, inside)];
};

/** Where the name of a call stands: after its receiver where it has one. */
const nameRange = (name: string, node: AstOf<"call"> | AstOf<"rcall">) => {
  const start = node.op === "rcall" ? node.input.indexOf(name, node.args[1].end) : node.start;
  return { start, end: start + name.length };
};

/** A call that we do not run. Its operands are looked at all the same, for their own faults. */
const refuse = (call: AstOf<"call"> | AstOf<"rcall">, at: At): Tree => {
  const name = call.args[0];
  const node = nameRange(name, call);
  for (const operand of call.op === "call" ? call.args[1] : [call.args[1], ...call.args[2]])
    lower(operand, plain(at));
  const known = call.op === "call" ? FUNCTION_NAMES : METHOD_NAMES;
  if (known.includes(name)) {
    const remedy = "Look at how the CEL specification calls it; optional arguments are not offered.";
    return faultAt(at, node, "expression-unsupported", `${name}() is not called like this.`, remedy);
  }
  if (Object.hasOwn(REFUSED, name)) {
    return faultAt(at, node, "expression-unsupported", `${name}() is not offered.`, REFUSED[name]!);
  }
  const remedy = didYouMean(name, known) ?? `Call one of ${[...known].sort().join(", ")}.`;
  return faultAt(at, node, "expression-unsupported", `There is no function ${name}().`, remedy);
};
