/**
 * The text under which a client's address is counted: IPv4 as it is, an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2)
 * as the IPv4 address in it, any other IPv6 address as its /64, since that is what one subscriber has at the least. Every
 * spelling of an address has the same key. Text that is no address is its own key.
 */
export const addressKey = (address: string): string => {
  if (!address.includes(":")) return address;
  const groups = ipv6Groups(address);
  if (groups === undefined) return address;
  if (isMapped(groups)) {
    const [g, h] = groups.slice(6) as [number, number];
    return `${g >> 8}.${g & 255}.${h >> 8}.${h & 255}`;
  }
  const [a, b, c, d] = groups as [number, number, number, number];
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}::/64`;
};

/**
 * An address as hexadecimal digits in lower case, 8 of IPv4 and 32 of IPv6, so that texts of one length compare as the numbers
 * do. Every spelling has the same digits: an IPv4-mapped address has those of the IPv4 address in it, and a zone, which means
 * something to one machine only, is left out. Undefined for text that is no address, an octet with a leading zero included:
 * some read it as octal.
 */
export const addressDigits = (address: string): string | undefined => {
  if (!address.includes(":")) {
    const number = ipv4Number(address);
    return number < 0 ? undefined : (number + 0x1_0000_0000).toString(16).slice(1);
  }
  const groups = ipv6Groups(address);
  if (groups === undefined) return undefined;
  let digits = "";
  for (let at = isMapped(groups) ? 6 : 0; at < 8; at++)
    digits += (groups[at]! + 0x1_0000).toString(16).slice(1);
  return digits;
};

const isMapped = ([a, b, c, d, e, f]: readonly number[]): boolean =>
  (a! | b! | c! | d! | e!) === 0 && f === 0xffff;

/** The eight 16-bit groups of an IPv6 address in any spelling of RFC 4291 section 2.2, a zone left out; undefined for other text. */
const ipv6Groups = (address: string): readonly number[] | undefined => {
  // 45 characters hold the longest spelling; a zone (RFC 4007 section 11) follows a percent sign.
  const zone = address.indexOf("%");
  const end = zone < 0 ? address.length : zone;
  if (end > 45) return undefined;
  const groups: number[] = [];
  let gap = address.startsWith("::") ? 0 : -1;
  let at = gap < 0 ? 0 : 2;
  // A group has to follow at the front and behind one colon; behind a gap it may.
  for (let isDue = gap < 0; isDue || at < end; ) {
    const start = at;
    let group = 0;
    for (let digit = hexDigit(address.charCodeAt(at)); digit >= 0; digit = hexDigit(address.charCodeAt(++at)))
      group = group * 16 + digit;
    if (address.charCodeAt(at) === DOT) {
      const number = ipv4Number(address.slice(start, end));
      if (number < 0) return undefined;
      groups.push(number >>> 16, number & 0xffff);
      break;
    }
    if (at === start || at - start > 4) return undefined;
    groups.push(group);
    if (at === end) break;
    if (address.charCodeAt(at) !== COLON) return undefined;
    isDue = address.charCodeAt(++at) !== COLON;
    if (isDue) continue;
    if (gap >= 0) return undefined;
    gap = groups.length;
    at++;
  }
  return filled(groups, gap);
};

/** Eight groups, with zeros in place of a gap, which stands for one group at the least. */
const filled = (groups: readonly number[], gap: number): readonly number[] | undefined => {
  const missing = 8 - groups.length;
  if (gap < 0) return missing === 0 ? groups : undefined;
  if (missing < 1) return undefined;
  const all = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at < groups.length; at++) all[at < gap ? at : at + missing] = groups[at]!;
  return all;
};

/** What a hexadecimal digit stands for; negative for any other character. */
const hexDigit = (code: number): number => {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  // Bit 5 tells small letters from capitals.
  const letter = (code | 32) - SMALL_A;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
};

const DOT = 46;
const ZERO = 48;
const COLON = 58;
const SMALL_A = 97;

/** The number of dotted decimal, four octets without leading zeros; negative for other text. */
const ipv4Number = (text: string): number => {
  let number = 0;
  let octets = 0;
  let octet = -1;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (octet < 0 || ++octets > 4) return -1;
      number = number * 256 + octet;
      octet = -1;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || octet === 0) return -1;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return -1;
  }
  return octets === 4 ? number : -1;
};
