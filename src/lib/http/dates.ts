const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const TIME = "(\\d\\d):(\\d\\d):(\\d\\d)";
const IMF_FIXDATE = new RegExp(`^[a-z]{3}, (\\d\\d) ([a-z]{3}) (\\d{4}) ${TIME} gmt$`, "i");
const RFC_850 = new RegExp(`^[a-z]{6,9}, (\\d\\d)-([a-z]{3})-(\\d\\d) ${TIME} gmt$`, "i");
const ASCTIME = new RegExp(`^[a-z]{3} ([a-z]{3}) ([ \\d]\\d) ${TIME} (\\d{4})$`, "i");

/**
 * Milliseconds since the epoch of an HTTP-date (RFC 9110 section 5.6.7) in any of its three forms; undefined for anything
 * else, such as another time zone or a digit too few. Case is not looked at, and the name of the day is not checked.
 * `nowMs` settles the century of the form with two digits: a date more than 50 years ahead lies in the past.
 */
export const parseHttpDate = (text: string, nowMs: number): number | undefined => {
  const fixed = IMF_FIXDATE.exec(text);
  if (fixed !== null) return moment(fixed[3]!, fixed[2]!, fixed[1]!, fixed, 4);
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) return moment(asctime[6]!, asctime[1]!, asctime[2]!, asctime, 3);
  const old = RFC_850.exec(text);
  if (old === null) return undefined;
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + Number(old[3]);
  return moment(String(year > thisYear + 50 ? year - 100 : year), old[2]!, old[1]!, old, 4);
};

/** `found[time]` and the two after it are hours, minutes and seconds; a leap second counts as the one before it. */
const moment = (
  year: string,
  month: string,
  day: string,
  found: RegExpExecArray,
  time: number,
): number | undefined => {
  const [hours, minutes, seconds] = [Number(found[time]), Number(found[time + 1]), Number(found[time + 2])];
  const index = MONTHS.indexOf(month.toLowerCase());
  if (index < 0 || hours > 23 || minutes > 59 || seconds > 60) return undefined;
  const ms = Date.UTC(Number(year), index, Number(day), hours, minutes, Math.min(seconds, 59));
  return new Date(ms).getUTCDate() === Number(day) ? ms : undefined;
};

/** The IMF-fixdate of a moment, which is the form to send (RFC 9110 section 5.6.7). */
export const formatHttpDate = (ms: number): string => new Date(ms).toUTCString();
