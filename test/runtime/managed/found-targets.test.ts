import type { Answer } from "dns-packet";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DiscoveryPlan } from "../../../src/core/upstream-plan.ts";
import { readDnsMessage } from "../../../src/lib/dns/message.ts";
import { type FoundTargets, foundTargets } from "../../../src/runtime/managed/found-targets.ts";
import { address, alias, dnsMessage, service } from "../../support/dns.ts";

const SRV: DiscoveryPlan = {
  url: "https://dns.example/dns-query?dns=x",
  name: "_http._tcp.s.example",
  type: "SRV",
  scheme: "https",
  basePath: "",
  refreshMs: 30_000,
};
const A: DiscoveryPlan = { ...SRV, name: "s.example", type: "A", scheme: "http", port: 8080 };
const AAAA: DiscoveryPlan = { ...A, type: "AAAA" };
const privately = (plan: DiscoveryPlan): DiscoveryPlan => ({ ...plan, network: "private" });

const found = (plan: DiscoveryPlan, answers: readonly Answer[]): FoundTargets =>
  foundTargets(readDnsMessage(dnsMessage({ name: plan.name, type: plan.type, answers }))!, plan)!;

const s = (...rest: [target: string, port: number, more?: Parameters<typeof service>[3]]): Answer =>
  service(SRV.name, ...rest);
const a = (data: string, ttl?: number): Answer => address(A.name, data, ttl);

describe("targets", () => {
  it.each([
    ["of addresses have the plan's port", A, [a("198.20.0.7")], ["http://198.20.0.7:8080"]],
    [
      "of addresses have no port where it is the scheme's",
      { ...A, port: 80 },
      [a("198.20.0.7")],
      ["http://198.20.0.7"],
    ],
    [
      "of IPv6 addresses stand in brackets, in short",
      AAAA,
      [a("2606:4700:0:0::1")],
      ["http://[2606:4700::1]:8080"],
    ],
    ["of SRV records have hosts and ports", SRV, [s("a.example", 8443)], ["https://a.example:8443"]],
    [
      "of SRV records have no port where it is the scheme's",
      SRV,
      [s("a.example", 443)],
      ["https://a.example"],
    ],
    [
      "are found behind an alias",
      A,
      [alias(A.name, "x.example"), address("x.example", "198.20.0.7")],
      ["http://198.20.0.7:8080"],
    ],
    [
      "are in the order of their names, whatever that of the records",
      A,
      [a("198.20.0.9"), a("198.20.0.10")],
      ["http://198.20.0.10:8080", "http://198.20.0.9:8080"],
    ],
    [
      "of the preferred priority come first",
      SRV,
      [s("a.example", 1, { priority: 9 }), s("b.example", 1, { priority: 2 })],
      ["https://b.example:1", "https://a.example:1"],
    ],
  ] as const)("%s", (_, plan, answers, origins) =>
    expect(found(plan, answers).targets.map(({ origin }) => origin)).toEqual(origins),
  );

  it("are named after host and port, and have priority and weight of their records", () => {
    const answers = [
      s("a.example", 443, { priority: 10, weight: 3 }),
      s("b.example", 8443, { priority: 20, weight: 0 }),
    ];
    expect(found(SRV, answers).targets).toEqual([
      { name: "a.example:443", origin: "https://a.example", priority: 10, weight: 300 },
      { name: "b.example:8443", origin: "https://b.example:8443", priority: 20, weight: 1 },
    ]);
    expect(found(A, [a("198.20.0.7")]).targets).toEqual([
      { name: "198.20.0.7:8080", origin: "http://198.20.0.7:8080", priority: 0, weight: 1 },
    ]);
    expect(found(AAAA, [a("2606:4700::1")]).targets[0]?.name).toBe("[2606:4700::1]:8080");
  });

  it.each([
    ["a weight of 0 beside others has a very small chance", [0, 1, 99], [1, 100, 9900]],
    ["weights of 0 among themselves are even", [0, 0], [1, 1]],
    ["weights keep their proportions", [1, 2, 65_535], [100, 200, 6_553_500]],
  ])("%s (RFC 2782)", (_, weights, expected) => {
    const answers = weights.map((weight, index) => s(`${index}.example`, 80, { weight }));
    expect(found(SRV, answers).targets.map(({ weight }) => weight)).toEqual(expected);
  });

  it("that are named twice count once, at the better priority", () => {
    const answers = [
      s("a.example", 80, { priority: 5 }),
      s("A.example", 80, { priority: 1 }),
      s("a.example", 80, { priority: 7 }),
    ];
    const { targets, leftOut } = found(SRV, answers);
    expect({ priorities: targets.map(({ priority }) => priority), leftOut }).toEqual({
      priorities: [1],
      leftOut: [],
    });
  });

  it("hold for the least of their records' times", () => {
    expect(found(A, [a("198.20.0.1", 300), a("198.20.0.2", 20)]).ttlSeconds).toBe(20);
  });

  it("are a hundred at most, the preferred ones", () => {
    const hosts = Array.from({ length: 130 }, (_, index) => `h${String(index).padStart(3, "0")}.example`);
    const answers = hosts.map((host, index) => s(host, 80, { priority: index < 20 ? 2 : 1 }));
    const { targets, leftOut } = found(SRV, answers);
    expect(targets).toHaveLength(100);
    expect(targets.every(({ priority }) => priority === 1)).toBe(true);
    expect(leftOut).toHaveLength(30);
    expect(leftOut.slice(-20)).toEqual(hosts.slice(0, 20).map((host) => `${host}:80`));
  });

  it.each([
    ["where no record was given", [], false],
    ["where a target is named", [s("a.example", 80)], false],
    ["where the only record names the root", [s(".", 0)], true],
    ["where a target is named beside the root", [s(".", 0), s("a.example", 80)], false],
  ] as const)("are withdrawn %s: as it says", (_, answers, withdrawn) => {
    const read = found(SRV, answers);
    expect({ withdrawn: read.withdrawn, leftOut: read.leftOut }).toEqual({ withdrawn, leftOut: [] });
  });

  it("are not found behind aliases that lead in a circle", () => {
    const answers = [alias(A.name, "b"), alias("b", A.name)];
    const message = readDnsMessage(dnsMessage({ name: A.name, type: "A", answers }))!;
    expect(foundTargets(message, A)).toBeUndefined();
  });
});

describe("S28: an answer of DNS", () => {
  const INSIDE = ["127.0.0.1", "10.1.2.3", "192.168.7.7", "172.20.0.1", "100.64.3.3"];
  const INSIDE_6 = ["::1", "fd12:3456::1", "::ffff:10.0.0.1"];
  const NEVER = ["169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "100.100.100.200"];
  const NEVER_6 = ["::", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254"];

  it.each([...INSIDE, ...NEVER])("does not lead to %s", (text) =>
    expect(found(A, [a(text), a("198.20.0.7")])).toMatchObject({
      targets: [{ name: "198.20.0.7:8080" }],
      leftOut: [text],
    }),
  );
  it.each([...INSIDE_6, ...NEVER_6])("does not lead to %s", (text) =>
    expect(found(AAAA, [a(text), a("2606:4700::1")]).targets.map(({ name }) => name)).toEqual([
      "[2606:4700::1]:8080",
    ]),
  );
  it.each(INSIDE)("leads to %s with `network: private`", (text) =>
    expect(found(privately(A), [a(text)]).targets).toHaveLength(1),
  );
  it.each(INSIDE_6)("leads to %s with `network: private`", (text) =>
    expect(found(privately(AAAA), [a(text)]).targets).toHaveLength(1),
  );
  it.each(NEVER)("does not lead to %s, not even with `network: private`", (text) =>
    expect(found(privately(A), [a(text)]).targets).toEqual([]),
  );
  it.each(NEVER_6)("does not lead to %s, not even with `network: private`", (text) =>
    expect(found(privately(AAAA), [a(text)]).targets).toEqual([]),
  );

  it.each(["localhost", "LOCALHOST", "a.localhost"])(
    "does not lead to the host %s without `network: private`",
    (host) => {
      expect(found(SRV, [s(host, 80)])).toMatchObject({ targets: [], leftOut: [host.toLowerCase()] });
      expect(found(privately(SRV), [s(host, 80)]).targets).toHaveLength(1);
    },
  );

  it.each([
    ["an address in the clothes of a name", "127.0.0.1"],
    ["an address as one number", "2130706433"],
    ["an address in hexadecimal", "0x7f.1"],
    ["a name that ends in a number", "a.1"],
    ["a name that begins with a hyphen", "-a.example"],
    ["a name with a sign in it", "a@b.example"],
    ["a name with a slash in it", "a/b.example"],
    ["a name with a colon in it", "a:80.example"],
    ["a name with a space in it", "a b.example"],
  ])("does not lead to %s", (_, host) => expect(found(privately(SRV), [s(host, 80)]).targets).toEqual([]));

  it("does not lead to the port 0", () => expect(found(SRV, [s("a.example", 0)]).targets).toEqual([]));

  it.each(["10-1-2-3.search.svc.cluster.local", "my_service.example", "a", "xn--bcher-kva.example", "1.a"])(
    "leads to %s",
    (host) => expect(found(SRV, [s(host, 80)]).targets[0]?.origin).toBe(`https://${host}:80`),
  );

  it("leads to the host and port of its record, and nowhere else", () => {
    // Whatever bytes stand in a label, the URL that comes of them has that host, or there is none.
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from("az09.-_/\\@:#?[]%")));
    const label = fc.array(octet, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), fc.nat(65_535), (labels, port) => {
        const target = [...labels.flatMap((it) => [it.length, ...it]), 0];
        const data = [0, 0, 0, 0, port >> 8, port & 255, ...target];
        const head = dnsMessage({ name: SRV.name, type: "SRV" });
        const record = [0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255, ...data];
        const bytes = new Uint8Array([...head, ...record]);
        bytes[7] = 1;
        const text = labels.map((it) => String.fromCharCode(...it).toLowerCase()).join(".");
        for (const { origin } of foundTargets(readDnsMessage(bytes)!, SRV)!.targets) {
          expect(labels.flat()).not.toContain(0x2e);
          expect(origin).toBe(port === 443 ? `https://${text}` : `https://${text}:${port}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
