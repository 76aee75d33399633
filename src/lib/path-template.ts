import { normalizePath } from "./path.ts";

export type TemplateSegment =
  | { readonly kind: "literal"; readonly text: string }
  /** Text and parameters in one segment, as in `{base}...{head}` or `{name}.json`: one text more than names. */
  | { readonly kind: "mixed"; readonly texts: readonly string[]; readonly names: readonly string[] }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "rest"; readonly name: string };

const WHOLE = /^\{([A-Za-z_][A-Za-z0-9_.-]*?)(\.\.\.)?\}$/;
const PART = /\{([A-Za-z_][A-Za-z0-9_.-]*)\}/g;

/** Names of the parameters of a segment. */
export const segmentNames = (segment: TemplateSegment): readonly string[] =>
  segment.kind === "literal" ? [] : segment.kind === "mixed" ? segment.names : [segment.name];

/**
 * Parses a path template such as `/orders/{orderId}`, `/compare/{base}...{head}` or `/files/{rest...}` to segments,
 * literals in the normal form of requests; answers a sentence on what is wrong with it otherwise.
 */
export const parsePathTemplate = (text: string): readonly TemplateSegment[] | string => {
  if (!text.startsWith("/")) return "A path begins with a slash.";
  const segments: TemplateSegment[] = [];
  const names = new Set<string>();
  const parts = text === "/" ? [] : text.slice(1).split("/");
  for (const [index, part] of parts.entries()) {
    const segment = parseSegment(part, index === parts.length - 1);
    if (typeof segment === "string") return segment;
    for (const name of segmentNames(segment)) {
      if (names.has(name)) return `The parameter "${name}" stands twice.`;
      names.add(name);
    }
    segments.push(segment);
  }
  return segments;
};

const parseSegment = (part: string, last: boolean): TemplateSegment | string => {
  const whole = WHOLE.exec(part);
  if (whole !== null) {
    if (whole[2] === undefined) return { kind: "param", name: whole[1]! };
    return last
      ? { kind: "rest", name: whole[1]! }
      : `"${part}" takes what remains and can only stand at the end.`;
  }
  if (part === "" && !last) return "An empty segment can only stand at the end.";
  const names = [...part.matchAll(PART)].map((found) => found[1]!);
  const texts = part.split(PART).filter((_, index) => index % 2 === 0);
  if (texts.some((text) => /[{}]/.test(text))) return `"${part}" is no segment of text and {parameters}.`;
  if (texts.slice(1, -1).includes("")) return `Two parameters of "${part}" have nothing between them.`;
  const literals = texts.map((text) => literalText(text, last || names.length > 0));
  if (literals.includes(undefined) || (names.length === 0 && (part === "." || part === "..")))
    return `"${part}" cannot be a segment of a path.`;
  if (names.length === 0) return { kind: "literal", text: literals[0]! };
  return { kind: "mixed", texts: literals as string[], names };
};

/** The normal form of a literal; only the last segment may be empty: a trailing slash is part of a path. */
const literalText = (text: string, mayBeEmpty: boolean): string | undefined => {
  if (text === "" && mayBeEmpty) return "";
  const normalized = normalizePath(`/x${text.replaceAll(" ", "%20")}`, {
    encodedSlash: "keep",
    matrixParameters: "keep",
  });
  return "path" in normalized ? normalized.path.slice(2) : undefined;
};
