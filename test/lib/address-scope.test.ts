import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { addressScope } from "../../src/lib/address-scope.ts";
import { isPrivateHost } from "../../src/policies/network.ts";

const octetsOf = (address: string): Uint8Array => new Uint8Array(ipaddr.parse(address).toByteArray());

describe("the scope of an address", () => {
  it.each([
    [
      "public",
      [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "100.63.0.1",
        "100.128.0.0",
        "223.255.255.255",
      ],
    ],
    ["public", ["2606:4700:4700::1111", "2a00:1450::1", "3ffe::1"]],
    [
      "private",
      [
        "10.0.0.0",
        "10.255.255.255",
        "127.0.0.1",
        "127.255.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "192.0.2.1",
        "203.0.113.9",
        "240.0.0.1",
      ],
    ],
    [
      "private",
      [
        "::1",
        "fc00::1",
        "fd12::1",
        "2001:db8::1",
        "2001::1",
        "2001:1ff::1",
        "2002:a00:1::1",
        "3fff::1",
        "::2",
        "4000::1",
        "fec0::1",
      ],
    ],
    ["private", ["::ffff:10.0.0.1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]],
    [
      "refused",
      [
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "100.100.100.200",
      ],
    ],
    [
      "refused",
      [
        "::",
        "fe80::1",
        "febf::1",
        "ff02::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
      ],
    ],
  ] as const)("is %s for %j", (scope, addresses) => {
    for (const address of addresses)
      expect([address, addressScope(octetsOf(address))]).toEqual([address, scope]);
  });

  const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  /** Addresses that share their first octets with one of a special range, where borders are. */
  const near = fc
    .tuple(
      fc.constantFrom(
        "10.0.0.0",
        "100.64.0.0",
        "127.0.0.0",
        "169.254.0.0",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.0",
        "192.88.99.0",
        "192.31.196.0",
        "192.52.193.0",
        "192.175.48.0",
        "192.168.0.0",
        "198.18.0.0",
        "198.51.100.0",
        "203.0.113.0",
        "224.0.0.0",
        "2001::",
        "2001:db8::",
        "2002::",
        "2620:4f:8000::",
        "3fff::",
        "fc00::",
        "fe80::",
        "ff00::",
        "64:ff9b::",
        "::ffff:0:0",
        "::",
      ),
      fc.nat(128),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    )
    .map(([address, kept, noise]) =>
      octetsOf(address).map((octet, index) => {
        const left = Math.min(8, Math.max(0, kept - index * 8));
        const mask = (0xff00 >> left) & 0xff;
        return (octet & mask) | (noise[index]! & ~mask);
      }),
    );

  it("is public for no address that the compiler takes for private", () => {
    fc.assert(
      fc.property(fc.oneof(octets(4), octets(16), near), (address) => {
        const text = ipaddr.fromByteArray([...address]).toString();
        const host = address.length === 4 ? text : `[${text}]`;
        if (addressScope(address) === "public") expect([host, isPrivateHost(host)]).toEqual([host, false]);
      }),
      { numRuns: 20_000 },
    );
  });

  it("is public for every IPv4 address that the compiler takes for public", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          octets(4),
          near.filter(({ length }) => length === 4),
        ),
        (address) => {
          const host = address.join(".");
          expect([host, addressScope(address) !== "public"]).toEqual([
            host,
            isPrivateHost(host) || host === "100.100.100.200",
          ]);
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
