import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { parseNetwork } from "../../src/policies/network.ts";

/** The first and the last address of what is read, as hexadecimal numbers. */
const ends = (text: string): readonly string[] => {
  const read = parseNetwork(text);
  if ("wrong" in read) throw new Error(read.wrong);
  return [`v${read.version}`, read.first.toString(16), read.last.toString(16)];
};

describe("a network", () => {
  it.each([
    ["one address", "10.0.0.1", ["v4", "a000001", "a000001"]],
    ["one address as a network", "10.0.0.1/32", ["v4", "a000001", "a000001"]],
    ["a network", "10.0.0.0/8", ["v4", "a000000", "affffff"]],
    ["a network that ends inside of an octet", "192.0.2.64/26", ["v4", "c0000240", "c000027f"]],
    ["all of IPv4", "0.0.0.0/0", ["v4", "0", "ffffffff"]],
    [
      "one address of IPv6",
      "2001:db8::1",
      ["v6", `20010db8${"0".repeat(23)}1`, `20010db8${"0".repeat(23)}1`],
    ],
    ["a network of IPv6", "2001:DB8::/32", ["v6", `20010db8${"0".repeat(24)}`, `20010db8${"f".repeat(24)}`]],
    ["all of IPv6", "::/0", ["v6", "0", "f".repeat(32)]],
    ["an IPv4-mapped address", "::ffff:10.0.0.1", ["v4", "a000001", "a000001"]],
    ["an IPv4-mapped network", "::ffff:10.0.0.0/104", ["v4", "a000000", "affffff"]],
    ["all IPv4-mapped addresses", "::ffff:0:0/96", ["v4", "0", "ffffffff"]],
  ])("is %s: %s", (_, text, expected) => {
    expect(ends(text)).toEqual(expected);
  });

  it.each([
    ["", /one such as/],
    ["localhost", /one such as/],
    ["10.0.0", /one such as/],
    ["10/8", /one such as/],
    ["10.0.0/24", /one such as/],
    ["10.0.0.*", /one such as/],
    ["10.0.0.1-10.0.0.9", /one such as/],
    ["10.0.0.1, 10.0.0.2", /one such as/],
    ["0x0a.0.0.1", /one such as/],
    ["167772161", /one such as/],
    ["10.0.0.1:443", /one such as/],
    ["[::1]", /one such as/],
    [" 10.0.0.1", /one such as/],
    ["10.0.0.0/8/8", /one such as/],
    ["1:2:3", /one such as/],
    ["010.0.0.1", /: 10\.0\.0\.1\./],
    ["10.00.0.0/8", /: 10\.0\.0\.0\/8\./],
    ["::ffff:010.0.0.1", /: ::ffff:10\.0\.0\.1\./],
    ["fe80::1%eth0", /: fe80::1\./],
    ["fe80::%1/64", /: fe80::\/64\./],
    ["10.0.0.0/33", /from 0 to 32/],
    ["10.0.0.0/-1", /from 0 to 32/],
    ["10.0.0.0/08", /from 0 to 32/],
    ["10.0.0.0/", /from 0 to 32/],
    ["10.0.0.0/8 ", /from 0 to 32/],
    ["10.0.0.0/1e1", /from 0 to 32/],
    ["2001:db8::/129", /from 0 to 128/],
    ["10.0.0.0/255.0.0.0", /10\.0\.0\.0\/8\./],
    ["10.0.0.0/255.0.255.0", /from 0 to 32/],
    ["2001:db8::/255.0.0.0", /from 0 to 128/],
    ["10.0.0.1/8", /10\.0\.0\.0\/8 for the network, or 10\.0\.0\.1 /],
    ["10.0.0.1/0", /0\.0\.0\.0\/0 for the network/],
    ["2001:db8:0:1::/48", /2001:db8::\/48 for the network, or 2001:db8:0:1:: /],
    ["::ffff:10.0.0.1/95", /::fffe:0:0\/95 for the network/],
  ])("is not %j", (text, remedy) => {
    const read = parseNetwork(text);
    expect(read).toHaveProperty("wrong", expect.stringContaining(`"${text}"`));
    expect((read as { remedy: string }).remedy).toMatch(remedy);
  });

  it("has the ends that ipaddr.js says, for every length", () => {
    const hex = (address: ipaddr.IPv4 | ipaddr.IPv6): string =>
      BigInt(`0x${Buffer.from(address.toByteArray()).toString("hex")}`).toString(16);
    for (const [kind, address, width] of [
      [ipaddr.IPv4, "203.171.86.85", 32],
      [ipaddr.IPv6, "2a03:5a5b:c3d4:e5f6:a5b6:c7d8:e9fa:b5a5", 128],
    ] as const)
      for (let bits = 0; bits <= width; bits++) {
        const cidr = `${address}/${bits}`;
        const first = kind.networkAddressFromCIDR(cidr);
        const expected = [hex(first), hex(kind.broadcastAddressFromCIDR(cidr))];
        expect(ends(`${first}/${bits}`).slice(1)).toEqual(expected);
      }
  });
});
