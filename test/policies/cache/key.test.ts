import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../../src/core/exchange.ts";
import { forwardedQuery, keyedQuery } from "../../../src/lib/http/query-members.ts";
import { ownerOf, primaryKey, variantKey, variantOf } from "../../../src/policies/cache/key.ts";
import { fakeExchange } from "../../support/ports.ts";
import { answer, caller, Gateway, type RequestOptions } from "./harness.ts";

const LIVE = { "cache-control": "max-age=600" };

/** Text with much in it that a key is made of. */
const text = () =>
  fc.string({
    unit: fc.constantFrom("a", "b", ":", "1", "2", "-", "=", "&", "r", "v", "\u0000", "é", "\ud800"),
    maxLength: 8,
  });

describe("no two different requests have one key", () => {
  const exchangeOf = (over: Partial<Exchange>) => fakeExchange(new Request("https://api.example.com/"), over);
  const parts = fc.record({
    scheme: fc.constantFrom("http", "https"),
    authority: text(),
    path: text(),
    query: text(),
    owner: fc.option(fc.record({ kind: text(), id: text() }), { nil: undefined }),
    host: fc.option(fc.constantFrom("a", "b-", ""), { nil: undefined }),
  });
  const keyOf = ({
    scheme,
    authority,
    path,
    query,
    owner,
    host,
  }: typeof parts extends fc.Arbitrary<infer T> ? T : never) => {
    const headers: Record<string, string> = host === undefined ? {} : { "x-forwarded-host": host };
    const exchange = exchangeOf({ scheme, authority, request: new Request("https://x/", { headers }) });
    return primaryKey(exchange, path, query, ownerOf(owner), true);
  };

  it("by scheme, authority, path, query and caller", () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        const anonymous = one.owner?.kind === "anonymous" || other.owner?.kind === "anonymous";
        fc.pre(!anonymous);
        expect(keyOf(one) === keyOf(other)).toBe(same);
      }),
      { numRuns: 3000 },
    );
  });

  it("even where the same text is only cut elsewhere", () => {
    const whole = fc.string({ unit: fc.constantFrom(":", ":", "1", "-", "a"), minLength: 1, maxLength: 6 });
    const cut = fc.nat({ max: 6 });
    const exchange = exchangeOf({});
    fc.assert(
      fc.property(whole, cut, cut, (all, here, there) => {
        fc.pre(Math.min(here, all.length) !== Math.min(there, all.length));
        const [one, other] = [here, there].map((at) => [all.slice(0, at), all.slice(at)] as const);
        expect(primaryKey(exchange, ...one!, "", false)).not.toBe(primaryKey(exchange, ...other!, "", false));
        expect(ownerOf({ kind: one![0], id: one![1] })).not.toBe(ownerOf({ kind: other![0], id: other![1] }));
        expect(variantKey("", ...one!)).not.toBe(variantKey("", ...other!));
        const [header, vary] = [one!, other!].map(([a, b]) =>
          variantOf(
            exchangeOf({ request: new Request("https://x/", { headers: { a: `.${a}.`, b: `.${b}.` } }) }),
            { headers: ["a", "b"], cookies: [], claims: [] },
            [],
          ),
        );
        expect(header).not.toBe(vary);
      }),
      { numRuns: 2000 },
    );
  });

  it("by route, lane, named headers, cookies and claims, and what Vary names", () => {
    const value = fc.option(fc.string({ unit: fc.constantFrom("a", "b", ":", "1", "-"), maxLength: 4 }), {
      nil: undefined,
    });
    const lane = fc.option(text(), { nil: undefined });
    const variant = fc.record({
      route: text(),
      lane,
      header: value,
      cookie: value,
      claim: value,
      vary: value,
    });
    const variantFor = ({
      route,
      lane,
      header,
      cookie,
      claim,
      vary,
    }: {
      route: string;
      lane?: string;
      header?: string;
      cookie?: string;
      claim?: string;
      vary?: string;
    }) => {
      const headers = new Headers();
      if (header !== undefined) headers.set("x-h", header);
      if (cookie !== undefined) headers.set("cookie", `c=${cookie}`);
      if (vary !== undefined) headers.set("x-v", vary);
      const exchange = exchangeOf({
        request: new Request("https://x/", { headers }),
        route: { id: route, api: "a" },
        lane,
        identity: caller("x", claim === undefined ? {} : { role: claim }),
      });
      return variantOf(exchange, { headers: ["x-h"], cookies: ["c"], claims: ["role"] }, ["x-v"]);
    };
    fc.assert(
      fc.property(variant, variant, (one, other) => {
        expect(variantFor(one) === variantFor(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 3000 },
    );
  });

  it("nor one variant's key with another's, or with a primary key", () => {
    fc.assert(
      fc.property(fc.tuple(text(), text(), text()), fc.tuple(text(), text(), text()), (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(variantKey(one[2], one[0], one[1]) === variantKey(other[2], other[0], other[1])).toBe(same);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("which requests share an entry", () => {
  const shared = async (
    one: [string, RequestOptions?],
    other: [string, RequestOptions?],
    step = {},
  ): Promise<boolean> => {
    const gateway = new Gateway(step).answers(() => answer(LIVE));
    await gateway.send(...one);
    return (await gateway.send(...other)).result === "hit";
  };

  it.each<[string, boolean, string, string]>([
    ["query parameters in another order", true, "/a?x=1&y=2", "/a?y=2&x=1"],
    ["the same parameter in another order", false, "/a?x=1&x=2", "/a?x=2&x=1"],
    ["the same parameter in another order, once with an escape", false, "/a?x=1&%78=2", "/a?%78=2&x=1"],
    ["empty members", true, "/a?x=1&&y=2&", "/a?x=1&y=2"],
    ["an empty query", true, "/a?", "/a"],
    ["another value", false, "/a?x=1", "/a?x=2"],
    ["a parameter more", false, "/a?x=1", "/a?x=1&y=2"],
    ["an empty value and none", false, "/a?x=", "/a?x"],
    ["another path", false, "/a", "/b"],
    ["a path in another case", false, "/a", "/A"],
    ["a slash at the end", false, "/a", "/a/"],
    ["another scheme", false, "https://h/a", "http://h/a"],
    ["another host", false, "https://h/a", "https://i/a"],
    ["another port", false, "https://h/a", "https://h:8443/a"],
    ["text that looks like the next field", false, "/a?1:b", "/a?1%3Ab"],
  ])("%s: %s", async (_sentence, same, one, other) => {
    expect(await shared([one], [other])).toBe(same);
  });

  it.each<[string, boolean, object, RequestOptions, RequestOptions]>([
    ["another caller", false, { perCaller: true }, { identity: caller("a") }, { identity: caller("b") }],
    ["the same caller", true, { perCaller: true }, { identity: caller("a") }, { identity: caller("a") }],
    ["a caller and nobody", false, { perCaller: true }, { identity: caller("a") }, {}],
    ["nobody and a caller", false, { perCaller: true }, {}, { identity: caller("a") }],
    [
      "a caller with the same id by other means",
      false,
      { perCaller: true },
      { identity: caller("a") },
      { identity: { kind: "apiKey", id: "a" } },
    ],
    [
      "anonymous and nobody",
      true,
      { perCaller: true },
      { identity: { kind: "anonymous", id: "anonymous" } },
      {},
    ],
    ["another caller, shared", true, {}, { identity: caller("a") }, { identity: caller("b") }],
    ["another route", false, {}, { route: "shop.a" }, { route: "shop.b" }],
    [
      "a header that is keyed",
      false,
      { headers: ["x-a"] },
      { headers: { "x-a": "1" } },
      { headers: { "x-a": "2" } },
    ],
    ["a header that is not", true, {}, { headers: { "x-a": "1" } }, { headers: { "x-a": "2" } }],
    [
      "a cookie that is keyed",
      false,
      { cookies: ["c"] },
      { headers: { cookie: "c=1; d=1" } },
      { headers: { cookie: "c=2; d=1" } },
    ],
    [
      "a cookie that is not",
      true,
      { cookies: ["c"] },
      { headers: { cookie: "c=1; d=1" } },
      { headers: { cookie: "d=2; c=1" } },
    ],
    [
      "a keyed cookie that comes twice",
      false,
      { cookies: ["c"] },
      { headers: { cookie: "c=1; c=2" } },
      { headers: { cookie: "c=1" } },
    ],
    [
      "a claim that is keyed",
      false,
      { claims: ["role"] },
      { identity: caller("a", { role: "x" }) },
      { identity: caller("a", { role: "y" }) },
    ],
    [
      "a keyed claim of another type",
      false,
      { claims: ["role"] },
      { identity: caller("a", { role: 1 }) },
      { identity: caller("a", { role: "1" }) },
    ],
    [
      "X-Forwarded-Host behind a proxy",
      false,
      { behindProxy: true },
      { headers: { "x-forwarded-host": "a" } },
      { headers: { "x-forwarded-host": "b" } },
    ],
    [
      "X-Forwarded-Host without",
      true,
      {},
      { headers: { "x-forwarded-host": "a" } },
      { headers: { "x-forwarded-host": "b" } },
    ],
  ])("%s: %s", async (_sentence, same, step, one, other) => {
    expect(await shared(["/a", one], ["/a", other], step)).toBe(same);
  });
});

describe("query parameters that do not count are neither keyed nor forwarded", () => {
  const query = ["page", "filter"];

  it("so that they are no way to miss at will", async () => {
    const gateway = new Gateway({ query }).answers(() => answer(LIVE));
    for (let index = 0; index < 5; index++) await gateway.send(`/a?page=1&x=${index}`);
    expect(gateway.sent.map((sent) => sent.query)).toEqual(["?page=1"]);
  });

  it.each([
    ["?page=1", "?page=1"],
    ["?x=1", ""],
    ["?b=1&page=2&a=3&filter=4", "?page=2&filter=4"],
    ["?filter=4&page=2", "?filter=4&page=2"],
    ["?%70age=2&x=1", "?%70age=2"],
    ["?filter[status]=open&filter%5Bid%5D=1&x[page]=1", "?filter[status]=open&filter%5Bid%5D=1"],
    ["?page&x", "?page"],
    ["?%zz=1&page=1", "?page=1"],
    ["", ""],
  ])("%s goes on as %s", (received, sent) => {
    expect(forwardedQuery(received, new Set(query))).toBe(sent);
  });

  it("what an outer policy made of the query is what counts", async () => {
    const gateway = new Gateway({ query }).answers(() => answer(LIVE));
    await gateway.send("/a?page=1", { upstreamQuery: "?page=2&x=1" });
    expect(gateway.sent[0]!.query).toBe("?page=2");
    expect((await gateway.send("/a?page=1")).result).toBe("miss");
    expect((await gateway.send("/a?page=3", { upstreamQuery: "?page=2" })).result).toBe("hit");
  });

  it("all count where nothing else is said, and the origin gets them as they came", async () => {
    const gateway = new Gateway().answers(() => answer(LIVE));
    await gateway.send("/a?z=1&&a=2");
    expect(gateway.sent[0]!.query).toBe("?z=1&&a=2");
  });

  it("a key has one form, whatever the order of different names", () => {
    const member = fc.tuple(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"));
    fc.assert(
      fc.property(fc.uniqueArray(member, { selector: ([name]) => name }), (members) => {
        const texts = members.map(([name, value]) => `${name}=${value}`);
        expect(keyedQuery("?" + texts.join("&"), undefined)).toBe(
          keyedQuery("?" + texts.toReversed().join("&"), undefined),
        );
      }),
    );
  });
});
