import { instant, int64 } from "./values.ts";

const DECIMAL = /^[+-]?\d{1,19}$/;
const DOUBLE = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** RFC 3339 section 5.6, without leap seconds. */
const RFC3339 = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3])(:[0-5]\d){2}(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** `int()` of an int, a double (toward zero) or a decimal text; an error outside 64 bits. */
export const toInt = (value: unknown): bigint | undefined => {
  switch (typeof value) {
    case "bigint":
      return value;
    case "number":
      return Number.isFinite(value) ? int64(BigInt(Math.trunc(value))) : undefined;
    case "string":
      return DECIMAL.test(value) ? int64(BigInt(value)) : undefined;
  }
  return undefined;
};

/** `double()` of a number or a decimal text. */
export const toDouble = (value: unknown): number | undefined => {
  if (typeof value === "string") return DOUBLE.test(value) ? Number(value) : undefined;
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : undefined;
};

/** `string()` of a text, number or boolean. */
export const toText = (value: unknown): string | undefined =>
  value === undefined || typeof value === "object" ? undefined : String(value);

/** `timestamp()` of a timestamp, seconds since the epoch, or RFC 3339 text; below a millisecond is cut off. */
export const toTimestamp = (value: unknown): Date | undefined => {
  if (value instanceof Date) return value;
  if (typeof value === "bigint") return instant(Number(value) * 1000);
  if (typeof value !== "string" || !RFC3339.test(value)) return undefined;
  const day = value.slice(0, 10);
  const midnight = Date.parse(day + "T00:00:00Z");
  // JavaScript turns 30 February into 1 March; a day that does not come back as it went in does not exist.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(day)) return undefined;
  return instant(Date.parse(value));
};
