import { percentDecoded, type Steps, stepsOf } from "./pointer.ts";

/** What a `$ref` says: a place in a file of the folder, or why it can be none. */
export type Reference =
  | { readonly kind: "pointer"; readonly file: string; readonly steps: Steps }
  | { readonly kind: "anchor"; readonly file: string; readonly anchor: string }
  /** It names another server or scheme. */
  | { readonly kind: "remote" }
  /** It leads out of the folder of OpenAPI documents. */
  | { readonly kind: "outside" };

/**
 * Reads a `$ref` that stands in a file of the folder. File names are relative to that file (RFC 3986 section 5.2) and are
 * looked up among the names of the folder's files only, so that nothing else can be read.
 */
export const parseReference = (text: string, from: string): Reference => {
  const hash = text.indexOf("#");
  const before = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? "" : percentDecoded(text.slice(hash + 1));
  if (/^[a-z][a-z0-9+.-]*:/i.test(before) || before.startsWith("//")) return { kind: "remote" };
  const file = before === "" ? from : fileBeside(from, percentDecoded(before));
  if (file === undefined) return { kind: "outside" };
  const steps = stepsOf(fragment);
  return steps === undefined ? { kind: "anchor", file, anchor: fragment } : { kind: "pointer", file, steps };
};

/** The name of a file that is named from another; undefined where that is out of the folder. */
const fileBeside = (from: string, name: string): string | undefined => {
  if (name.startsWith("/")) return undefined;
  const segments = from.split("/").slice(0, -1);
  for (const segment of name.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
};
