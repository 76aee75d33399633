import type { AggregateCallPlan } from "../../core/plan.ts";
import { type Escape, fillTemplate, forPathSegment, type Template } from "../../core/template.ts";
import { isNormalPath, type PathOptions } from "../../lib/path.ts";
import type { RequestExchange } from "../exchange.ts";

/** A blank becomes %20: a plus sign means one in forms only (RFC 3986 section 3.4). */
const forQuery: Escape = (value) => encodeURIComponent(value);

/**
 * Links what a call asks for: path and query. Answers undefined for a request whose values would make a path that parsers
 * read differently.
 */
export const linkTargetOf = (
  call: AggregateCallPlan,
  paths: PathOptions,
): ((exchange: RequestExchange) => string | undefined) => {
  const { path: template, query = [], forwardQuery = [] } = call;
  const written = query.map(({ name, value }) => ({ name: forQuery(name), value: escapedText(value) }));
  const forwarded = new Set(forwardQuery);
  return (exchange) => {
    const path = fillTemplate(template, exchange, forPathSegment);
    if (!isNormalPath(path, paths)) return undefined;
    const parameters = written.map(({ name, value }) => `${name}=${fillTemplate(value, exchange, forQuery)}`);
    if (forwarded.size > 0)
      parameters.push(...parametersOf(exchange).filter((it) => forwarded.has(nameOf(it))));
    if (exchange.addedQuery !== undefined) parameters.push(exchange.addedQuery);
    return parameters.length === 0 ? path : `${path}?${parameters.join("&")}`;
  };
};

/** What stands in a template beside its references, escaped once for all. */
const escapedText = (template: Template): Template =>
  template.map((part) => (typeof part === "string" ? forQuery(part) : part));

/** The client's parameters as they are written, as far as policies let them pass. */
const parametersOf = ({ query, upstreamQuery = query }: RequestExchange): string[] =>
  upstreamQuery.slice(1).split("&");

const nameOf = (parameter: string): string => {
  const equals = parameter.indexOf("=");
  const name = equals < 0 ? parameter : parameter.slice(0, equals);
  if (!/[%+]/.test(name)) return name;
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
};
