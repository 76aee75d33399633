/**
 * The text under which a client's address is counted: IPv4 as it is, an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2)
 * as the IPv4 address in it, any other IPv6 address as its /64, since that is what one subscriber has at the least. Every
 * spelling of an address has the same key. Text that is no address is its own key.
 */
export const addressKey = (address: string): string => {
  if (!address.includes(":")) return address;
  const groups = ipv6Groups(address);
  if (groups === undefined) return address;
  const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number];
  if ((a | b | c | d | e) === 0 && f === 0xffff) return `${g >> 8}.${g & 255}.${h >> 8}.${h & 255}`;
  return `${a.toString(16)}:${b.toString(16)}:${c.toString(16)}:${d.toString(16)}::/64`;
};

/** The eight 16-bit groups of an IPv6 address in any spelling of RFC 4291 section 2.2, a zone left out; undefined for other text. */
const ipv6Groups = (address: string): readonly number[] | undefined => {
  // 45 characters hold the longest spelling; a zone (RFC 4007 section 11) follows a percent sign.
  const zone = address.indexOf("%");
  const text = zone < 0 ? address : address.slice(0, zone);
  if (text.length > 45) return undefined;
  const gap = text.indexOf("::");
  const head = groupList(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const tail = groupList(gap < 0 ? "" : text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
};

/** Groups between colons; the last may be an IPv4 address where it ends the text. */
const groupList = (text: string, atEnd: boolean): number[] | undefined => {
  const groups: number[] = [];
  if (text === "") return groups;
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const octets = atEnd && index === parts.length - 1 ? ipv4Octets(part) : undefined;
    if (octets === undefined) return undefined;
    groups.push((octets[0]! << 8) | octets[1]!, (octets[2]! << 8) | octets[3]!);
  }
  return groups;
};

/** The octets of dotted decimal without leading zeros, which some read as octal. */
const ipv4Octets = (text: string): readonly number[] | undefined => {
  const octets = text.split(".").map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return octets.length === 4 && octets.every((octet) => octet < 256) ? octets : undefined;
};
