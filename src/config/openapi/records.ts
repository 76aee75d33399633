/** A map of a document. */
export type JsonRecord = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A map, or an empty one for whatever is none. */
export const record = (value: unknown): JsonRecord => (isRecord(value) ? value : {});

/** Sets an entry; also for names by which JavaScript reaches what objects inherit. */
export const setOwn = (holder: Record<string, unknown>, name: string, value: unknown): void => {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
};
