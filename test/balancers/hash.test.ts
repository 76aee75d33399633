import { describe, expect, it } from "vitest";
import { balancer as factory, type HashPlan } from "../../src/balancers/hash.ts";
import type { BalancedTarget, Balancer } from "../../src/core/balancer.ts";
import type { Exchange } from "../../src/core/exchange.ts";
import { fakeExchange } from "../support/ports.ts";
import { anyExchange, link, pool } from "./support.ts";

const byIp: HashPlan = { name: "hash", by: "ip", fallback: "random" };
const KEYS = 40_000;
const keys = Array.from(
  { length: KEYS },
  (_, key) => ({ ...anyExchange, clientIp: `user-${key}` }) as Exchange,
);

/** The name of the target of every key. */
const owners = (targets: readonly BalancedTarget[], usable?: (index: number) => boolean): string[] => {
  const { balancer } = link(factory, targets, byIp);
  return keys.map((exchange) => targets[balancer.pick(exchange, usable)]?.name ?? "-");
};
const moved = (before: readonly string[], after: readonly string[]): number =>
  before.filter((owner, key) => owner !== after[key]).length;
const share = (all: readonly string[], name: string): number =>
  all.filter((owner) => owner === name).length / KEYS;

describe("consistent hash: keys that move", () => {
  it.each([2, 3, 4, 5, 8, 13, 21, 34, 50])(
    "one of %i targets comes or goes: at most 1.2/n, all to or from it",
    (n) => {
      const large = pool(...new Array<number>(n).fill(1));
      const added = large[Math.floor(n / 2)]!;
      const small = large.filter((target) => target !== added);
      const before = owners(small);
      const after = owners(large);
      expect(moved(before, after)).toBeLessThanOrEqual((1.2 / n) * KEYS);
      for (const [key, owner] of after.entries()) if (owner !== before[key]) expect(owner).toBe(added.name);
    },
  );

  it("one that is not usable loses its keys, and no other key moves", () => {
    const targets = pool(1, 2, 1, 3, 1);
    const before = owners(targets);
    const during = owners(targets, (index) => index !== 1);
    for (const [key, owner] of before.entries())
      if (owner === "b") expect(during[key]).not.toBe("b");
      else expect(during[key]).toBe(owner);
    const spread = ["a", "c", "d", "e"].map((name) => share(during, name) - share(before, name));
    for (const more of spread) expect(more).toBeGreaterThan(0.02);
    expect(owners(targets)).toEqual(before);
  });

  it("the order of the targets is of no account", () => {
    const targets = pool(3, 1, 2, 5);
    expect(owners(targets.toReversed())).toEqual(owners(targets));
  });

  it("a weight that grows takes keys and gives none", () => {
    const before = owners(pool(1, 1, 1, 1));
    const after = owners(pool(1, 1, 2, 1));
    for (const [key, owner] of after.entries()) if (owner !== before[key]) expect(owner).toBe("c");
    expect(Math.abs(moved(before, after) / KEYS - (0.4 - 0.25))).toBeLessThan(0.01);
  });
});

describe("consistent hash: shares", () => {
  it.each([
    [[1, 1]],
    [[1, 1, 1, 1, 1, 1, 1]],
    [[90, 10]],
    [[5, 0, 3, 2]],
    [[0.1, 0.2, 0.7]],
    [[1, 2, 3, 4, 5, 6]],
  ])("weights %j hold within a point", (weights) => {
    const targets = pool(...weights);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const found = owners(targets);
    for (const { name, weight } of targets)
      expect(Math.abs(share(found, name) - weight / total)).toBeLessThan(0.01);
    for (const { name, weight } of targets) if (weight === 0) expect(share(found, name)).toBe(0);
  });

  it("hold with names and keys that differ in one character only", () => {
    const targets = Array.from({ length: 8 }, (_, i) => ({ name: `orders-eu-${i}`, weight: 1 }));
    for (const name of targets.map((target) => target.name))
      expect(Math.abs(share(owners(targets), name) - 1 / 8)).toBeLessThan(0.01);
  });
});

describe("consistent hash: keys", () => {
  const request = (headers: Record<string, string> = {}) =>
    new Request("https://api.example.com/", { headers });
  const from = (headers: Record<string, string>, over: Partial<Exchange> = {}): Exchange =>
    fakeExchange(request(headers), over);
  const identity = (id: string, kind = "jwt") => ({ identity: { kind, id } });
  const plans: Record<string, HashPlan> = {
    header: { name: "hash", by: "header", field: "x-user", fallback: "random" },
    cookie: { name: "hash", by: "cookie", field: "session", fallback: "random" },
    param: { name: "hash", by: "param", field: "userId", fallback: "random" },
    identity: { name: "hash", by: "identity", fallback: "random" },
    ip: byIp,
  };
  const given: Record<string, (key: string) => Exchange> = {
    header: (key) => from({ "X-User": key, cookie: "session=other" }),
    cookie: (key) => from({ cookie: `a=1; session=${key}; b=2`, "x-user": "other" }),
    param: (key) => from({}, { params: { userId: key, orderId: "other" } }),
    identity: (key) => from({}, identity(key)),
    ip: (key) => from({}, { clientIp: key }),
  };
  const targets = pool(...new Array<number>(20).fill(1));
  /** How many targets fifty picks find. */
  const spread = (balancer: Balancer, exchange: Exchange): number =>
    new Set(Array.from({ length: 50 }, () => balancer.pick(exchange))).size;

  it.each(Object.keys(plans))("the same %s goes to the same target in every isolate", (by) => {
    const found = new Set<number>();
    for (let key = 0; key < 50; key++) {
      const picks = [1, 2].map((seed) =>
        link(factory, targets, plans[by]!, seed).balancer.pick(given[by]!(`k${key}`)),
      );
      expect(picks[0]).toBe(picks[1]);
      found.add(picks[0]!);
    }
    expect(found.size).toBeGreaterThan(10);
  });

  const absent: readonly { by: string; where: string; exchange: Exchange }[] = [
    { by: "header", where: "there is none", exchange: from({}) },
    { by: "header", where: "it is empty", exchange: from({ "x-user": "" }) },
    { by: "cookie", where: "there is none", exchange: from({}) },
    { by: "cookie", where: "it is another", exchange: from({ cookie: "sessions=1; xsession=2" }) },
    { by: "param", where: "the route has none", exchange: from({}) },
    { by: "identity", where: "nobody was identified", exchange: from({}) },
    {
      by: "identity",
      where: "the caller is anonymous",
      exchange: from({}, identity("anonymous", "anonymous")),
    },
  ];
  it.each(absent)("by $by, and $where: chance decides", ({ by, exchange }) => {
    expect(spread(link(factory, targets, plans[by]!).balancer, exchange)).toBeGreaterThan(10);
  });
  it.each(absent)("by $by, and $where, with `fallback: ip`: the address decides", ({ by, exchange }) => {
    const { balancer } = link(factory, targets, { ...plans[by]!, fallback: "ip" });
    const over = Array.from(
      { length: 50 },
      (_, i) => ({ ...exchange, clientIp: `192.0.2.${i}` }) as Exchange,
    );
    expect(new Set(over.map((one) => balancer.pick(one))).size).toBeGreaterThan(10);
    for (const one of over) expect(spread(balancer, one)).toBe(1);
    expect(balancer.pick(over[0]!)).toBe(link(factory, targets, byIp).balancer.pick(over[0]!));
  });
  it.each([
    { says: "by ip", plan: byIp },
    { says: "as the fallback", plan: { ...plans["header"]!, fallback: "ip" } as HashPlan },
  ])("an address that is not known, $says: chance decides", ({ plan }) => {
    expect(spread(link(factory, targets, plan).balancer, from({}, { clientIp: "" }))).toBeGreaterThan(10);
  });

  it("chance honors the weights", () => {
    const { balancer } = link(factory, pool(9, 1), plans["header"]!);
    const picks = Array.from({ length: 20_000 }, () => balancer.pick(anyExchange));
    expect(Math.abs(picks.filter((index) => index === 0).length / picks.length - 0.9)).toBeLessThan(0.01);
  });

  it("a parameter named as a property of every object is not there", () => {
    const plan: HashPlan = { name: "hash", by: "param", field: "constructor", fallback: "random" };
    expect(spread(link(factory, targets, plan).balancer, from({}))).toBeGreaterThan(10);
  });
});
