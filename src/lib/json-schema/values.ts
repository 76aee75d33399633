import { canonicalJson } from "../canonical-json.ts";

/** Length of a text in characters, a pair of surrogates being one (JSON Schema validation, section 6.3). */
export const characters = (text: string): number => {
  let count = text.length;
  for (let at = 0; at < text.length - 1; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(at + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    count--;
    at++;
  }
  return count;
};

/** Whether two values of JSON are equal (JSON Schema core, section 4.2.2). Calls nothing that the values bring along. */
export const isEqual = (one: unknown, other: unknown): boolean => {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one))
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isEqual(item, other[index]))
    );
  if (Array.isArray(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every(
      (name) =>
        Object.hasOwn(other, name) &&
        isEqual((one as Record<string, unknown>)[name], (other as Record<string, unknown>)[name]),
    )
  );
};

/** Whether no two items are equal. Each is written down once, so that the work grows with the size and not with its square. */
export const isUnique = (items: readonly unknown[]): boolean => {
  const seen = new Set<string>();
  for (const item of items) {
    const text = canonicalJson(item);
    if (seen.has(text)) return false;
    seen.add(text);
  }
  return true;
};

/** Numbers of more digits are judged by their floating-point remainder. */
const MOST_DIGITS = 400;

/** Whether a number is a whole multiple of another, by the decimal digits of both: 0.3 is three times 0.1. */
export const isMultiple = (value: number, divisor: number): boolean => {
  if (Number.isSafeInteger(value) && Number.isSafeInteger(divisor)) return value % divisor === 0;
  const scale = 10 ** Math.max(decimals(value), decimals(divisor));
  // As whole numbers of so few digits both are exact.
  if (Math.abs(value) * scale < 2 ** 49 && divisor * scale < 2 ** 49)
    return Math.round(value * scale) % Math.round(divisor * scale) === 0;
  const [digits, exponent] = decimal(value);
  const [divisorDigits, divisorExponent] = decimal(divisor);
  const shift = exponent - divisorExponent;
  if (Math.abs(shift) > MOST_DIGITS) return value % divisor === 0;
  return shift >= 0
    ? (digits * 10n ** BigInt(shift)) % divisorDigits === 0n
    : digits % (divisorDigits * 10n ** BigInt(-shift)) === 0n;
};

/** How many digits a number has behind the point; more than can be told for one with an exponent. */
const decimals = (value: number): number => {
  const text = String(value);
  const point = text.indexOf(".");
  return text.includes("e") ? Number.POSITIVE_INFINITY : point < 0 ? 0 : text.length - point - 1;
};

/** A number as an integer times a power of ten. */
const decimal = (value: number): readonly [digits: bigint, exponent: number] => {
  const [mantissa = "0", exponent = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return [BigInt(whole + fraction), Number(exponent) - fraction.length];
};
