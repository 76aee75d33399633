import ipaddr from "ipaddr.js";
import { z } from "zod";
import { addressDigits } from "../lib/ip.ts";
import { explain } from "./shapes.ts";

/**
 * The address of a service that the gateway itself asks, checked as far as its text goes. `what` names what is there, and
 * `example` is one.
 */
export const serviceUrl = (what: string, example: string) =>
  z.string().superRefine((text, context) => {
    const fault = urlFault(text, what, example);
    if (fault !== undefined)
      context.addIssue({ code: "custom", message: fault, params: { code: "bad-url" } });
  });

const urlFault = (text: string, what: string, example: string): string | undefined => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return explain(`"${text}" is not the address of ${what}.`, `Write a whole URL: ${example}.`);
  if (url.username !== "" || url.password !== "")
    return explain(
      "A password does not belong in an address.",
      "Write the address without `user:password@`.",
    );
  if (url.hash !== "")
    return explain("An address that is fetched has no fragment.", "Remove what begins with `#`.");
  return undefined;
};

/** Which network such a service is on: what `network` says, else what its address shows. */
export const networkAt = (url: string, network: "public" | "private" | undefined): "public" | "private" =>
  network ?? (isPrivateHost(new URL(url).hostname) ? "private" : "public");

/** Refuses an address that contradicts `network`, and one in clear across the public network: `risk` says what that would mean. */
export const checkNetwork =
  (risk: string) =>
  ({ url, network }: { url: string; network?: string | undefined }, context: z.core.$RefinementCtx): void => {
    const { protocol, hostname } = URL.parse(url) ?? {};
    if (hostname === undefined) return;
    const isPrivate = isPrivateHost(hostname);
    if (isPrivate && network === "public")
      context.addIssue({
        code: "custom",
        path: ["network"],
        params: { code: "private-address" },
        message: explain(
          `"${hostname}" is not an address of the public network.`,
          "Write `network: private`, or a public address.",
        ),
      });
    if (protocol === "http:" && !isPrivate && network !== "private")
      context.addIssue({
        code: "custom",
        path: ["url"],
        params: { code: "insecure-url" },
        message: explain(
          risk,
          `Write https, or \`network: private\` if "${hostname}" is on a network of yours.`,
        ),
      });
  };

/**
 * Whether a host, as `URL` writes it, is by its letters an address that is not of the public internet: loopback, private,
 * link-local, metadata and the like. A name that resolves to one is caught by the network that the gateway runs on.
 */
export const isPrivateHost = (hostname: string): boolean => {
  const bare = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare.endsWith(".localhost")) return true;
  return ipaddr.isValid(bare) && ipaddr.process(bare).range() !== "unicast";
};

/** A network, or one address as the smallest of networks, by numbers: both ends are inside. */
export interface Network {
  /** As it was written. */
  readonly text: string;
  /** An IPv4-mapped IPv6 network (RFC 4291 section 2.5.5.2) is the IPv4 network in it. */
  readonly version: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

/** What is wrong with a text that is no network, and what to write instead. */
export interface NetworkFault {
  readonly wrong: string;
  readonly remedy: string;
}

/** How an IPv4-mapped IPv6 address begins, in bits. */
const MAPPED_BITS = 96;

/**
 * Reads an address, or a network in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3), as strictly as the run side
 * reads addresses. Anything else is a fault, with what to write instead.
 */
export const parseNetwork = (text: string): Network | NetworkFault => {
  const [address = "", length, ...rest] = text.split("/");
  if (rest.length > 0 || addressDigits(address) === undefined || address.includes("%"))
    return addressFault(text, address, length);
  const parsed = ipaddr.parse(address);
  const width = parsed.kind() === "ipv4" ? 32 : 128;
  const bits =
    length === undefined ? width : /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : width + 1;
  if (bits > width) return lengthFault(text, address, length!, width);
  const network = networkOf(parsed, bits);
  if (network.toNormalizedString() !== parsed.toNormalizedString())
    return {
      wrong: `"${text}" is neither a network nor one address: "${address}" lies inside of the network.`,
      remedy: `Write ${shortText(network)}/${bits} for the network, or ${address} for the address.`,
    };
  const isMapped = parsed.kind() === "ipv6" && (parsed as ipaddr.IPv6).isIPv4MappedAddress();
  return isMapped && bits >= MAPPED_BITS
    ? rangeOf(text, (parsed as ipaddr.IPv6).toIPv4Address(), bits - MAPPED_BITS)
    : rangeOf(text, parsed, bits);
};

const networkOf = (address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): ipaddr.IPv4 | ipaddr.IPv6 => {
  const cidr = `${address.toNormalizedString()}/${bits}`;
  return address.kind() === "ipv4"
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr)
    : ipaddr.IPv6.networkAddressFromCIDR(cidr);
};

const rangeOf = (text: string, address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): Network => {
  const octets = address.toByteArray();
  const first = octets.reduce((number, octet) => number * 256n + BigInt(octet), 0n);
  const size = 1n << BigInt(octets.length * 8 - bits);
  return { text, version: octets.length === 4 ? 4 : 6, first, last: first + size - 1n };
};

/** An address as people write it (RFC 5952). */
const shortText = (address: ipaddr.IPv4 | ipaddr.IPv6): string =>
  address.kind() === "ipv6" ? (address as ipaddr.IPv6).toRFC5952String() : address.toString();

const addressFault = (text: string, address: string, length: string | undefined): NetworkFault => {
  const behind = length === undefined ? "" : `/${length}`;
  const withoutZone = address.replace(/%.*$/, "");
  if (withoutZone !== address && addressDigits(withoutZone) !== undefined)
    return {
      wrong: `"${text}" has a zone, which means something to one machine only.`,
      remedy: `Write it without: ${withoutZone}${behind}.`,
    };
  const withoutZeros = address.replace(/(?<![\da-f])0+(?=\d+\.)|(?<=\.)0+(?=\d)/gi, "");
  if (withoutZeros !== address && addressDigits(withoutZeros) !== undefined)
    return {
      wrong: `"${text}" has a number that begins with a zero, which some read as octal.`,
      remedy: `Write decimal numbers as they are: ${withoutZeros}${behind}.`,
    };
  return {
    wrong: `"${text}" is no address and no network.`,
    remedy: "Write one such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32.",
  };
};

const lengthFault = (text: string, address: string, length: string, width: number): NetworkFault => {
  const isMask = width === 32 && addressDigits(length)?.length === 8;
  const bits = isMask ? ipaddr.IPv4.parse(length).prefixLengthFromSubnetMask() : null;
  return bits === null
    ? {
        wrong: `"${text}" has no length of a network behind its slash.`,
        remedy: `Write how many of its first bits count, from 0 to ${width}, as in ${address}/${width / 2}.`,
      }
    : { wrong: `"${text}" has a mask in place of a length.`, remedy: `Write ${address}/${bits}.` };
};
