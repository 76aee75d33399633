import { Span } from "../../lib/cel/values.ts";

/**
 * The JSON text of a value of CEL: timestamps as RFC 3339 text, durations in seconds ("1.5s"), as Protocol Buffers write
 * them. Undefined for an error, and for what JSON cannot say: an infinity, or what holds one.
 */
export const jsonOf = (value: unknown): string | undefined => {
  switch (typeof value) {
    case "bigint":
      return String(value);
    case "number":
      return Number.isFinite(value) ? String(value) : undefined;
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : jsonOfObject(value);
    default:
      return undefined;
  }
};

const jsonOfObject = (value: object): string | undefined => {
  if (value instanceof Date) return JSON.stringify(value);
  if (value instanceof Span) return `"${value.ms / 1000}s"`;
  if (Array.isArray(value)) return joined(value.map(jsonOf), "[", "]");
  const members = Object.entries(value).map(([name, member]) => {
    const text = jsonOf(member);
    return text && `${JSON.stringify(name)}:${text}`;
  });
  return joined(members, "{", "}");
};

const joined = (parts: readonly (string | undefined)[], open: string, close: string): string | undefined =>
  parts.includes(undefined) ? undefined : open + parts.join(",") + close;
