import type { Tree } from "../../lib/cel/tree.ts";
import { type Ast, type AstOf, typeOf } from "./ast.ts";
import { type At, compared, faultAt, plain } from "./at.ts";
import { lowerCall, lowerMethod } from "./calls.ts";
import { fold, foldLogical, intTree } from "./constants.ts";
import { lowerMember, lowerName, lowerWithin } from "./names.ts";

/**
 * Turns the library's syntax tree into ours: names are resolved, constants settled, and what we do not run is a fault.
 * Reads the types that the checker left on the nodes, so it comes after it.
 */
export const lower = (node: Ast, at: At): Tree => {
  switch (node.op) {
    case "value":
      return lowerLiteral(node, at);
    case "id":
      return lowerName(node, at);
    case ".":
    case "[]":
      return lowerMember(node, at);
    case "in":
      return lowerWithin(node, at);
    case "call":
      return lowerCall(node, at);
    case "rcall":
      return lowerMethod(node, at);
    case "list": {
      const items = node.args.map((item) => lower(item, at));
      return ["list", items];
    }
    case "map":
      return ["map", node.args.map(([key, value]) => [mapKey(key, at), lower(value, at)])];
    case "&&":
    case "||":
      return foldLogical(
        node.op,
        operandsOf(node.op, node).map((part) => lower(part, plain(at))),
      );
    case "?:": {
      const condition = lower(node.args[0], plain(at));
      const [yes, no] = [lower(node.args[1], at), lower(node.args[2], at)];
      return typeof condition === "boolean" ? (condition ? yes : no) : ["?:", condition, yes, no];
    }
    case "!_": {
      const operand = lower(node.args, plain(at));
      return fold(["!", operand], [operand], false);
    }
    case "-_":
      return lowerNegation(node, at);
    case ".?":
    case "[?]":
      return faultAt(at, node, "expression-unsupported", "Optional access is not offered.", "Write has().");
    default:
      return lowerBinary(node, at);
  }
};

const lowerLiteral = (node: AstOf<"value">, at: At): Tree => {
  const value = node.args;
  if (typeof value === "bigint") return lowerInt(value, node, at);
  if (value === null || typeof value !== "object") return value;
  return value instanceof Uint8Array
    ? faultAt(at, node, "expression-unsupported", "Bytes are not offered.", "Write a text.")
    : faultAt(at, node, "expression-unsupported", "Unsigned ints are not offered.", "Leave the u out.");
};

const lowerInt = (value: bigint, node: Ast, at: At): Tree =>
  BigInt.asIntN(64, value) === value
    ? intTree(value, at.numeric)
    : faultAt(at, node, "expression-syntax", `${value} does not fit 64 bits.`, "Write a smaller number.");

/** Before its digits are looked at: -9223372036854775808 fits, and 9223372036854775808 does not. */
const lowerNegation = (node: AstOf<"-_">, at: At): Tree => {
  const operand = node.args;
  if (operand.op === "value" && typeof operand.args === "bigint") return lowerInt(-operand.args, node, at);
  const tree = lower(operand, plain(at));
  return fold(["negate", tree], [tree], at.numeric);
};

const mapKey = (key: Ast, at: At): string => {
  const text = key.op === "value" ? key.args : undefined;
  if (typeof text !== "string") {
    const remedy = "Write the key as a text: {'a': 1}.";
    faultAt(at, key, "expression-unsupported", "Only texts are keys of a map.", remedy);
    return "";
  }
  if (text === "__proto__") {
    faultAt(at, key, "expression-unsupported", "This name is refused as a key.", "Choose another name.");
  }
  return text;
};

/** All operands of a chain of one operator: `a && b && c` is one operation. */
const operandsOf = (op: "&&" | "||", node: Ast): Ast[] =>
  node.op === op ? (node.args as readonly Ast[]).flatMap((part) => operandsOf(op, part)) : [node];

type Binary = Extract<Ast, { readonly args: readonly [Ast, Ast] }>;

const lowerBinary = (node: Binary, at: At): Tree => {
  const op = node.op as "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%";
  const compares = /^[=!<>]/.test(op);
  if (!compares) checkArithmetic(node, at);
  const below = compares ? compared(at) : plain(at);
  const [left, right] = [lower(node.args[0], below), lower(node.args[1], below)];
  return fold([op, left, right], [left, right], at.numeric);
};

/** What the checker lets pass, and would fail for every request or surprise. */
const checkArithmetic = (node: Binary, at: At): void => {
  const [left, right] = node.args.map(typeOf);
  if ((left === "int" && right === "dyn") || (left === "dyn" && right === "int")) {
    const message = `A number of the request is a double, and CEL has no "double ${node.op} int".`;
    const remedy =
      node.op === "%"
        ? "Convert it with int(), or declare the claim as int."
        : "Write the number as a double, such as 1.0, or declare the claim as int.";
    faultAt(at, node, "expression-type", message, remedy);
  }
  // The library takes the sum for a duration.
  if (left === "google.protobuf.Duration" && right === "google.protobuf.Timestamp") {
    const remedy = "Write the timestamp first: now + duration('1h').";
    faultAt(at, node, "expression-unsupported", "A timestamp cannot be added to a duration.", remedy);
  }
};
