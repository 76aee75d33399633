import type { HostPattern } from "../../lib/host-pattern.ts";
import type { TemplateSegment } from "../../lib/path-template.ts";
import type { Condition, MatchIr } from "../ir.ts";

/** A host pattern as people write it. */
export const hostText = (host: HostPattern): string =>
  host.kind === "suffix" ? (host.param === undefined ? "*" : `{${host.param}}`) + host.text : host.text;

/** A segment of a path template as people write it. */
export const segmentText = (segment: TemplateSegment): string => {
  switch (segment.kind) {
    case "literal":
      return segment.text;
    case "param":
      return `{${segment.name}}`;
    case "rest":
      return `{${segment.name}...}`;
    case "mixed":
      return segment.texts
        .map((text, index) => text + (index < segment.names.length ? `{${segment.names[index]}}` : ""))
        .join("");
  }
};

/** A condition in words: `header x-beta`, `query debug = "1"`. */
export const conditionText = (kind: "header" | "query", { name, value, regex }: Condition): string =>
  `${kind} ${name}${value === undefined ? (regex === undefined ? "" : ` like ${regex.text}`) : ` = ${JSON.stringify(value)}`}`;

/** The requests that a match takes, but for its hosts: `GET, PUT /orders/{id} with query debug = "1"`. */
export const matchText = ({ segments, prefix, regex, methods, headers, query }: MatchIr): string => {
  const template = `/${segments.map(segmentText).join("/")}`;
  const path = regex === undefined ? template + (prefix ? " and below" : "") : `paths like ${regex.text}`;
  const conditions = [
    ...headers.map((condition) => conditionText("header", condition)),
    ...query.map((condition) => conditionText("query", condition)),
  ];
  const wanted = conditions.length === 0 ? "" : ` with ${conditions.join(" and ")}`;
  return `${methods.join(", ") || "any method"} ${path}${wanted}`;
};
