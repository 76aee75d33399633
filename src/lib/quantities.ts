const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const UNITS_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** Milliseconds of a duration such as `250ms`, `5s`, `10m`, `1h` or `30d`; undefined for anything else. */
export const parseDuration = (text: string): number | undefined =>
  scaled(text, /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/, UNITS_MS);

/** Bytes of a size such as `64KiB` or `10MiB`; undefined for anything else. */
export const parseSize = (text: string): number | undefined =>
  scaled(text, /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/, UNITS_BYTES);

/** The part, from 0 to 1, of a percentage such as `10%`; undefined for anything else. */
export const parsePercent = (text: string): number | undefined => {
  const found = /^(\d+(?:\.\d+)?)%$/.exec(text);
  if (found === null) return undefined;
  const part = Number(found[1]) / 100;
  return part <= 1 ? part : undefined;
};

/** A rate such as `600/1m`: so many in a window of so many milliseconds; undefined for anything else. */
export const parseRate = (
  text: string,
): { readonly quantity: number; readonly windowMs: number } | undefined => {
  const slash = text.indexOf("/");
  const quantity = /^\d+$/.test(text.slice(0, slash)) ? Number(text.slice(0, slash)) : undefined;
  const windowMs = parseDuration(text.slice(slash + 1));
  if (slash < 0 || quantity === undefined || quantity === 0 || !windowMs) return undefined;
  return { quantity, windowMs };
};

const scaled = (
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | undefined => {
  const found = pattern.exec(text);
  if (found === null) return undefined;
  const value = Number(found[1]) * (units[found[2]!] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
};
