import type { HostPattern } from "../lib/host-pattern.ts";
import type { TemplateSegment } from "../lib/path-template.ts";
import type { ExampleValues } from "./conditions.ts";

/** What a request of an example is made of. */
export interface ExampleRequest {
  readonly method: string;
  readonly host: HostPattern;
  readonly path: string;
  readonly headers: ExampleValues;
  readonly query: ExampleValues;
}

/** A request as people would make it with curl. */
export const exampleRequest = ({ method, host, path, headers, query }: ExampleRequest): string => {
  const parameters = [...query].map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const search = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  const fields = [...headers].map(([name, value]) => ` -H '${`${name}: ${value}`.replaceAll("'", "'\\''")}'`);
  return `${method} https://${hostText(host)}${path}${search}${fields.join("")}`;
};

const hostText = (host: HostPattern): string =>
  host.kind === "any" ? "any.example" : host.kind === "exact" ? host.text : `x${host.text}`;

/** A path that a template takes. */
export const examplePath = (segments: readonly TemplateSegment[]): string =>
  segments.map((segment) => `/${segmentText(segment)}`).join("") || "/";

const segmentText = (segment: TemplateSegment): string =>
  segment.kind === "literal" ? segment.text : segment.kind === "mixed" ? segment.texts.join("x") : "x";
