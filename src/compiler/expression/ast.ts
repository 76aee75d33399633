import type { ASTNode } from "@marcbachmann/cel-js";

/** The library's syntax tree. */
export type Ast = ASTNode;
export type AstOf<Op extends Ast["op"]> = Extract<Ast, { readonly op: Op }>;

/** The type that the library's checker found for a node, `undefined` where it did not come so far. */
export const typeOf = (node: Ast): string | undefined =>
  (node as { readonly checkedType?: { readonly name: string } }).checkedType?.name;

/** The text of a node that is a text literal. */
export const literalText = (node: Ast): string | undefined =>
  node.op === "value" && typeof node.args === "string" ? node.args : undefined;
