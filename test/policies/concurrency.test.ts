import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import type { Identity } from "../../src/core/identity.ts";
import { filter, type Step } from "../../src/policies/concurrency/filter.ts";
import { Gates } from "../../src/policies/concurrency/gates.ts";
import { concurrency } from "../../src/policies/concurrency/policy.ts";
import { FakeClock, fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { type At, compilePolicy } from "./compiling.ts";

const KNOWN = { identity: { policies: ["apiKey"] } };
const stepOf = (configs: readonly At[]): Step => {
  const { step, faults } = compilePolicy(concurrency, configs, "only", KNOWN);
  expect(faults).toEqual([]);
  return step as Step;
};
const one = (config: Record<string, unknown>): Step => stepOf([{ config }]);

const IDENTITY = (id: string): Identity => ({ kind: "apiKey", id });

/** Requests that are under way until the test ends them. */
const gateway = (step: Step) => {
  const clock = new FakeClock();
  const open: { exchange: Exchange; answer: () => void; fail: () => void }[] = [];
  const handler = filter(step, fakePorts({ clock }), fakeSite())!(
    (exchange) =>
      new Promise<Response>((resolve, reject) =>
        open.push({
          exchange,
          answer: () => resolve(new Response("served")),
          fail: () => reject(new Error("failed")),
        }),
      ),
  );
  /** Answers 0 for a request that is let in, and the status of its refusal otherwise. */
  const begin = (over: Partial<Exchange> = {}): number => {
    const answered = handler(fakeExchange(new Request("https://api.example.com/"), over));
    if (answered instanceof Response) return answered.status;
    answered.catch(() => undefined);
    return 0;
  };
  const settled = () =>
    new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))));
  return { begin, open, clock, settled, handler };
};

describe("concurrency", () => {
  it("lets in as many at once as it says, and the next when one was answered", async () => {
    const { begin, open, settled } = gateway(one({ max: 2, key: "ip" }));
    expect([begin(), begin(), begin(), begin()]).toEqual([0, 0, 429, 429]);
    open[0]!.answer();
    await settled();
    expect([begin(), begin()]).toEqual([0, 429]);
    open[1]!.fail();
    await settled();
    expect([begin(), begin()]).toEqual([0, 429]);
  });

  it("refuses in words of its own", async () => {
    const { begin, handler } = gateway(one({ max: 1, key: "ip" }));
    begin();
    const exchange = fakeExchange(new Request("https://api.example.com/"));
    const refusal = await handler(exchange);
    expect([refusal.status, refusal.headers.get("retry-after")]).toEqual([429, "1"]);
    expect(await refusal.json()).toMatchObject({ code: "too-many-at-once" });
    expect(exchange.problemCode).toBe("too-many-at-once");
  });

  it.each<[string, () => Response]>([
    ["is answered at once", () => new Response("served")],
    [
      "fails at once",
      () => {
        throw new Error("failed");
      },
    ],
  ])("counts none that %s", async (_, answer) => {
    const handler = filter(one({ max: 1, key: "ip" }), fakePorts(), fakeSite())!(answer);
    const exchange = fakeExchange(new Request("https://api.example.com/"));
    const outcomes: unknown[] = [];
    for (let times = 0; times < 3; times++)
      try {
        outcomes.push((await handler(exchange)).status);
      } catch {
        outcomes.push("failed");
      }
    expect(outcomes).not.toContain(429);
  });

  it.each<[string, Partial<Exchange>, Partial<Exchange>]>([
    ["ip", { clientIp: "192.0.2.1" }, { clientIp: "192.0.2.2" }],
    ["host", { host: "a.example.com" }, { host: "b.example.com" }],
    ["identity", { identity: IDENTITY("a") }, { identity: IDENTITY("b") }],
    ["identity", { clientIp: "192.0.2.1" }, { clientIp: "192.0.2.2" }],
    ["route", { route: { id: "shop.a", api: "shop" } }, { route: { id: "shop.b", api: "shop" } }],
  ])("counts by %s", (key, first, second) => {
    const { begin } = gateway(one({ max: 1, key }));
    expect([begin(first), begin(first), begin(second), begin(second)]).toEqual([0, 429, 0, 429]);
  });

  it("forgets what was never answered, a second late at most, and its end frees nobody else's place", async () => {
    const { begin, open, clock, settled } = gateway(one({ max: 1, key: "ip", forgetAfter: "10s" }));
    begin();
    clock.advance(9999);
    expect(begin()).toBe(429);
    clock.advance(1001);
    expect(begin()).toBe(0);
    open[0]!.answer();
    await settled();
    expect(begin()).toBe(429);
  });

  it("adds up over the levels: who is refused by one takes no place of another", async () => {
    const step = stepOf([
      { config: { max: 3, key: "host" }, level: "gateway", node: "gateway" },
      { config: { max: 1, key: "ip" } },
    ]);
    const { begin, open, settled } = gateway(step);
    const from = (last: number) => ({ clientIp: `192.0.2.${last}` });
    expect([begin(from(1)), begin(from(1)), begin(from(1))]).toEqual([0, 429, 429]);
    expect([begin(from(2)), begin(from(3)), begin(from(4))]).toEqual([0, 0, 429]);
    open[0]!.answer();
    await settled();
    expect(begin(from(4))).toBe(0);
  });

  it("never has more than the most at once, and comes back to nothing", () => {
    const moves = fc.array(
      fc.record({
        ends: fc.boolean(),
        key: fc.constantFrom("a", "b", "c"),
        which: fc.nat(20),
        afterMs: fc.nat(3000),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(moves, fc.integer({ min: 1, max: 4 }), (list, max) => {
        const gates = new Gates(10);
        const open: { key: string; end: () => void; untilMs: number }[] = [];
        let nowMs = Date.parse("2026-01-01T00:00:00Z");
        for (const { ends, key, which, afterMs } of list) {
          nowMs += afterMs;
          if (ends && open.length > 0) open.splice(which % open.length, 1)[0]!.end();
          else if (gates.count(key, nowMs) < max)
            open.push({ key, end: gates.begin(key, nowMs, 5000), untilMs: nowMs + 5000 });
          const count = gates.count(key, nowMs);
          expect(count).toBeLessThanOrEqual(max);
          const live = open.filter((it) => it.key === key && it.untilMs > nowMs).length;
          expect(count).toBeGreaterThanOrEqual(live);
        }
        const isSoon = open.every(({ untilMs }) => untilMs > nowMs);
        for (const { end } of open) end();
        if (isSoon) expect(["a", "b", "c"].map((key) => gates.count(key, nowMs))).toEqual([0, 0, 0]);
        nowMs += 7000;
        expect(["a", "b", "c"].map((key) => gates.count(key, nowMs))).toEqual([0, 0, 0]);
      }),
    );
  });
});

describe("the keys that are busy", () => {
  const NOW = Date.parse("2026-01-01T00:00:00Z");

  it("are forgotten when nothing of them is under way", () => {
    const gates = new Gates(10);
    const [first, second] = [gates.begin("a", NOW, 1000), gates.begin("a", NOW, 1000)];
    first();
    expect(gates.size).toBe(1);
    second();
    expect(gates.size).toBe(0);
  });

  it("are not taken from a newcomer by who was forgotten", () => {
    const gates = new Gates(1);
    const forgotten = gates.begin("a", NOW, 1000);
    gates.begin("b", NOW, 1000);
    gates.begin("a", NOW, 1000);
    forgotten();
    expect(gates.count("a", NOW)).toBe(1);
  });

  it("are bounded, those first of which nothing is left", () => {
    const gates = new Gates(80);
    gates.begin("long", NOW, 100_000);
    for (let index = 0; index < 79; index++) gates.begin(`lost ${index}`, NOW, 1000);
    gates.begin("new", NOW + 5000, 1000);
    expect([gates.size, gates.count("long", NOW + 5000)]).toEqual([2, 1]);
    for (let index = 0; index < 1000; index++) gates.begin(`key ${index}`, NOW + 5000, 100_000);
    expect(gates.size).toBeLessThanOrEqual(80);
  });
});

describe("the settings of concurrency", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["nobody at all", { max: 0, key: "ip" }, "max"],
    ["more than an isolate has", { max: 10_001, key: "ip" }, "max"],
    ["another key", { max: 1, key: "moon" }, "key"],
    ["no key", { max: 1 }, "key"],
    ["to forget at once", { max: 1, key: "ip", forgetAfter: "10ms" }, "forgetAfter"],
    ["to forget never", { max: 1, key: "ip", forgetAfter: "30d" }, "forgetAfter"],
  ])("refuse %s", (_, config, at) => {
    expect(compilePolicy(concurrency, [{ config }]).faults).toMatchObject([{ at }]);
  });

  it("leave public routes out where they are written above, and refuse to be written there", () => {
    const config = { max: 1, key: "identity" };
    const above: At = { config, level: "api", node: "apis.shop" };
    expect(compilePolicy(concurrency, [above])).toEqual({ step: undefined, faults: [] });
    expect(compilePolicy(concurrency, [{ config }]).faults).toMatchObject([
      { code: "identity-key-on-public-route", at: "key" },
    ]);
  });

  it.each(["ip", "identity"])("need addresses for the key %s where nobody may call", (key) => {
    const place = { gateway: { clientIp: undefined }, identity: { policies: ["apiKey"], anonymous: true } };
    expect(compilePolicy(concurrency, [{ config: { max: 1, key } }], "only", place).faults).toMatchObject([
      { code: "client-ip-unknown", at: "key" },
    ]);
  });
});
