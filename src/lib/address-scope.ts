/**
 * Who may be at an address: anybody on the Internet (`public`), somebody on a network of one's own (`private`: loopback,
 * private, shared and reserved ranges), or nobody who serves requests there honestly (`refused`: unspecified, link-local,
 * multicast, and the metadata services of clouds, which hand out credentials).
 */
export type AddressScope = "public" | "private" | "refused";

/** First octets of a range and how many bits of them count. */
type Range = readonly [bits: number, ...octets: number[]];

const REFUSED_4: readonly Range[] = [
  [8, 0],
  [16, 169, 254],
  [32, 100, 100, 100, 200],
  [4, 224],
  [32, 255, 255, 255, 255],
];

/** Those of the IANA registry of special-purpose addresses that are not of the Internet at large (RFC 6890). */
const PRIVATE_4: readonly Range[] = [
  [8, 10],
  [10, 100, 64],
  [8, 127],
  [12, 172, 16],
  [24, 192, 0, 0],
  [24, 192, 0, 2],
  [24, 192, 31, 196],
  [24, 192, 52, 193],
  [24, 192, 88, 99],
  [16, 192, 168],
  [24, 192, 175, 48],
  [15, 198, 18],
  [24, 198, 51, 100],
  [24, 203, 0, 113],
  [4, 240],
];

const REFUSED_6: readonly Range[] = [
  [128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  [10, 0xfe, 0x80],
  [8, 0xff],
  // The metadata service of AWS.
  [32, 0xfd, 0x00, 0x0e, 0xc2],
];

/** Of what is assigned at all (2000::/3), what stands for other addresses, documentation or experiments. */
const PRIVATE_6: readonly Range[] = [
  [23, 0x20, 0x01, 0x00],
  [32, 0x20, 0x01, 0x0d, 0xb8],
  [16, 0x20, 0x02],
  [48, 0x26, 0x20, 0x00, 0x4f, 0x80, 0x00],
  [20, 0x3f, 0xff, 0x00],
];

/** IPv4 addresses in IPv6 clothes: mapped (RFC 4291 section 2.5.5.2) and translated (RFC 6052). */
const CARRIERS: readonly Range[] = [
  [96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
  [96, 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0],
];

const isGlobal: Range = [3, 0x20];

/** The scope of an address of 4 or 16 octets. */
export const addressScope = (octets: Uint8Array): AddressScope => {
  const within = (range: Range): boolean => isWithin(octets, range);
  if (octets.length === 4)
    return REFUSED_4.some(within) ? "refused" : PRIVATE_4.some(within) ? "private" : "public";
  // What hides in another address is never more than private, whoever it is.
  if (CARRIERS.some(within)) return addressScope(octets.subarray(12)) === "refused" ? "refused" : "private";
  if (REFUSED_6.some(within)) return "refused";
  return within(isGlobal) && !PRIVATE_6.some(within) ? "public" : "private";
};

const isWithin = (octets: Uint8Array, [bits, ...first]: Range): boolean =>
  first.every((octet, index) => {
    const left = bits - index * 8;
    const mask = left >= 8 ? 0xff : (0xff00 >> left) & 0xff;
    return (octets[index]! & mask) === (octet & mask);
  });
