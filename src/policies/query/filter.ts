import type { Exchange } from "../../core/exchange.ts";
import type { FilterFactory } from "../../core/policy.ts";
import { constantOf, type Escape, fillTemplate, type Template } from "../../core/template.ts";
import { keepParameters, linkNames } from "./names.ts";

export type Step = {
  /** Names of parameters that pass; of all the others none does. */
  readonly allow?: readonly string[];
  /** Names of parameters that are taken off. */
  readonly remove: readonly string[];
  /** What is added behind, in this order: names and the literal parts of values are escaped already. */
  readonly write: readonly { readonly name: string; readonly value: Template }[];
};

/** Edits the query that the upstream gets. */
export const filter: FilterFactory<Step> = (step) => {
  const { allow, remove } = step;
  const isAllowed = allow && linkNames(allow);
  const isRemoved = remove.length === 0 ? undefined : linkNames(remove);
  const cuts = isAllowed !== undefined || isRemoved !== undefined;
  const passes = (name: string): boolean => isAllowed?.(name) !== false && isRemoved?.(name) !== true;
  const added = linkAdded(step.write);
  return (next) => (exchange) => {
    if (cuts) {
      const query = exchange.upstreamQuery ?? exchange.query;
      const kept = keepParameters(query, passes);
      if (kept !== query) exchange.upstreamQuery = kept;
    }
    const mine = added(exchange);
    if (mine !== "") {
      const { addedQuery } = exchange;
      exchange.addedQuery = addedQuery === undefined ? mine : `${addedQuery}&${mine}`;
    }
    return next(exchange);
  };
};

/** A blank becomes %20: a plus sign means one in forms only (RFC 3986 section 3.4). */
const forQuery: Escape = (value) => encodeURIComponent(value);

const linkAdded = (write: Step["write"]): ((exchange: Exchange) => string) => {
  const parameters = write.map(({ name, value }) => {
    const constant = constantOf(value);
    return constant === undefined ? { name, value } : `${name}=${constant}`;
  });
  if (parameters.every((parameter) => typeof parameter === "string")) {
    const constant = parameters.join("&");
    return () => constant;
  }
  return (exchange) => {
    let text = "";
    for (const parameter of parameters) {
      const filled = typeof parameter === "string" ? parameter : fill(parameter, exchange);
      if (filled !== "") text += text === "" ? filled : `&${filled}`;
    }
    return text;
  };
};

/** A parameter whose value comes out empty says nothing, and is left out. */
const fill = ({ name, value }: Step["write"][number], exchange: Exchange): string => {
  const filled = fillTemplate(value, exchange, forQuery);
  return filled === "" ? "" : `${name}=${filled}`;
};
