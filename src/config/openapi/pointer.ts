/** Steps from the top of a document to a value in it. */
export type Steps = readonly string[];

/** The steps of a JSON Pointer (RFC 6901), without `#`; undefined for a text that is none. */
export const stepsOf = (pointer: string): Steps | undefined => {
  if (pointer === "") return [];
  if (!pointer.startsWith("/")) return undefined;
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
};

/** The JSON Pointer of some steps. */
export const pointerOf = (steps: Steps): string =>
  steps.map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

/** The `$ref` to some steps of the same document, as a fragment of a URI (RFC 6901 section 6). */
export const fragmentOf = (steps: Steps): string =>
  `#${steps.map((step) => `/${encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}`;

/** A text without percent-encoding; where that is broken, the text as it is. */
export const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The value one step below another; undefined where there is none. Nothing that objects inherit is found. */
export const stepInto = (value: unknown, step: string): unknown => {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  // The length of a list is no value of the document.
  if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(step)) return undefined;
  return (value as Record<string, unknown>)[step];
};
