import { encode, TRUNCATED_RESPONSE } from "dns-packet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDnsMessage } from "../../../src/lib/dns/message.ts";
import { address, alias, dnsMessage, service } from "../../support/dns.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));

/** A header that promises so many answers to one question, and the question for `a`, type A; what follows starts at octet 19. */
const HEADER = "0000 8180 0001";
const QUESTION = "0161 00 0001 0001";
const withAnswers = (count: string, answers: string): Uint8Array =>
  hex(`${HEADER} ${count} 0000 0000 ${QUESTION} ${answers}`);

describe("a message", () => {
  it("is read as RFC 8484 section 4.2.2 writes it", () => {
    const message = readDnsMessage(
      hex(`00 00 81 80 00 01 00 01 00 00 00 00 03 77 77 77 07 65 78 61 6d 70 6c 65 03 63 6f 6d 00 00 1c 00 01
        c0 0c 00 1c 00 01 00 00 0e 7d 00 10 20 01 0d b8 ab cd 00 12 00 01 00 02 00 03 00 04`),
    );
    expect(message).toEqual({
      rcode: 0,
      truncated: false,
      question: { name: "www.example.com", type: 28 },
      answers: [
        {
          name: "www.example.com",
          ttlSeconds: 3709,
          type: "AAAA",
          octets: hex("20010db8abcd00120001000200030004"),
        },
      ],
    });
  });

  it("is read as others write it", () => {
    const name = "_http._tcp.Search.Example.com";
    const said = {
      name,
      type: "SRV",
      answers: [
        service(name, "a.search.example.com", 8443, { priority: 10, weight: 65_535, ttl: 30 }),
        service(name, ".", 0, { ttl: 2_147_483_647 }),
        alias("www.example.com", "x_y.example.com"),
        address("a.example.com", "192.0.2.7", 0),
        address("a.example.com", "2001:db8::7"),
        { name: "t.example.com", type: "TXT", ttl: 1, data: "skipped" },
      ],
    } as const;
    const lower = name.toLowerCase();
    expect(readDnsMessage(dnsMessage(said))).toEqual({
      rcode: 0,
      truncated: false,
      question: { name: lower, type: 33 },
      answers: [
        {
          name: lower,
          type: "SRV",
          ttlSeconds: 30,
          priority: 10,
          weight: 65_535,
          port: 8443,
          target: "a.search.example.com",
        },
        { name: lower, type: "SRV", ttlSeconds: 2_147_483_647, priority: 0, weight: 0, port: 0, target: "" },
        { name: "www.example.com", type: "CNAME", ttlSeconds: 60, target: "x_y.example.com" },
        { name: "a.example.com", type: "A", ttlSeconds: 0, octets: new Uint8Array([192, 0, 2, 7]) },
        {
          name: "a.example.com",
          type: "AAAA",
          ttlSeconds: 60,
          octets: hex("20010db8000000000000000000000007"),
        },
      ],
    });
  });

  it.each([
    ["no such name", { rcode: 3 }, { rcode: 3 }],
    ["a server's failure", { rcode: 2 }, { rcode: 2 }],
    ["a truncated answer", { flags: TRUNCATED_RESPONSE }, { truncated: true }],
  ])("tells %s", (_, said, expected) =>
    expect(readDnsMessage(dnsMessage({ name: "a", type: "A", ...said }))).toMatchObject(expected),
  );

  it.each([
    ["a pointer to the question", "c00c 0001 0001 0000003c 0004 c0000201", "a"],
    ["a label and a pointer", "0162 c00c 0001 0001 0000003c 0004 c0000201", "b.a"],
    ["the root", "00 0001 0001 0000003c 0004 c0000201", ""],
    ["capitals", "0141 00 0001 0001 0000003c 0004 c0000201", "a"],
    ["a dot in a label", "03612e62 00 0001 0001 0000003c 0004 c0000201", "a\\046b"],
    ["a line feed and a high byte", "020aff 00 0001 0001 0000003c 0004 c0000201", "\\010\\255"],
    ["a backslash", "015c 00 0001 0001 0000003c 0004 c0000201", "\\092"],
  ])("has %s in a name", (_, answer, name) =>
    expect(readDnsMessage(withAnswers("0001", answer))?.answers).toMatchObject([{ name }]),
  );

  it("takes a time to live of more than 31 bits for none", () => {
    const message = readDnsMessage(withAnswers("0001", "c00c 0001 0001 80000000 0004 c0000201"));
    expect(message?.answers).toMatchObject([{ ttlSeconds: 0 }]);
  });

  it("leaves out records of another class", () => {
    const message = readDnsMessage(withAnswers("0001", "c00c 0001 0003 0000003c 0004 c0000201"));
    expect(message?.answers).toEqual([]);
  });

  it.each([
    ["is empty", ""],
    ["ends in the header", "0000 8180 0001 0000"],
    ["is a question", `0000 0100 0001 0000 0000 0000 ${QUESTION}`],
    ["answers no standard query", `0000 9180 0001 0000 0000 0000 ${QUESTION}`],
    ["answers no question", "0000 8180 0000 0000 0000 0000"],
    ["answers two questions", `0000 8180 0002 0000 0000 0000 ${QUESTION} ${QUESTION}`],
    ["asks of another class", "0000 8180 0001 0000 0000 0000 0161 00 0001 0003"],
    ["promises an answer more than it has", `${HEADER} 0001 0000 0000 ${QUESTION}`],
    ["has a label that runs out of it", `${HEADER} 0001 0000 0000 ${QUESTION} 3f61`],
    [
      "has a record that runs out of it",
      `${HEADER} 0001 0000 0000 ${QUESTION} c00c 0010 0001 0000003c 0005 c0000201`,
    ],
    // The first record, of an unknown type, holds a pointer to itself at octet 31.
    [
      "has a pointer to a pointer that leads in a circle",
      `${HEADER} 0002 0000 0000 ${QUESTION} c00c 0010 0001 0000003c 0002 c01f c01f 0001 0001 0000003c 0004 c0000201`,
    ],
    [
      "has an address of five octets",
      `${HEADER} 0001 0000 0000 ${QUESTION} c00c 0001 0001 0000003c 0005 c000020102`,
    ],
    [
      "has an IPv6 address of four",
      `${HEADER} 0001 0000 0000 ${QUESTION} c00c 001c 0001 0000003c 0004 c0000201`,
    ],
    [
      "has an alias longer than its record",
      `${HEADER} 0001 0000 0000 ${QUESTION} c00c 0005 0001 0000003c 0002 016100`,
    ],
    [
      "has an alias shorter than its record",
      `${HEADER} 0001 0000 0000 ${QUESTION} c00c 0005 0001 0000003c 0004 01610000`,
    ],
    [
      "has a service without a target",
      `${HEADER} 0001 0000 0000 ${QUESTION} c00c 0021 0001 0000003c 0006 000000000050`,
    ],
    ["has a pointer to itself", `${HEADER} 0001 0000 0000 ${QUESTION} c013 0001 0001 0000003c 0004 c0000201`],
    [
      "has a pointer forward",
      `${HEADER} 0001 0000 0000 ${QUESTION} c015 00 0001 0001 0000003c 0004 c0000201`,
    ],
    [
      "has a pointer into its own name",
      `${HEADER} 0001 0000 0000 ${QUESTION} 0162 c013 0001 0001 0000003c 0004 c0000201`,
    ],
    ["has a pointer that nothing follows", `${HEADER} 0001 0000 0000 ${QUESTION} c0`],
    [
      "has a label of another form",
      `${HEADER} 0001 0000 0000 ${QUESTION} 41${"61".repeat(65)} 00 0001 0001 0000003c 0004 c0000201`,
    ],
    [
      "has a name of 256 octets",
      `${HEADER} 0001 0000 0000 ${QUESTION} ${"0161".repeat(126)} 026161 00 0001 0001 0000003c 0004 c0000201`,
    ],
    [
      "promises more than a thousand answers",
      `${HEADER} 03e9 0000 0000 ${QUESTION} ${"c00c 0001 0001 0000003c 0004 c0000201".repeat(1001)}`,
    ],
  ])("is none where it %s", (_, text) => expect(readDnsMessage(hex(text))).toBeUndefined());

  it("may have a name of 255 octets", () => {
    const name = `${"0161".repeat(127)} 00`;
    const message = readDnsMessage(withAnswers("0001", `${name} 0001 0001 0000003c 0004 c0000201`));
    expect(message?.answers[0]?.name).toBe("a.".repeat(126) + "a");
  });

  it("may have a chain of pointers, each further to the front", () => {
    // Each of 200 names is a pointer to the one before it.
    const records = Array.from({ length: 200 }, (_, index) => {
      const before = index === 0 ? 12 : 19 + (index - 1) * 16;
      return `${(0xc000 + before).toString(16)} 0001 0001 0000003c 0004 c0000201`;
    });
    expect(
      readDnsMessage(withAnswers("00c8", records.join("")))?.answers.every(({ name }) => name === "a"),
    ).toBe(true);
  });
});

describe("bytes that anybody may send", () => {
  it("never make it throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void readDnsMessage(bytes)),
      { numRuns: 2000 },
    );
  });

  it("never make it throw where they begin like a message", () => {
    // Pointers and small numbers are what leads somewhere.
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 12, 19, 33, 0xc0));
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 300 }), (octets) => {
        const begin = hex(`${HEADER} 0005 0000 0000 ${QUESTION}`);
        const message = readDnsMessage(new Uint8Array([...begin, ...octets]));
        for (const { name } of message?.answers ?? []) expect(name.length).toBeLessThan(1024);
      }),
      { numRuns: 3000 },
    );
  });

  it("never make it throw where a sound message is cut or changed", () => {
    const name = "_http._tcp.search.example.com";
    const sound = dnsMessage({
      name,
      type: "SRV",
      answers: [
        service(name, "a.example.com", 80),
        alias("a.example.com", "b.example.com"),
        address("b.example.com", "::1"),
      ],
    });
    fc.assert(
      fc.property(fc.nat(sound.length), fc.nat(sound.length - 1), fc.nat(255), (length, at, octet) => {
        const bytes = sound.slice(0, length);
        if (at < length) bytes[at] = octet;
        readDnsMessage(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it("never take long", () => {
    // A thousand records, each with a name of 127 labels at the end of a pointer, in 64 KiB.
    const name = `${"0161".repeat(127)}00`;
    const first = `${name} 0001 0001 0000003c 0004 c0000201`;
    const others = "c013 0001 0001 0000003c 0004 c0000201".repeat(999);
    const bytes = withAnswers("03e8", first + others);
    const begun = performance.now();
    expect(readDnsMessage(bytes)?.answers).toHaveLength(1000);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

describe("what others write", () => {
  it("is read as it was meant", () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
    const host = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
    const number = fc.nat(65_535);
    const record = fc.record({
      name: host,
      target: host,
      port: number,
      priority: number,
      weight: number,
      ttl: fc.nat(2_147_483_647),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        const answers = records.map(({ name, target, ttl, ...data }) => ({
          name,
          type: "SRV" as const,
          ttl,
          data: { target, ...data },
        }));
        const bytes = encode({ type: "response", questions: [{ name: "q", type: "SRV" }], answers });
        const read = readDnsMessage(new Uint8Array(bytes));
        expect(read?.answers).toEqual(
          records.map(({ ttl, ...rest }) => ({ type: "SRV", ttlSeconds: ttl, ...rest })),
        );
      }),
    );
  });
});
