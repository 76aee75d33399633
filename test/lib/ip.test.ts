import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { addressKey } from "../../src/lib/ip.ts";

describe("the key of a client's address", () => {
  it.each([
    ["an IPv4 address is its own", "192.0.2.1", "192.0.2.1"],
    ["IPv6 is cut to its /64", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["a gap inside the network", "2001:db8::1", "2001:db8:0:0::/64"],
    ["a gap at the end", "2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["a gap at the front", "::1", "0:0:0:0::/64"],
    ["nothing but a gap", "::", "0:0:0:0::/64"],
    ["a gap of one group", "1:2:3:4:5:6:7::", "1:2:3:4::/64"],
    ["capitals and leading zeros", "2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"],
    ["a zone", "fe80::1%eth0", "fe80:0:0:0::/64"],
    ["IPv4-mapped, dotted", "::ffff:10.0.0.1", "10.0.0.1"],
    ["IPv4-mapped, in hexadecimal", "::ffff:a00:1", "10.0.0.1"],
    ["IPv4-mapped, written out", "0:0:0:0:0:FFFF:10.0.0.1", "10.0.0.1"],
    ["IPv4 at the end of another address", "64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
  ])("%s", (_, address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it.each([
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "g::1",
    "::ffff:256.0.0.1",
    "::ffff:010.0.0.1",
    "10.0.0.1::",
    "::10.0.0.1:1",
    "",
    "unknown",
    ":".repeat(65_536),
  ])("text that is no address is its own key: %j", (text) => {
    expect(addressKey(text)).toBe(text);
  });

  it("agrees with ipaddr.js on every spelling of every address", () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, fc.boolean(), fc.boolean(), (parts, mapped, upper) => {
        const all = mapped ? [0, 0, 0, 0, 0, 0xffff, parts[6]!, parts[7]!] : parts;
        const address = new ipaddr.IPv6(all);
        const network = ipaddr.IPv6.networkAddressFromCIDR(
          `${address.toNormalizedString()}/64`,
        ) as ipaddr.IPv6;
        const expected = address.isIPv4MappedAddress()
          ? address.toIPv4Address().toString()
          : `${network.toNormalizedString().split(":").slice(0, 4).join(":")}::/64`;
        const long = all.map((group) => group.toString(16).padStart(4, "0")).join(":");
        for (const spelling of [
          address.toString(),
          address.toNormalizedString(),
          address.toRFC5952String(),
          long,
        ]) {
          expect(addressKey(upper ? spelling.toUpperCase() : spelling)).toBe(expected);
        }
      }),
    );
  });

  it("takes for IPv6 exactly what ipaddr.js does", () => {
    const text = fc.string({ unit: fc.constantFrom(..."01af:.%"), maxLength: 24 });
    fc.assert(
      fc.property(text, (address) => {
        fc.pre(address.includes(":") && !address.includes("%") && !/(^|[.:])0\d+\./.test(address));
        expect(addressKey(address) !== address).toBe(ipaddr.IPv6.isValid(address));
      }),
      { numRuns: 2000 },
    );
  });
});
