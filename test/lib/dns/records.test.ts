import { describe, expect, it } from "vitest";
import { readDnsMessage } from "../../../src/lib/dns/message.ts";
import { recordsOf } from "../../../src/lib/dns/records.ts";
import { address, alias, dnsMessage } from "../../support/dns.ts";

type Records = NonNullable<Parameters<typeof dnsMessage>[0]["answers"]>;

const found = (answers: Records) => {
  const set = recordsOf(readDnsMessage(dnsMessage({ name: "a", type: "A", answers }))!.answers, "a", "A");
  return (
    set && {
      last: set.records.map((record) => ("octets" in record ? record.octets[3] : undefined)),
      ttl: set.ttlSeconds,
    }
  );
};

const chain = (length: number): Records => [
  ...Array.from({ length }, (_, index) => alias(index === 0 ? "a" : `n${index}`, `n${index + 1}`)),
  address(`n${length}`, "192.0.2.9"),
];

describe("the records of a name", () => {
  it.each([
    ["its own", [address("a", "192.0.2.1"), address("a", "192.0.2.2", 20)], [1, 2], 20],
    [
      "those of its alias, for the shorter of the two times",
      [alias("a", "b", 5), address("b", "192.0.2.1")],
      [1],
      5,
    ],
    [
      "those of an alias that comes last",
      [address("c", "192.0.2.1"), alias("b", "c"), alias("a", "b")],
      [1],
      60,
    ],
    [
      "its own before an alias",
      [alias("a", "b"), address("a", "192.0.2.1"), address("b", "192.0.2.2")],
      [1],
      60,
    ],
    ["of the type that was asked for", [address("a", "2001:db8::1", 1), address("a", "192.0.2.1")], [1], 60],
    ["not those of others", [address("b", "192.0.2.1")], [], Number.POSITIVE_INFINITY],
    ["none where an alias leads to nothing", [alias("a", "b", 7)], [], 7],
    ["those behind sixteen aliases", chain(16), [9], 60],
  ] satisfies [string, Records, number[], number][])("are %s", (_, answers, last, ttl) =>
    expect(found(answers)).toEqual({ last, ttl }),
  );

  it.each([
    ["lead back", [alias("a", "b"), alias("b", "a")]],
    ["lead to themselves", [alias("a", "a")]],
    ["are seventeen", chain(17)],
  ] satisfies [string, Records][])("are not found where aliases %s", (_, answers) =>
    expect(found(answers)).toBeUndefined(),
  );
});
