import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IsolatePurges, PurgeTable, UNITS_A_MS } from "../../src/adapters/memory/purges.ts";
import {
  EVERYTHING,
  pathScope,
  prefixScope,
  queryScope,
  scopesOfEntry,
  tagScope,
} from "../../src/core/purge.ts";
import { FakeClock } from "../support/ports.ts";

const HOST = "api.example.com";
const A = tagScope("a");
const B = tagScope("b");

describe("the scopes of an entry", () => {
  const has = (scope: string, path: string, query = "", tags: string[] = []): boolean =>
    scopesOfEntry(HOST, path, query, tags).includes(scope);

  it.each([
    ["its path", pathScope(HOST, "/orders/1"), "/orders/1", true],
    ["its path, whatever its query", pathScope(HOST, "/orders/1"), "/orders/1?a=1", true],
    ["another path", pathScope(HOST, "/orders"), "/orders/1", false],
    ["its query", queryScope(HOST, "/orders", "a=1"), "/orders?a=1", true],
    ["another query", queryScope(HOST, "/orders", "a=2"), "/orders?a=1", false],
    ["a prefix of its segments", prefixScope(HOST, "/orders"), "/orders/1", true],
    ["the prefix that it is itself", prefixScope(HOST, "/orders"), "/orders", true],
    ["the prefix with a slash behind it", prefixScope(HOST, "/orders"), "/orders/", true],
    ["a prefix of its letters", prefixScope(HOST, "/orders"), "/ordersX", false],
    ["a longer prefix", prefixScope(HOST, "/orders/1"), "/orders", false],
    ["all of its host", prefixScope(HOST, ""), "/orders/1", true],
    ["all of another host", prefixScope("other.example.com", ""), "/orders/1", false],
    [
      "the path with an escape that it does not need",
      pathScope(HOST, "/users/a%40b%3Ac"),
      "/users/a@b:c",
      true,
    ],
    ["the path without an escape that it has", pathScope(HOST, "/users/a@b:c"), "/users/a%40b%3Ac", true],
    [
      "the path with a separator in place of its escape",
      pathScope(HOST, "/users/a/b"),
      "/users/a%2Fb",
      false,
    ],
    ["everything", EVERYTHING, "/", true],
  ])("%s: %s of %s is %s", (_, scope, url, expected) => {
    const [path = "", query = ""] = url.split("?");
    expect(has(scope, path, query)).toBe(expected);
  });

  it("its tags, however long, and none of others", () => {
    const long = "x".repeat(2000);
    expect(has(tagScope(`${long}1`), "/", "", [`${long}1`])).toBe(true);
    expect(has(tagScope(`${long}2`), "/", "", [`${long}1`])).toBe(false);
    expect(tagScope(long).length).toBeLessThanOrEqual(512);
  });
});

describe("a table of purges", () => {
  it("knows the last of each scope, the last of several, and the last of all", () => {
    const table = new PurgeTable();
    expect([table.last, table.lastOf([A])]).toEqual([0, 0]);
    table.add(A, 5);
    table.add(B, 3);
    table.add(A, 4);
    expect([table.last, table.lastOf([A]), table.lastOf([B]), table.lastOf([A, B])]).toEqual([5, 5, 3, 5]);
    expect(table.lastOf([tagScope("c")])).toBe(0);
  });

  it("takes a purge of everything for one of each", () => {
    const table = new PurgeTable();
    table.add(A, 5);
    table.add(EVERYTHING, 7);
    table.add(B, 6);
    expect([table.lastOf([A]), table.lastOf([B]), table.lastOf([EVERYTHING])]).toEqual([7, 7, 7]);
    table.add(A, 9);
    table.add(EVERYTHING, 8);
    expect([table.lastOf([A]), table.lastOf([B])]).toEqual([9, 8]);
  });

  it("forgets the oldest of too many, and then takes whatever is as old for purged", () => {
    const table = new PurgeTable();
    table.add(A, 1);
    for (let index = 0; index < 8191; index++) table.add(tagScope(`x${index}`), 10 + index);
    expect([table.lastOf([A]), table.lastOf([B])]).toEqual([1, 0]);
    table.add(B, 9000);
    expect([table.lastOf([A]), table.lastOf([tagScope("c")]), table.lastOf([B])]).toEqual([1, 1, 9000]);
    table.add(tagScope("more"), 9001);
    expect(table.lastOf([tagScope("c")])).toBe(10);
  });

  it("says no smaller number than a table without bounds", () => {
    const purge = fc.record({ scope: fc.nat(12_000), number: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(purge, { minLength: 9000, maxLength: 9500 }), (purges) => {
        const table = new PurgeTable();
        const all = new Map<number, number>();
        for (const { scope, number } of purges) {
          table.add(tagScope(`${scope}`), number);
          all.set(scope, Math.max(number, all.get(scope) ?? 0));
        }
        for (const [scope, number] of all)
          expect(table.lastOf([tagScope(`${scope}`)])).toBeGreaterThanOrEqual(number);
      }),
      { numRuns: 20 },
    );
  });
});

describe("purges of one isolate", () => {
  it("are numbered by the time, and grow though it stands still or goes back", async () => {
    const clock = new FakeClock();
    const purges = new IsolatePurges(clock);
    expect([purges.last, purges.catchUp()]).toEqual([0, undefined]);
    expect(await purges.purge([A])).toBe(true);
    const first = purges.last;
    expect(first).toBe(clock.ms * UNITS_A_MS);
    expect(Number.isSafeInteger(first)).toBe(true);
    await purges.purge([B]);
    clock.advance(-5000);
    await purges.purge([A]);
    expect([purges.last - first, purges.lastOf([A]) - first, purges.lastOf([B]) - first]).toEqual([2, 2, 1]);
  });

  it("have taken effect when the call returns, not when its promise settles", () => {
    const purges = new IsolatePurges(new FakeClock());
    void purges.purge([A]);
    expect(purges.lastOf([A])).toBeGreaterThan(0);
  });

  it("come behind what was stored before the isolate began", async () => {
    const clock = new FakeClock();
    const [old, next] = [new IsolatePurges(clock), new IsolatePurges(clock)];
    await old.purge([B]);
    const asOf = old.last;
    clock.advance(1);
    await next.purge([A]);
    expect(next.lastOf([A])).toBeGreaterThan(asOf);
  });
});
