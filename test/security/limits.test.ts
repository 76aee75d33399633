import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, dial, fieldOf, requestText } from "../e2e/wire.ts";
import { type Ground, HOST, startGround, statusOf, upstream } from "./support.ts";

// S34 and S35: a limit holds for requests at once, and addresses are compared as numbers.

let ground: Ground<"shop">;

beforeAll(async () => {
  const limits = (text: string): string => `{ rateLimit: { limits: [${text}] } }`;
  ground = await startGround(
    ["shop"],
    ({ shop }) => `
gateway: { name: limits, hosts: { public: ${HOST} }, clientIp: { forwardedFor: { trustedHops: 1 } } }
upstreams: { shop: ${upstream(shop)} }
apis:
  open:
    public: true
    upstream: shop
    routes:
      sliding: { match: { path: /sliding }, policies: ${limits("{ name: it, rate: 50/1h, key: ip }")} }
      fixed: { match: { path: /fixed }, policies: ${limits("{ name: it, rate: 50/1h, key: ip, algorithm: fixedWindow }")} }
      bucket: { match: { path: /bucket }, policies: ${limits("{ name: it, rate: 50/1h, key: ip, algorithm: tokenBucket }")} }
      header: { match: { path: /header }, policies: ${limits("{ name: it, rate: 50/1h, key: { header: x-caller } }")} }
      both: { match: { path: /both }, policies: ${limits("{ name: it, rate: 50/1h, key: ip }, { name: other, rate: 30/1h, key: host }")} }
      edge: { match: { path: /edge }, policies: ${limits("{ name: it, rate: 10/1s, key: ip }")} }
      ten: { match: { path: /ten }, policies: { ipAccess: { allow: [10.0.0.0/8] } } }
      one: { match: { path: /one }, policies: { ipAccess: { allow: ["::1"] } } }
      six: { match: { path: /six }, policies: { ipAccess: { allow: ["2001:db8::/32"] } } }
      mapped: { match: { path: /mapped }, policies: { ipAccess: { allow: ["::ffff:10.0.0.0/104"] } } }
      denied: { match: { path: /denied }, policies: { ipAccess: { deny: [10.0.0.0/8, "::1", "2001:db8::/32"] } } }
`,
  );
});
afterAll(() => ground.stop());

const from = (address: string): string => `X-Forwarded-For: ${address}`;

/** So many requests at once, each on a connection of its own that is open before the first is sent. */
const atOnce = async (
  count: number,
  path: string,
  fields: (index: number) => readonly string[],
): Promise<Record<string, number>> => {
  const wires = await Promise.all(Array.from({ length: count }, () => dial(ground.gateway.port)));
  for (const [index, wire] of wires.entries())
    wire.send(requestText(`GET ${path}`, [...fields(index), "Connection: close"]));
  const statuses: Record<string, number> = {};
  for (const wire of wires) {
    const { status } = await wire.answer();
    statuses[status] = (statuses[status] ?? 0) + 1;
    wire.socket.destroy();
  }
  return statuses;
};

describe("of 200 requests at once, as many pass as the limit says (S34)", () => {
  it.each(["/sliding", "/fixed", "/bucket"])("%s", async (path) => {
    const before = ground.origins.shop.asked.length;
    expect(await atOnce(200, path, () => [from("192.0.2.1")])).toEqual({ 200: 50, 429: 150 });
    expect(ground.origins.shop.asked.length - before).toBe(50);
    // Another caller's is untouched (the control).
    expect(await atOnce(50, path, () => [from("192.0.2.2")])).toEqual({ 200: 50 });
  });

  it("by a header", async () => {
    expect(await atOnce(200, "/header", () => ["X-Caller: a"])).toEqual({ 200: 50, 429: 150 });
  });

  it("where there are two, the smaller, and who is refused by one is not charged by the other", async () => {
    expect(await atOnce(100, "/both", () => [from("192.0.2.1")])).toEqual({ 200: 30, 429: 70 });
  });

  it("also from many addresses of one network (IPv6 by /64), and from none", async () => {
    expect(await atOnce(80, "/sliding", (index) => [from(`2001:db8:1:1::${index.toString(16)}`)])).toEqual({
      200: 50,
      429: 30,
    });
    expect(await atOnce(60, "/fixed", () => [])).toEqual({
      200: 50,
      429: 10,
    });
  });

  it("and in no second that begins anywhere more than in one", async () => {
    const passed: number[] = [];
    const end = performance.now() + 2600;
    while (performance.now() < end) {
      const sent = performance.now();
      if (
        (await ask(ground.gateway.port, requestText("GET /edge", [from("192.0.2.9"), "Connection: close"])))
          .status === 200
      )
        passed.push(sent);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(passed.length).toBeGreaterThan(15);
    // Times are those of the client: 100 ms for the way there.
    for (const [index, at] of passed.entries())
      expect(passed.slice(index).filter((other) => other < at + 900).length).toBeLessThanOrEqual(10);
  });

  it("a refusal says when to come again", async () => {
    const { answer } = await ground.request("GET /sliding", [from("192.0.2.1")]);
    expect([statusOf(answer), Number(fieldOf(answer, "retry-after")) > 0]).toEqual([
      "429 rate-limited",
      true,
    ]);
  });
});

describe("an address is compared as the number that it is (S35):", () => {
  const at = async (path: string, address: string): Promise<string> =>
    statusOf((await ground.request(`GET ${path}`, [from(address)])).answer);

  it.each([
    ...[
      "10.0.0.1",
      "::ffff:10.0.0.1",
      "::FFFF:10.0.0.1",
      "::ffff:a00:1",
      "0:0:0:0:0:ffff:10.0.0.1",
      "0000:0000:0000:0000:0000:FFFF:0A00:0001",
      "[::ffff:10.0.0.1]:80",
      "10.0.0.1:80",
    ],
  ])("%s is in 10.0.0.0/8, however it is written", async (address) => {
    expect([await at("/ten", address), await at("/mapped", address), await at("/denied", address)]).toEqual([
      "200",
      "200",
      "403 ip-refused",
    ]);
  });

  it.each(["::1", "0:0::1", "0:0:0:0:0:0:0:1", "0000::0001", "::0001", "[::1]", "[::1]:443", "::1%lo"])(
    "%s is ::1",
    async (address) => {
      expect([await at("/one", address), await at("/denied", address)]).toEqual(["200", "403 ip-refused"]);
    },
  );

  it.each(["2001:db8::1", "2001:DB8::1", "2001:0db8:0:0::1", "2001:db8::1%eth0", "2001:db8::192.0.2.1"])(
    "%s is in 2001:db8::/32",
    async (address) => {
      expect([await at("/six", address), await at("/denied", address)]).toEqual(["200", "403 ip-refused"]);
    },
  );

  it.each([
    ...[
      "010.0.0.1",
      "0x0a.0.0.1",
      "167772161",
      "10.1",
      "10.0.0",
      "10.0.0.256",
      "10.0.0.1.1",
      "10.0.0.-1",
      "10.0.0.1 ",
      "１０.0.0.1",
      "10.0.0.1/8",
    ].slice(0, 8),
    ...[
      "10.0.0.1.1",
      "10.0.0.1/8",
      "10..0.1",
      "::ffff:010.0.0.1",
      "::ffff:10.0.0.256",
      ":::1",
      "1::2::3",
      "::1::",
      "12345::",
      "::g",
      "10.0.0.1%eth0",
      "localhost",
      "",
      "-",
    ],
  ])("%j is no address, and so on no list: it may nothing", async (address) => {
    for (const path of ["/ten", "/one", "/six", "/mapped", "/denied"])
      expect(await at(path, address)).toBe("403 ip-refused");
  });

  it("another one is on no list, and not denied (the control)", async () => {
    expect([
      await at("/ten", "11.0.0.1"),
      await at("/denied", "11.0.0.1"),
      await at("/six", "2001:db9::1"),
      await at("/denied", "2001:db9::1"),
    ]).toEqual(["403 ip-refused", "200", "403 ip-refused", "200"]);
  });
});
