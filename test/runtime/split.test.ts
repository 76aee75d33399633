import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancer as balancerOf, type HashPlan } from "../../src/balancers/hash.ts";
import type { Exchange } from "../../src/core/exchange.ts";
import type { HeaderEdit } from "../../src/core/header-edits.ts";
import type { LanePlan, SplitPlan, StickyPlan } from "../../src/core/plan.ts";
import type { RequestExchange } from "../../src/runtime/exchange.ts";
import { linkSplit } from "../../src/runtime/split.ts";
import { fakeExchange, fakePorts, seededRandom } from "../support/ports.ts";

type Shares = Readonly<Record<string, number>>;

const lanesOf = (shares: Shares): LanePlan[] =>
  Object.entries(shares).map(([upstream, share]) => ({ upstream, share }));

/** Names the lane of a request; with a key it is that of a client address. */
const linked = (shares: Shares, sticky?: StickyPlan, seed = 1): ((over?: Partial<Exchange>) => string) => {
  const lanes = lanesOf(shares);
  const plan: SplitPlan = { kind: "split", lanes, ...(sticky && { sticky }) };
  const ports = fakePorts({ random: { number: seededRandom(seed), uuid: () => "" } });
  const choose = linkSplit(plan, ports);
  const usual = fakeExchange(new Request("https://api.example.com/"));
  return (over) => lanes[choose({ ...usual, ...over } as unknown as RequestExchange)]!.upstream;
};

const byHeader: StickyPlan = { by: "header", name: "x-key" };
const keyed = (key: string): Partial<Exchange> => ({
  request: new Request("https://api.example.com/", { headers: { "x-key": key } }),
});

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const counted = (names: readonly string[], name: string): number => names.filter((it) => it === name).length;

/** Two to eight lanes whose shares come to 1. */
const shares = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 8 })
  .filter((parts) => parts.some((part) => part > 0))
  .map((parts): Shares => {
    const whole = parts.reduce((sum, part) => sum + part, 0);
    return Object.fromEntries(parts.map((part, index) => [`lane-${index}`, part / whole]));
  });

describe("requests that are dealt out one by one", () => {
  it("come to the shares within three, at any time and however it begins", () => {
    fc.assert(
      fc.property(shares, fc.integer(), fc.integer({ min: 1, max: 600 }), (parts, seed, requests) => {
        const pick = linked(parts, undefined, seed);
        const names = times(requests, () => pick());
        for (const [name, share] of Object.entries(parts))
          expect(Math.abs(counted(names, name) - share * requests)).toBeLessThanOrEqual(3);
      }),
    );
  });

  it.each<[Shares]>([
    [{ orders: 0.95, next: 0.05 }],
    [{ orders: 0.5, next: 0.5 }],
    [{ a: 0.7, b: 0.2, c: 0.1 }],
  ])("of %o are within one, and spaced evenly", (parts) => {
    const pick = linked(parts);
    const names = times(2000, () => pick());
    for (const [name, share] of Object.entries(parts)) {
      expect(Math.abs(counted(names, name) - share * 2000)).toBeLessThanOrEqual(1.5);
      const places = names.flatMap((it, index) => (it === name ? [index] : []));
      const gaps = places.slice(1).map((place, index) => place - places[index]!);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(2 / share));
    }
  });

  it("have the odds of the shares in every isolate's first request, and in its tenth", () => {
    const isolates = times(4000, (seed) => linked({ a: 0.7, b: 0.25, c: 0.05 }, undefined, seed));
    for (const request of [1, 2, 10]) {
      const names = isolates.map((pick) => times(request === 10 ? 8 : 1, () => pick()).at(-1)!);
      expect(counted(names, "b") / 4000).toBeCloseTo(0.25, 1);
      expect(Math.abs(counted(names, "c") / 4000 - 0.05)).toBeLessThan(0.015);
    }
  });

  it("never go down a lane of 0%", () => {
    const pick = linked({ a: 0, b: 1, c: 0 });
    expect(new Set(times(500, () => pick()))).toEqual(new Set(["b"]));
  });
});

describe("callers that stay in their lanes", () => {
  const KEYS = times(20_000, (index) => `caller-${index}`);
  const all = (parts: Shares): string[] => {
    const pick = linked(parts, byHeader);
    return KEYS.map((key) => pick(keyed(key)));
  };

  it("come to the shares", () => {
    const names = all({ a: 0.6, b: 0.3, c: 0.09, d: 0.01 });
    for (const [name, share] of Object.entries({ a: 0.6, b: 0.3, c: 0.09, d: 0.01 })) {
      const deviation = Math.sqrt((share * (1 - share)) / KEYS.length);
      expect(Math.abs(counted(names, name) / KEYS.length - share)).toBeLessThan(4 * deviation);
    }
  });

  it("are the same in every isolate, in whatever order the lanes stand", () => {
    expect(all({ b: 0.4, a: 0.6 })).toEqual(all({ a: 0.6, b: 0.4 }));
  });

  it("of a new version stay there as its share grows from 0% to 100%", () => {
    let before = all({ orders: 1, next: 0 });
    expect(new Set(before)).toEqual(new Set(["orders"]));
    for (const share of [0.01, 0.05, 0.2, 0.5, 0.9, 1]) {
      const now = all({ orders: 1 - share, next: share });
      const left = before.filter((name, index) => name === "next" && now[index] !== "next");
      expect(left).toEqual([]);
      before = now;
    }
    expect(new Set(before)).toEqual(new Set(["next"]));
  });

  it("only leave a lane for one that grew by a larger factor", () => {
    const key = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => /^[!-~]+$/.test(text));
    const pair = shares.chain((before) => {
      const names = Object.keys(before);
      return fc
        .array(fc.integer({ min: 0, max: 1000 }), { minLength: names.length, maxLength: names.length })
        .filter((parts) => parts.some((part) => part > 0))
        .map((parts): [Shares, Shares] => {
          const whole = parts.reduce((sum, part) => sum + part, 0);
          return [before, Object.fromEntries(names.map((name, index) => [name, parts[index]! / whole]))];
        });
    });
    fc.assert(
      fc.property(pair, fc.array(key, { minLength: 1, maxLength: 30 }), ([before, after], keys) => {
        const [was, is] = [linked(before, byHeader), linked(after, byHeader)];
        for (const text of keys) {
          const [from, to] = [was(keyed(text)), is(keyed(text))];
          if (from === to) continue;
          const [left, entered] = [from, to].map((name) => after[name]! / before[name]!);
          expect(entered).toBeGreaterThan(left!);
        }
      }),
    );
  });

  it("are not those whom a balancer sends to one target, even of the same name", () => {
    const targets = [
      { name: "a", weight: 1 },
      { name: "b", weight: 1 },
    ];
    const hash: HashPlan = { name: "hash", by: "header", field: "x-key", fallback: "random" };
    const balancer = balancerOf(targets, hash, fakePorts());
    const names = all({ a: 0.5, b: 0.5 });
    const same = KEYS.filter(
      (key, index) => targets[balancer.pick(keyed(key) as Exchange)]!.name === names[index],
    );
    expect(Math.abs(same.length / KEYS.length - 0.5)).toBeLessThan(0.02);
  });
});

describe("what a caller is known by", () => {
  const parts = { a: 0.5, b: 0.5 };
  /** Whether requests of twenty callers each go one way, and whether all of them together do. */
  const stays = (
    sticky: StickyPlan,
    requestOf: (caller: number, time: number) => Partial<Exchange>,
  ): { each: boolean; all: boolean } => {
    const pick = linked(parts, sticky);
    const lanes = times(20, (caller) => new Set(times(8, (time) => pick(requestOf(caller, time)))));
    return {
      each: lanes.every(({ size }) => size === 1),
      all: new Set(lanes.flatMap((it) => [...it])).size === 1,
    };
  };
  const somebody = (id: string) => ({ kind: "jwt", id });
  const headers = (fields: Record<string, string>): Partial<Exchange> => ({
    request: new Request("https://api.example.com/", { headers: fields }),
  });

  it.each<[string, StickyPlan, (caller: number, time: number) => Partial<Exchange>]>([
    [
      "an identity, from any address",
      { by: "identity" },
      (caller, time) => ({ identity: somebody(`main:${caller}`), clientIp: `192.0.2.${time}` }),
    ],
    [
      "the address of one without an identity",
      { by: "identity" },
      (caller) => ({ identity: { kind: "anonymous", id: "" }, clientIp: `192.0.2.${caller}` }),
    ],
    [
      "the address, where nobody is asked",
      { by: "identity" },
      (caller) => ({ clientIp: `192.0.2.${caller}` }),
    ],
    ["an IPv4 address", { by: "ip" }, (caller) => ({ clientIp: `192.0.2.${caller}` })],
    [
      "the /64 of an IPv6 address",
      { by: "ip" },
      (caller, time) => ({ clientIp: `2001:db8:0:${caller}::${time}` }),
    ],
    ["a header field", byHeader, (caller, time) => headers({ "x-key": `k${caller}`, "x-other": `${time}` })],
    [
      "a cookie among others",
      { by: "cookie", name: "lane", maxAgeSeconds: 60 },
      (caller, time) => headers({ cookie: `a=${time}; lane=v${caller}; b=1` }),
    ],
  ])("%s", (_, sticky, requestOf) => {
    expect(stays(sticky, requestOf)).toEqual({ each: true, all: false });
  });

  it.each<[string, StickyPlan, Partial<Exchange>]>([
    ["an address that the gateway may not know", { by: "ip" }, { clientIp: "" }],
    [
      "anonymous from an address that the gateway may not know",
      { by: "identity" },
      { identity: { kind: "anonymous", id: "" }, clientIp: "" },
    ],
    ["a header field that is absent", byHeader, {}],
    ["a header field that is empty", byHeader, headers({ "x-key": "" })],
  ])("not %s: such requests are dealt out", (_, sticky, over) => {
    const pick = linked({ a: 0.75, b: 0.25 }, sticky);
    const names = times(400, () => pick(over));
    expect(Math.abs(counted(names, "b") - 100)).toBeLessThanOrEqual(1);
  });
});

describe("the cookie", () => {
  const sticky: StickyPlan = { by: "cookie", name: "lane", maxAgeSeconds: 2_592_000 };
  const visit = (
    over: Partial<Exchange> = {},
    seed = 1,
  ): { readonly lane: string; readonly edits: readonly HeaderEdit[] } => {
    const answerEdits: HeaderEdit[] = [];
    const lane = linked({ a: 0.5, b: 0.5 }, sticky, seed)({ ...over, answerEdits });
    return { lane, edits: answerEdits };
  };
  const cookieOf = (edits: readonly HeaderEdit[]): string =>
    edits.flatMap((edit) => (edit.op === "add" && edit.name === "set-cookie" ? [edit.value] : [])).join("\n");

  it("is given to whoever has none, with all that keeps it to the gateway", () => {
    expect(cookieOf(visit().edits)).toMatch(
      /^lane=[0-9a-z]{1,7}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Lax; Secure$/,
    );
  });

  it("is not for caches to hand on", () => {
    expect(visit().edits).toContainEqual({
      op: "merge",
      name: "cache-control",
      value: 'no-cache="set-cookie"',
    });
  });

  it("is not Secure where the request came by http, or the browser would drop it", () => {
    expect(cookieOf(visit({ scheme: "http" }).edits)).toMatch(/SameSite=Lax$/);
  });

  it("is set once: who has it keeps it", () => {
    const request = new Request("https://api.example.com/", { headers: { cookie: "lane=abc" } });
    expect(visit({ request }).edits).toEqual([]);
  });

  it.each([["lane="], ["other=1"], ["lane"], ["xlane=1"]])("is given where the field is %s", (cookie) => {
    const request = new Request("https://api.example.com/", { headers: { cookie } });
    expect(cookieOf(visit({ request }).edits)).not.toBe("");
  });

  it("leads to the lane in which the request was that brought it", () => {
    const lanes = times(60, (seed) => {
      const first = visit({}, seed);
      const value = /lane=([^;]+)/.exec(cookieOf(first.edits))![1]!;
      const request = new Request("https://api.example.com/", { headers: { cookie: `lane=${value}` } });
      expect(visit({ request }, seed + 1).lane).toBe(first.lane);
      return first.lane;
    });
    expect(new Set(lanes)).toEqual(new Set(["a", "b"]));
  });
});
