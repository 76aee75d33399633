import { describe, expect, it } from "vitest";
import { type AddressSet, hasAddress } from "../../src/lib/address-set.ts";
import { addressDigits } from "../../src/lib/ip.ts";

const has = (set: Partial<AddressSet>, address: string): boolean =>
  hasAddress({ v4: [], v6: [], ...set }, addressDigits(address)!);

describe("a set of addresses", () => {
  it.each<[string, Partial<AddressSet>, string, boolean]>([
    ["is empty without boundaries", {}, "10.0.0.1", false],
    ["is everything from the first boundary on", { v4: [""] }, "0.0.0.0", true],
    ["is everything to the end where nothing ends it", { v4: [""] }, "255.255.255.255", true],
    ["holds nothing of the other version", { v4: [""] }, "::1", false],
    ["holds IPv4-mapped addresses as IPv4", { v4: [""] }, "::ffff:10.0.0.1", true],
    ["does not hold them as IPv6", { v6: [""] }, "::ffff:10.0.0.1", false],
    ["begins at its boundary", { v4: ["0a", "0b"] }, "10.0.0.0", true],
    ["does not begin before it", { v4: ["0a", "0b"] }, "9.255.255.255", false],
    ["holds what is before the next", { v4: ["0a", "0b"] }, "10.255.255.255", true],
    ["ends at the next", { v4: ["0a", "0b"] }, "11.0.0.0", false],
    ["begins again", { v4: ["0a", "0b", "c"] }, "192.0.2.1", true],
    ["begins at a boundary of all digits", { v4: ["0a000001", "0a000002"] }, "10.0.0.1", true],
    ["ends at a boundary of all digits", { v4: ["0a000001", "0a000002"] }, "10.0.0.2", false],
    ["begins at a boundary of IPv6", { v6: ["20010db8", "20010db9"] }, "2001:db8::", true],
    ["does not begin before one of IPv6", { v6: ["20010db8", "20010db9"] }, "2001:db7:ffff::", false],
    ["ends at one of IPv6", { v6: ["20010db8", "20010db9"] }, "2001:db9::", false],
  ])("%s", (_, set, address, expected) => {
    expect(has(set, address)).toBe(expected);
  });
});
