import { decode } from "dns-packet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dnsQuery, dnsQueryUrl } from "../../../src/lib/dns/query.ts";

describe("a question", () => {
  it("is the one of RFC 8484 section 4.1.1", () => {
    expect(dnsQueryUrl("https://dnsserver.example.net/dns-query", "www.example.com", "A")).toBe(
      "https://dnsserver.example.net/dns-query?dns=AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB",
    );
  });

  it("is written in base64url, without padding", () => {
    const names = Array.from(
      { length: 64 },
      (_, index) => "~".repeat(index + 1) + ".?>?>?>".slice(0, 1 + (index % 7)),
    );
    for (const name of names.filter((it) => !it.endsWith(".") && it.length < 63)) {
      const [, text] = dnsQueryUrl("https://dns.example", name, "SRV").split("?dns=");
      expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(new Uint8Array(Buffer.from(text!, "base64url"))).toEqual(dnsQuery(name, "SRV"));
    }
  });

  const label = fc.stringMatching(/^[a-z0-9_-]{1,63}$/);
  it("says to others what was asked", () => {
    fc.assert(
      fc.property(
        fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join(".")),
        fc.constantFrom("A", "AAAA", "SRV"),
        (name, type) => {
          const message = decode(Buffer.from(dnsQuery(name, type)));
          expect(message).toMatchObject({ id: 0, type: "query", opcode: "QUERY", flag_rd: true });
          expect(message.questions).toEqual([{ name, type, class: "IN" }]);
        },
      ),
    );
  });

  it.each([
    ["an empty name", ""],
    ["an empty label", "a..b"],
    ["a dot at the end", "a."],
    ["a long label", "a".repeat(64)],
    ["a long name", "a.".repeat(127) + "a"],
  ])("is not made of %s", (_, name) => expect(() => dnsQuery(name, "A")).toThrow("is not a name"));
});
