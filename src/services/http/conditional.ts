import type { Context } from "hono";

/** The strong entity tag of one version of one record (RFC 9110 section 8.8.3). */
export const versionTag = (version: number): string => `"v${version}"`;

/** The strong entity tag of whatever a text describes: 128 bits of its SHA-256. */
export const digestTag = async (text: string): Promise<string> => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `"${Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
};

/** Entity tags of a list, in order; what is not a tag is passed over and so never matches (RFC 9110 section 8.8.3). */
const tagsOf = (field: string): string[] => field.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];

/**
 * True when `If-None-Match` names the current entity tag, so that a GET is answered with 304. Compares weakly, as a
 * cache on the way may have weakened the tag (RFC 9110 sections 13.1.2 and 8.8.3.2).
 */
export const isUnchanged = (c: Context, currentTag: string): boolean => {
  const field = c.req.header("if-none-match");
  if (field === undefined) return false;
  return field.trim() === "*" || tagsOf(field).some((tag) => tag.replace(/^W\//, "") === currentTag);
};

/**
 * What `If-Match` says about the current entity tag of a record that exists: `none` when it asks for nothing more than
 * that (absent, or `*`), `met`, or `failed`, which is answered with 412. Compares strongly (RFC 9110 sections 13.1.1
 * and 8.8.3.2).
 */
export const ifMatch = (c: Context, currentTag: string): "none" | "met" | "failed" => {
  const field = c.req.header("if-match");
  if (field === undefined || field.trim() === "*") return "none";
  return tagsOf(field).includes(currentTag) ? "met" : "failed";
};
