import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { addressDigits, addressKey } from "../../src/lib/ip.ts";

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

describe("the digits of an address (S35)", () => {
  const V4 = "0a000001";
  const LOOPBACK = "00000000000000000000000000000001";

  it.each([
    ["IPv4", "10.0.0.1", V4],
    ["the first of IPv4", "0.0.0.0", "00000000"],
    ["the last of IPv4", "255.255.255.255", "ffffffff"],
    ["IPv4-mapped, dotted", "::ffff:10.0.0.1", V4],
    ["IPv4-mapped, in hexadecimal", "::ffff:a00:1", V4],
    ["IPv4-mapped, in capitals", "::FFFF:0A00:0001", V4],
    ["IPv4-mapped, written out", "0:0:0:0:0:ffff:10.0.0.1", V4],
    ["IPv4-mapped, with zeros", "0000:0000:0000:0000:0000:ffff:0a00:0001", V4],
    ["IPv4-mapped, with a zone", "::ffff:10.0.0.1%eth0", V4],
    ["a gap", "::1", LOOPBACK],
    ["a gap behind zeros", "0:0::1", LOOPBACK],
    ["no gap", "0:0:0:0:0:0:0:1", LOOPBACK],
    ["a zone", "::1%lo", LOOPBACK],
    ["a gap at the end", "2001:DB8::", "20010db8000000000000000000000000"],
    ["nothing but a gap", "::", "0".repeat(32)],
    ["IPv4-compatible, which is IPv6", "::10.0.0.1", `${"0".repeat(24)}${V4}`],
    ["translated (RFC 6052), which is IPv6", "64:ff9b::10.0.0.1", `0064ff9b${"0".repeat(16)}${V4}`],
    ["the last of IPv6", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "f".repeat(32)],
  ])("%s: %s", (_, address, digits) => {
    expect(addressDigits(address)).toBe(digits);
  });

  it.each([
    "",
    " ",
    "unknown",
    "010.0.0.1",
    "10.0.0.01",
    "00.0.0.1",
    "0x0a.0.0.1",
    "0x0a000001",
    "167772161",
    "10.1",
    "10.0.1",
    "10.0.0.0.1",
    "10.0.0.256",
    "10.0.0.1.",
    ".10.0.0.1",
    "10..0.1",
    "10.0.0.-1",
    "10.0.0.1 ",
    " 10.0.0.1",
    "10.0.0.1\n",
    "+10.0.0.1",
    "10.0.0.1e0",
    "10.0.0.1%eth0",
    "10.0.0.1/8",
    "１０.0.0.1",
    "10。0。0。1",
    "10.0.0.1, 10.0.0.2",
    "10.0.0.1:443",
    "[::1]",
    "[::1]:443",
    "::1/128",
    ":",
    ":::",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1:2:3:4:5:6:7:%eth0",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "00001::",
    "g::1",
    "::-1",
    "::ffff:256.0.0.1",
    "::ffff:010.0.0.1",
    "::ffff:10.0.1",
    "::ffff:10.0.0.1.",
    "::ffff:10.0.0.1:1",
    "::10.0.0.1::",
    "1:2:3:4:5:6:7:10.0.0.1",
    "::١",
    `${":".repeat(65_536)}1`,
    "1".repeat(65_536),
    `${"1".repeat(65_536)}:`,
  ])("are none for %j", (text) => {
    expect(addressDigits(text)).toBeUndefined();
  });

  it("are those of ipaddr.js for every spelling of every address", () => {
    const octets = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.constantFrom(0, 0, 0, 255, 1), { minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(octets, fc.boolean(), (bytes, upper) => {
        const address = ipaddr.fromByteArray([...bytes]);
        const whole = ipaddr.process(address.toString());
        const expected = Buffer.from(whole.toByteArray()).toString("hex");
        const spellings = [address.toString(), address.toNormalizedString()];
        if (address.kind() === "ipv6") {
          const v6 = address as ipaddr.IPv6;
          spellings.push(
            v6.toRFC5952String(),
            v6.parts.map((part) => part.toString(16).padStart(4, "0")).join(":"),
          );
        } else spellings.push((address as ipaddr.IPv4).toIPv4MappedAddress().toString(), `::ffff:${address}`);
        for (const spelling of spellings)
          expect(addressDigits(upper ? spelling.toUpperCase() : spelling)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it("are there for exactly the texts that ipaddr.js reads, but for forms of four parts that are not decimal", () => {
    const text = fc.string({ unit: fc.constantFrom(..."0012af::.x"), maxLength: 20 });
    const dotted = fc
      .array(fc.oneof(fc.nat(300).map(String), fc.constantFrom("00", "07", "0x1", "")), {
        minLength: 3,
        maxLength: 5,
      })
      .map((parts) => parts.join("."));
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          dotted,
          dotted.map((last) => `::ffff:${last}`),
        ),
        (address) => {
          const last = address.slice(address.lastIndexOf(":") + 1);
          const isDecimal = !address.includes(".") || ipaddr.IPv4.isValidFourPartDecimal(last);
          const isRead = address.includes(":") ? ipaddr.IPv6.isValid(address) : address.includes(".");
          expect(addressDigits(address) !== undefined).toBe(isDecimal && isRead);
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
