import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { filter, type Step } from "../../src/policies/ip-access/filter.ts";
import { ipAccess } from "../../src/policies/ip-access/policy.ts";
import { type Compiled, compiledApis, planOf, stepsOf } from "../support/compiling.ts";
import { fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { compilePolicy } from "./compiling.ts";

/** A public route with lists at each level, outermost first. */
const levels = (...[gateway, api, route]: (object | undefined)[]): Compiled => {
  const policies = (config: object | undefined): string =>
    config === undefined ? "{}" : JSON.stringify({ ipAccess: config });
  return compiledApis(
    `apis:
  shop:
    public: true
    upstream: orders
    policies: ${policies(api)}
    routes:
      get: { match: { path: /orders }, policies: ${policies(route)} }
`,
    { gateway: `  policies: ${policies(gateway)}\n` },
  );
};

type Ask = (clientIp: string) => Promise<Response>;

/** Links the lists as the gateway does, and answers what a client at an address gets. */
const linked = (compiled: Compiled): Ask => {
  const plan = planOf(compiled);
  const { step } = stepsOf(plan, "shop.get").find(({ policy }) => policy === "ipAccess")!;
  const handler = filter(step as Step, fakePorts(), fakeSite(plan.shared))!(() => new Response("served"));
  return async (clientIp) =>
    handler(fakeExchange(new Request("https://api.example.com/orders"), { clientIp }));
};

const passes = async (ask: Ask, address: string): Promise<boolean> => (await ask(address)).status === 200;

describe("a client", () => {
  const OFFICE = { allow: ["192.0.2.0/24", "10.0.0.1", "2001:db8::/32"] };
  const SPAMMERS = { deny: ["192.0.2.66", "203.0.113.0/24", "2001:db8:bad::/48"] };
  const BOTH = { allow: ["10.0.0.0/8", "2001:db8::/32"], deny: ["10.6.0.0/16", "2001:db8:bad::/48"] };

  it.each<[string, object, string, boolean]>([
    ["in a network that is allowed", OFFICE, "192.0.2.7", true],
    ["at its first address", OFFICE, "192.0.2.0", true],
    ["at its last address", OFFICE, "192.0.2.255", true],
    ["before it", OFFICE, "192.0.1.255", false],
    ["behind it", OFFICE, "192.0.3.0", false],
    ["at the address that is allowed", OFFICE, "10.0.0.1", true],
    ["beside the address that is allowed", OFFICE, "10.0.0.2", false],
    ["in a network of IPv6", OFFICE, "2001:db8::1", true],
    ["outside of it", OFFICE, "2001:db9::1", false],
    ["with an IPv4-mapped address", OFFICE, "::ffff:10.0.0.1", true],
    ["with one in hexadecimal", OFFICE, "::ffff:a00:1", true],
    ["with one that is not allowed", OFFICE, "::ffff:10.0.0.2", false],
    ["with an IPv4-compatible address, which is another", OFFICE, "::10.0.0.1", false],
    ["in any list that only refuses others", SPAMMERS, "198.51.100.1", true],
    ["of IPv6 in any list that only refuses others", SPAMMERS, "2001:db8::1", true],
    ["at an address that is refused", SPAMMERS, "192.0.2.66", false],
    ["in a network that is refused", SPAMMERS, "203.0.113.9", false],
    ["in a network of IPv6 that is refused", SPAMMERS, "2001:db8:bad:1::1", false],
    ["in capitals", SPAMMERS, "2001:DB8:BAD:1::1", false],
    ["with zeros", SPAMMERS, "2001:0db8:0bad:0001:0000:0000:0000:0001", false],
    ["with a zone", SPAMMERS, "2001:db8:bad::1%eth0", false],
    ["with an IPv4-mapped address that is refused", SPAMMERS, "::ffff:203.0.113.9", false],
    ["that is allowed and not refused", BOTH, "10.5.255.255", true],
    ["that is allowed and refused", BOTH, "10.6.0.0", false],
    ["that is allowed and refused, at the end", BOTH, "10.6.255.255", false],
    ["that is allowed behind what is refused", BOTH, "10.7.0.0", true],
    ["that is allowed and refused in IPv6", BOTH, "2001:db8:bad::", false],
    ["listed as IPv4-mapped, with IPv4", { allow: ["::ffff:10.0.0.1"] }, "10.0.0.1", true],
    ["listed as an IPv4-mapped network", { allow: ["::ffff:10.0.0.0/104"] }, "10.9.9.9", true],
    ["of IPv4 where all of IPv6 is refused", { deny: ["::/0"] }, "10.0.0.1", true],
    ["of IPv4-mapped where all of IPv6 is refused", { deny: ["::/0"] }, "::ffff:10.0.0.1", true],
    ["of IPv6 where all of it is refused", { deny: ["::/0"] }, "::1", false],
    ["of IPv4-mapped where all of IPv4 is refused", { deny: ["0.0.0.0/0"] }, "::ffff:10.0.0.1", false],
    ["at the second of two that follow each other", { allow: ["10.0.0.2", "10.0.0.1"] }, "10.0.0.2", true],
    ["behind two that follow each other", { allow: ["10.0.0.2", "10.0.0.1"] }, "10.0.0.3", false],
    ["at 0:0::1, which is ::1", { allow: ["::1"] }, "0:0::1", true],
  ])("%s", async (_, config, address, expected) => {
    expect(await passes(linked(levels(config)), address)).toBe(expected);
  });

  it.each([
    "",
    "unknown",
    "010.0.0.1",
    "10.0.0.1:443",
    "[::1]",
    "10.0.0.1, 10.0.0.1",
    "0x0a000001",
    "10.1",
    "::ffff:010.0.0.1",
  ])(
    "at %j, which is no address that can be read in one way only, is refused by every list (S35)",
    async (address) => {
      const lists = [
        { allow: ["0.0.0.0/0", "::/0"] },
        { deny: ["192.0.2.1"] },
        { allow: ["8.0.0.1", "10.0.0.1"] },
      ];
      for (const config of lists) expect(await passes(linked(levels(config)), address)).toBe(false);
    },
  );

  it("that is refused learns nothing of the lists", async () => {
    const answer = await linked(levels({ allow: ["10.0.0.0/8"] }))("192.0.2.66");
    expect(answer.status).toBe(403);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ code: "ip-refused", status: 403 });
    expect(text).not.toMatch(/\\d+\\.\\d+\\.\\d+/);
  });
});

describe("the lists of several levels", () => {
  it.each<[string, boolean]>([
    ["10.1.0.1", true],
    ["10.2.0.1", false],
    ["10.1.6.1", false],
    ["192.168.0.1", false],
  ])("all hold: %s", async (address, expected) => {
    const all = levels(
      { allow: ["10.0.0.0/8"] },
      { allow: ["10.1.0.0/16", "192.168.0.0/16"] },
      { deny: ["10.1.6.0/24"] },
    );
    expect(await passes(linked(all), address)).toBe(expected);
  });

  it("stand in the plan once, however many routes they hold for", () => {
    const { plan } = compiledApis(
      `apis:
  shop:
    public: true
    upstream: orders
    routes:
      one: { match: { path: /one }, policies: { ipAccess: { deny: [192.0.2.1] } } }
      two: { match: { path: /two } }
      three: { match: { path: /three } }
`,
      { gateway: "  policies: { ipAccess: { allow: [192.0.2.0/24] } }\n" },
    );
    expect(plan!.shared).toMatchObject({
      "ipAccess.gateway": { v4: ["c00002", "c00003"], v6: [] },
      "ipAccess.apis.shop.routes.one": { v4: ["", "c0000201", "c0000202"], v6: [""] },
    });
    expect(stepsOf(plan!, "shop.one")[0]!.step).toEqual({
      sets: ["ipAccess.gateway", "ipAccess.apis.shop.routes.one"],
    });
    expect(stepsOf(plan!, "shop.two")[0]).toBe(stepsOf(plan!, "shop.three")[0]);
  });

  it("hold for requests that no route takes", () => {
    const { plan } = levels({ allow: ["10.0.0.0/8"] });
    expect(plan!.fallback.map((index) => plan!.steps[index]!.policy)).toContain("ipAccess");
  });
});

describe("lists of any form", () => {
  const v4 = fc.tuple(fc.nat(0xffff_ffff), fc.integer({ min: 0, max: 32 })).map(([number, bits]) => {
    const octets = [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join(".");
    return `${ipaddr.IPv4.networkAddressFromCIDR(`${octets}/${bits}`)}/${bits}`;
  });
  // Few distinct octets, so that networks lie in each other and addresses in networks.
  const octet = fc.constantFrom(0, 1, 2, 127, 128, 254, 255);
  const bytes = (length: number) => fc.array(octet, { minLength: length, maxLength: length });
  const narrow = fc
    .tuple(bytes(4), fc.integer({ min: 0, max: 32 }))
    .map(([parts, bits]) => `${ipaddr.IPv4.networkAddressFromCIDR(`${parts.join(".")}/${bits}`)}/${bits}`);
  const v6 = fc.tuple(bytes(16), fc.integer({ min: 0, max: 128 })).map(([parts, bits]) => {
    const address = ipaddr.fromByteArray(parts).toString();
    return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${bits}`)}/${bits}`;
  });
  const list = fc.array(fc.oneof(v4, narrow, v6), { minLength: 1, maxLength: 8 });
  const address = fc.oneof(bytes(4), bytes(16)).map((parts) => ipaddr.fromByteArray(parts));

  /** What ipaddr.js says: mapped addresses and networks are IPv4, and no network takes addresses of the other version. */
  const inList = (networks: readonly string[], one: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
    networks.some((text) => {
      const [base, bits] = ipaddr.parseCIDR(text);
      const mapped = base.kind() === "ipv6" && bits >= 96 && (base as ipaddr.IPv6).isIPv4MappedAddress();
      const [from, length] = mapped ? [(base as ipaddr.IPv6).toIPv4Address(), bits - 96] : [base, bits];
      return from.kind() === one.kind() && one.match(from as ipaddr.IPv4, length);
    });

  it("decide as ipaddr.js does, entry by entry", () => {
    const some = fc.option(list, { nil: undefined });
    fc.assert(
      fc.property(
        some,
        some,
        fc.array(address, { minLength: 1, maxLength: 20 }),
        (allow, deny, addresses) => {
          fc.pre(allow !== undefined || deny !== undefined);
          const shared: Record<string, unknown> = {};
          const config = ipAccess.schema.parse({ ...(allow && { allow }), ...(deny && { deny }) });
          const context = {
            gateway: { clientIp: "connection" },
            share: (name: string, value: unknown) => {
              shared[name] = value;
              return name;
            },
            report: () => {},
          };
          const instance = { config, level: "route", node: "x", path: [] } as const;
          const step = ipAccess.compile([instance], context as never, "only") as Step;
          const handler = filter(step, fakePorts(), fakeSite(shared))!(() => new Response());
          for (const one of addresses) {
            const whole = ipaddr.process(one.toString());
            const expected =
              (allow === undefined || inList(allow, whole)) && !(deny !== undefined && inList(deny, whole));
            const exchange = fakeExchange(new Request("https://api.example.com/"), {
              clientIp: one.toString(),
            });
            expect((handler(exchange) as Response).status).toBe(expected ? 200 : 403);
          }
        },
      ),
      { numRuns: 1500 },
    );
  });
});

describe("a list of 10,000 networks", () => {
  const allow = Array.from(
    { length: 10_000 },
    (_, index) => `${10 + (index >> 12)}.${(index >> 4) & 255}.${(index & 15) * 16}.0/28`,
  );

  it("is decided by a binary search", () => {
    const { step } = compilePolicy(ipAccess, [{ config: { allow } }]);
    expect(step).toBeDefined();
    let reads = 0;
    const plan = planOf(levels({ allow }));
    const { v4, v6 } = plan.shared["ipAccess.gateway"] as { v4: string[]; v6: string[] };
    expect(v4.length).toBe(20_000);
    const watched = new Proxy(v4, {
      get: (target, key) => {
        if (key !== "length") reads++;
        return Reflect.get(target, key) as unknown;
      },
    });
    const handler = filter({ sets: ["one"] }, fakePorts(), fakeSite({ one: { v4: watched, v6 } }))!(
      () => new Response(),
    );
    for (const clientIp of ["10.0.0.1", "11.77.32.15", "255.0.0.1"]) {
      reads = 0;
      handler(fakeExchange(new Request("https://api.example.com/"), { clientIp }));
      expect(reads).toBeLessThanOrEqual(15);
    }
  });

  it("stands in the plan once, however many routes it holds for", () => {
    const routes = Array.from({ length: 50 }, (_, index) => `r${index}: { match: { path: /r${index} } }`);
    const { plan } = compiledApis(
      `apis: { shop: { public: true, upstream: orders, routes: { ${routes.join(", ")} } } }`,
      { gateway: `  policies: { ipAccess: { allow: [${allow.join(", ")}] } }\n` },
    );
    expect(JSON.stringify(plan).length).toBeLessThan(JSON.stringify(plan!.shared).length + 20_000);
  });
});

describe("is at fault", () => {
  const faults = (...configs: object[]) =>
    compilePolicy(
      ipAccess,
      configs.map((config) => ({ config })),
    ).faults.map(({ code, at }) => `${code} ${at}`.trim());

  it.each<[string, object, readonly string[]]>([
    ["no list", {}, ["empty-access"]],
    ["an empty list", { allow: [] }, ["too_small allow"]],
    ["what is no network", { deny: ["10.0.0.1", "office"] }, ["bad-network deny.1"]],
    ["a network that holds another", { deny: ["10.1.0.0/16", "10.0.0.0/8"] }, ["covered-network deny.0"]],
    ["an address twice", { allow: ["::1", "0:0::1"] }, ["covered-network allow.1"]],
    [
      "an entry that is refused anyway",
      { allow: ["10.0.0.1", "::1"], deny: ["10.0.0.0/8"] },
      ["allowed-and-denied allow.0"],
    ],
    [
      "one that two entries refuse",
      { allow: ["10.0.0.0/8", "::1"], deny: ["10.0.0.0/9", "10.128.0.0/9"] },
      ["allowed-and-denied allow.0"],
    ],
    ["nothing: an entry of which a part is refused", { allow: ["10.0.0.0/8"], deny: ["10.0.0.0/9"] }, []],
    [
      "nothing: an entry of which all but the last address is refused",
      { allow: ["10.0.0.0/30"], deny: ["10.0.0.0/31", "10.0.0.2"] },
      [],
    ],
    ["nothing: networks beside each other", { allow: ["10.0.0.0/9", "10.128.0.0/9"] }, []],
    ["nothing: all of one version and an address of the other", { allow: ["0.0.0.0/0", "::1"] }, []],
  ])("%s", (_, config, expected) => {
    expect(faults(config)).toEqual(expected);
  });

  it("a gateway that does not know its clients", () => {
    const { faults: found } = compilePolicy(ipAccess, [{ config: { allow: ["::1"] } }], "only", {
      gateway: { clientIp: undefined },
    });
    expect(found.map(({ code }) => code)).toEqual(["client-ip-unknown"]);
  });

  it.each<[string, object[], readonly string[]]>([
    [
      "have nothing in common",
      [{ allow: ["10.0.0.0/8"] }, { allow: ["192.168.0.0/16"] }],
      ["nobody-allowed"],
    ],
    [
      "refuse what is allowed above",
      [{ allow: ["10.0.0.0/8"] }, { deny: ["10.0.0.0/7"] }],
      ["nobody-allowed"],
    ],
    ["have something in common", [{ allow: ["10.0.0.0/8"] }, { allow: ["10.1.0.0/16"] }], []],
  ])("lists of two levels that %s", (_, configs, expected) => {
    expect(faults(...configs)).toEqual(expected);
  });
});
