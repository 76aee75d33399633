import type { Labels, Part, Stored, StoredResponse, VariantIndex } from "./entry.ts";

/** Longer metadata is not stored: platforms bound the fields of what they cache. */
const MOST_METADATA = 16_384;

/** All of an entry but its body, as JSON has it. */
export type Metadata = Omit<StoredResponse, "kind" | "headers" | "body"> & {
  readonly fields: readonly (readonly [string, string])[];
  /** Length of the body; null for none, so that an empty one is told from it. */
  readonly length: number | null;
};

/**
 * An entry's metadata as JSON in ASCII; undefined where there is too much of it, or where a field has bytes that are no UTF-8: the
 * runtime passes them on, but gives no text for them, and what came back would be another field.
 */
export const writeMetadata = (stored: Stored): string | undefined => {
  if (stored.kind === "response" && hasLostBytes(stored.headers)) return undefined;
  const json = JSON.stringify(stored.kind === "variants" ? stored : metadataOf(stored)).replace(
    /[^\x20-\x7e]/g,
    (character) => "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
  return json.length > MOST_METADATA ? undefined : json;
};

const hasLostBytes = (headers: Headers): boolean => {
  for (const value of headers.values()) if (value.includes("\ufffd")) return true;
  return false;
};

const metadataOf = ({ kind: _kind, headers, body, ...rest }: StoredResponse): Metadata => ({
  ...rest,
  fields: [...headers],
  length: body?.byteLength ?? null,
});

/** What was written; undefined where it is not ours. A place that others can write to may hold anything. */
export const readMetadata = (json: string): Metadata | VariantIndex | undefined => {
  try {
    const value = JSON.parse(json) as unknown;
    return isIndex(value) || isMetadata(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** An entry from its metadata and its body; undefined where the body is not whole. */
export const entryOf = (metadata: Metadata, body: ArrayBuffer | null): StoredResponse | undefined => {
  const { fields, length, ...rest } = metadata;
  if ((body?.byteLength ?? null) !== length) return undefined;
  try {
    return { kind: "response", ...rest, headers: new Headers(fields as [string, string][]), body };
  } catch {
    return undefined;
  }
};

type Unknown<T> = { readonly [Name in keyof T]?: unknown };

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isText = (value: unknown): value is string => typeof value === "string";
const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isIndex = (value: unknown): value is VariantIndex => {
  if (!isObject(value)) return false;
  const { kind, names, generation } = value as Unknown<VariantIndex>;
  return kind === "variants" && isTexts(names) && isText(generation);
};

/** Statuses whose responses cannot have a body (Fetch, "null body status"). */
const BODILESS = new Set([204, 205, 304]);

const isMetadata = (value: unknown): value is Metadata => {
  if (!isObject(value) || "kind" in value) return false;
  const it = value as Unknown<Metadata>;
  const numbers = [
    it.receivedMs,
    it.initialAgeMs,
    it.lifetimeMs,
    it.staleWhileRevalidateMs,
    it.staleIfErrorMs,
    it.fetchMs ?? 0,
  ];
  return (
    isText(it.variant) &&
    isTexts(it.names) &&
    isCount(it.status) &&
    it.status >= 200 &&
    it.status <= 599 &&
    (it.length === null || (isCount(it.length) && !BODILESS.has(it.status))) &&
    numbers.every(Number.isFinite) &&
    isFlag(it.noCache) &&
    isFlag(it.mustRevalidate) &&
    Array.isArray(it.fields) &&
    it.fields.every((field) => isTexts(field) && field.length === 2) &&
    (it.fetchMs === undefined || Number.isFinite(it.fetchMs)) &&
    (it.part === undefined || isPart(it.part)) &&
    (it.labels === undefined || isLabels(it.labels))
  );
};

const isPart = (value: unknown): value is Part => {
  if (!isObject(value)) return false;
  const { first, last, complete, fromEnd } = value as Unknown<Part>;
  return (
    isCount(first) &&
    isCount(last) &&
    isCount(complete) &&
    isFlag(fromEnd) &&
    first <= last &&
    last < complete
  );
};

const isLabels = (value: unknown): value is Labels => {
  if (!isObject(value)) return false;
  const { authority, path, query, tags, asOf } = value as Unknown<Labels>;
  return isText(authority) && isText(path) && isText(query) && isTexts(tags) && isCount(asOf);
};
