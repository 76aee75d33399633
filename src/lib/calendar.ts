/** A calendar period, in UTC; a week begins on Monday (ISO 8601). */
export type Period = "hour" | "day" | "week" | "month" | "year";

/** From the first instant of a period to the first of the next. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** The first Monday of the epoch, whose first day was a Thursday. */
const MONDAY_MS = 4 * DAY_MS;

/** The period of the calendar in which an instant lies. */
export const spanAt = (period: Period, nowMs: number): Span => {
  switch (period) {
    case "hour":
      return even(nowMs, HOUR_MS, 0);
    case "day":
      return even(nowMs, DAY_MS, 0);
    case "week":
      return even(nowMs, WEEK_MS, MONDAY_MS);
    case "month": {
      const date = new Date(nowMs);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      return { startMs: Date.UTC(year, month), endMs: Date.UTC(year, month + 1) };
    }
    case "year": {
      const year = new Date(nowMs).getUTCFullYear();
      return { startMs: Date.UTC(year, 0), endMs: Date.UTC(year + 1, 0) };
    }
  }
};

/** Periods that are all of one length: a day of UTC has no other. */
const even = (nowMs: number, lengthMs: number, firstMs: number): Span => {
  const startMs = Math.floor((nowMs - firstMs) / lengthMs) * lengthMs + firstMs;
  return { startMs, endMs: startMs + lengthMs };
};

/** A quota such as `1000000/month`: so many in a calendar period; undefined for anything else. */
export const parseQuota = (
  text: string,
): { readonly quantity: number; readonly period: Period } | undefined => {
  const found = /^([1-9]\d{0,14})\/(hour|day|week|month|year)$/.exec(text);
  return found === null ? undefined : { quantity: Number(found[1]), period: found[2] as Period };
};
