import type { Exchange } from "../../core/exchange.ts";
import type { HeaderEdit } from "../../core/header-edits.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { constantOf, fillTemplate, forHeader, type Template } from "../../core/template.ts";

export type Step = {
  readonly to: "request" | "response";
  /** Fields that pass, lower case; of all the others none does. */
  readonly allow?: readonly string[];
  /** In the order in which they apply. */
  readonly edits: readonly EditStep[];
};

type EditStep =
  | { readonly op: "remove"; readonly name: string }
  | { readonly op: "set" | "add" | "merge"; readonly name: string; readonly value: Template };

/** Edits the fields of the request to the upstream, or of the answer to the client. */
export const filter: FilterFactory<Step> = ({ to, allow, edits }) => {
  const list =
    to === "request"
      ? (exchange: Exchange) => exchange.requestEdits
      : (exchange: Exchange) => exchange.answerEdits;
  const allowEdit: HeaderEdit | undefined = allow && { op: "allow", names: allow };
  const linked = [...cookieRemoval(to, allow), ...edits].map(link);
  const constant = linked.filter((edit) => typeof edit === "object");
  const settled = constant.length === linked.length;
  return (next) => (exchange) => {
    const target = list(exchange);
    // What other policies set was pushed before and has to survive: only what came from the other side is cut down.
    if (allowEdit !== undefined) target.unshift(allowEdit);
    if (settled) target.push(...constant);
    else {
      for (const edit of linked) {
        const made = typeof edit === "object" ? edit : edit(exchange);
        if (made !== undefined) target.push(made);
      }
    }
    return next(exchange);
  };
};

/** A policy that took its credential out of the client's cookies has set what remains of them: that is the client's still. */
const cookieRemoval = (to: Step["to"], allow: Step["allow"]): readonly EditStep[] =>
  to === "response" || allow === undefined || allow.includes("cookie")
    ? []
    : [{ op: "remove", name: "cookie" }];

type LinkedEdit = HeaderEdit | ((exchange: Exchange) => HeaderEdit | undefined);

const link = (edit: EditStep): LinkedEdit => {
  if (edit.op === "remove") return edit;
  const { op, name, value } = edit;
  const constant = constantOf(value);
  if (constant !== undefined) return { op, name, value: constant };
  return (exchange) => {
    const filled = fillTemplate(value, exchange, forHeader);
    if (filled !== "") return { op, name, value: filled };
    // A field without a value says nothing; whatever the client sent under its name must not stand in for it.
    return op === "set" ? { op: "remove", name } : undefined;
  };
};
