import type { Exchange } from "./exchange.ts";

/** A compiled template: literal text and references, in turn. */
export type Template = readonly TemplatePart[];
export type TemplatePart =
  | string
  | {
      readonly from: TemplateSource;
      readonly name: string;
      /** The value is path text already, as `{rest...}` takes it: it stands in a path as it is. */
      readonly verbatim?: true;
    };
/** What a template may quote. */
export type TemplateSource = "params" | "identity" | "claims" | "client" | "request";

/** The value of one reference as text; empty when there is none. */
const valueIn = (part: Exclude<TemplatePart, string>, exchange: Exchange): string => {
  switch (part.from) {
    case "params":
      return text(exchange.params[part.name]);
    case "identity":
      return text(exchange.identity?.[part.name as "id" | "kind" | "issuer" | "subject"]);
    case "claims":
      return text(exchange.identity?.claims?.[part.name]);
    case "client":
      return exchange.clientIp;
    case "request":
      return text(exchange[part.name as "method" | "scheme" | "host" | "path" | "query"]);
  }
};

const text = (value: unknown): string =>
  typeof value === "string"
    ? value.toWellFormed()
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";

/** How a value is made harmless for the place it goes to. */
export type Escape = (value: string) => string;

/** For a header field (RFC 9110 section 5.5): whatever cannot stand in a field value is percent-encoded as UTF-8. */
export const forHeader: Escape = (value) => value.replace(/[^\x20-\x7e]/gu, encodeURIComponent);
/** For one path segment (RFC 3986 section 3.3): a slash in the value stays inside the segment; dots are for the path check. */
export const forPathSegment: Escape = (value) => encodeURIComponent(value);
/** For a tag or a key: comma and control characters cannot break out. */
export const forTag: Escape = (value) => encodeURIComponent(value);

/** Fills a template for one exchange. */
export const fillTemplate = (template: Template, exchange: Exchange, quote: Escape): string => {
  let filled = "";
  for (const part of template) {
    if (typeof part === "string") filled += part;
    else filled += part.verbatim ? valueIn(part, exchange) : quote(valueIn(part, exchange));
  }
  return filled;
};

/** The text of a template without references, else undefined: such a template is settled when it is linked. */
export const constantOf = (template: Template): string | undefined =>
  template.every((part) => typeof part === "string") ? template.join("") : undefined;
