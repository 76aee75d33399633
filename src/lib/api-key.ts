/**
 * The form of the keys that `postern key new` makes, so that one that leaked can be told from other text:
 *
 *     key      = "postern_" label "_" random checksum
 *     label    = lower-case letter, then up to 15 lower-case letters and digits: which gateway or environment it is for
 *     random   = 43 digits of base 62 (0-9 A-Z a-z), the most significant first: 256 random bits
 *     checksum = 6 such digits: CRC-32 (ISO-HDLC, as in zip) of all that stands before it, as ASCII
 *
 * Secret scanners find them by `\bpostern_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{49}\b`; the checksum leaves none that is not one.
 */
const FORM = /^postern_[a-z][a-z0-9]{0,15}_[0-9A-Za-z]{49}$/;

/** What every such key begins with. */
const BEGINNING = "postern_";
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_DIGITS = 43;
const CHECKSUM_DIGITS = 6;

/** Longer texts are no keys. */
const LONGEST = 256;

/** Whether a text may be a label. */
export const isKeyLabel = (text: string): boolean => /^[a-z][a-z0-9]{0,15}$/.test(text);

/** A key with a label from 32 random bytes. */
export const composeKey = (label: string, random: Uint8Array): string => {
  let number = 0n;
  for (const byte of random) number = number * 256n + BigInt(byte);
  const body = `${BEGINNING}${label}_${digitsOf(number, RANDOM_DIGITS)}`;
  return body + digitsOf(BigInt(crc32(body)), CHECKSUM_DIGITS);
};

/**
 * Whether a text can be a key at all: without one look-up, or a digest. A text that begins as our keys do must have their form
 * and checksum, so that a slip of the pen is known at once; another may be a key that was made elsewhere: up to 256 visible
 * ASCII characters without a comma, which joins the values of two fields.
 */
export const isPossibleKey = (text: string): boolean => {
  if (text.length === 0 || text.length > LONGEST) return false;
  if (!text.startsWith(BEGINNING)) return /^[\x21-\x2b\x2d-\x7e]+$/.test(text);
  const end = text.length - CHECKSUM_DIGITS;
  return FORM.test(text) && text.slice(end) === digitsOf(BigInt(crc32(text.slice(0, end))), CHECKSUM_DIGITS);
};

const digitsOf = (number: bigint, count: number): string => {
  let digits = "";
  for (let rest = number; digits.length < count; rest /= 62n) digits = DIGITS[Number(rest % 62n)]! + digits;
  return digits;
};

/** CRC-32 of an ASCII text, bit by bit: a table would cost more than the few keys that are not remembered. */
const crc32 = (text: string): number => {
  let crc = -1;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
};
