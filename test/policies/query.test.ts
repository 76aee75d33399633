import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import type { FilterFactory, Handler } from "../../src/core/policy.ts";
import { filter as cacheFilter } from "../../src/policies/cache/filter.ts";
import { filter, type Step } from "../../src/policies/query/filter.ts";
import { query } from "../../src/policies/query/policy.ts";
import { type FakePorts, fakeExchange, fakePorts, fakeSite } from "../support/ports.ts";
import { DEFAULT_STEP, settled } from "./cache/harness.ts";
import { compilePolicy, linkPolicy } from "./compiling.ts";

const ROUTE = { route: { params: ["orderId"] }, identity: { policies: ["jwt"] } };

/** The query as the forwarder puts it behind the path. */
const upstreamQueryOf = ({ query, upstreamQuery = query, addedQuery }: Exchange): string => {
  if (addedQuery === undefined) return upstreamQuery;
  return upstreamQuery.length < 2 ? `?${addedQuery}` : `${upstreamQuery}&${addedQuery}`;
};

const sent = async (config: unknown, given: string, over: Partial<Exchange> = {}): Promise<string> => {
  const exchange = fakeExchange(new Request("https://api.example.com/orders/7"), { query: given, ...over });
  const handler = await linkPolicy(query, config, fakePorts(), "only", ROUTE);
  await handler(() => new Response())(exchange);
  return upstreamQueryOf(exchange);
};

describe("parameters of the query", () => {
  it.each([
    ["set puts one there", { set: { a: "1" } }, "", "?a=1"],
    ["set puts one there, behind a bare question mark too", { set: { a: "1" } }, "?", "?a=1"],
    ["set replaces all that came", { set: { a: "1" } }, "?a=2&b=3&a=4", "?b=3&a=1"],
    [
      "set replaces one that is written with escapes",
      { set: { admin: "no" } },
      "?%61dmi%6E=yes",
      "?admin=no",
    ],
    ["set replaces one whose name has a blank", { set: { "a b": "1" } }, "?a+b=2&a%20b=3", "?a%20b=1"],
    [
      "set replaces members of one",
      { set: { user: "1" } },
      "?user[id]=2&user%5B%5D=3&users=4",
      "?users=4&user=1",
    ],
    ["set puts several there", { set: { a: "2", b: "1" } }, "", "?a=2&b=1"],
    ["add keeps what came", { add: { a: "2" } }, "?a=1", "?a=1&a=2"],
    ["set and add together", { set: { a: "1" }, add: { a: "2" } }, "?a=0", "?a=1&a=2"],
    ["remove takes off every one of a name", { remove: ["a"] }, "?a=1&b=2&a=3&ab=4", "?b=2&ab=4"],
    ["remove takes off one without a value", { remove: ["a"] }, "?a&b", "?b"],
    ["remove takes off one with an empty value", { remove: ["a"] }, "?a=&b", "?b"],
    ["remove takes off one with an equals sign in its value", { remove: ["a"] }, "?a=b=c&b=a", "?b=a"],
    ["remove takes off the last one, and the question mark", { remove: ["a"] }, "?a=1", ""],
    ["remove distinguishes case", { remove: ["a"] }, "?A=1", "?A=1"],
    [
      "remove takes off members",
      { remove: ["filter"] },
      "?filter[a]=1&filter[b][c]=2&filters=3",
      "?filters=3",
    ],
    [
      "remove takes off one member",
      { remove: ["filter[a]"] },
      "?filter[a]=1&filter%5Ba%5D[x]=2&filter[b]=3",
      "?filter[b]=3",
    ],
    ["remove is not deceived by a broken escape", { remove: ["a%"] }, "?a%=1&b=2", "?b=2"],
    ["allow lets listed ones pass", { allow: ["a", "c"] }, "?a=1&b=2&c=3&a=4", "?a=1&c=3&a=4"],
    ["allow reads escapes", { allow: ["a b"] }, "?a+b=1&a%20b=2&a=3", "?a+b=1&a%20b=2"],
    ["allow lets members pass", { allow: ["filter"] }, "?filter[a]=1&x[filter]=2", "?filter[a]=1"],
    ["allow of nothing", { allow: [] }, "?a=1&b", ""],
    ["allow does not touch what is set here", { allow: [], set: { a: "1" } }, "?a=0&b=2", "?a=1"],
    ["an empty text is a value where it is written so", { set: { a: "" } }, "?a=1", "?a="],
  ])("%s", async (_, config, given, expected) => {
    expect(await sent(config, given)).toBe(expected);
  });

  it.each(["?a=1&&b=2&", "?a=%7e&b=%7E&c=~", "?a+b=%20+", "?=1&a", "?a=%ff%", "?", "", "?q=ü", "?a=b=c&d=="])(
    "%s stays as it is written where nothing of it is named",
    async (given) => {
      expect(await sent({ remove: ["x"] }, given)).toBe(given);
    },
  );

  it("sees what other policies took off before, and adds to what they added", async () => {
    const over = { upstreamQuery: "?a=0&b=2", addedQuery: "c=3" };
    expect(await sent({ set: { a: "1" } }, "?token=secret&a=0&b=2", over)).toBe("?b=2&c=3&a=1");
  });

  it.each(["__proto__", "constructor", "hasOwnProperty", "toString"])(
    "%s is a name like any other (S25)",
    async (name) => {
      expect(await sent({ allow: [name] }, `?${name}=1&a=2`)).toBe(`?${name}=1`);
      expect(await sent({ remove: [name] }, `?${name}[x]=1&a=2`)).toBe("?a=2");
      expect(await sent({ remove: ["a"] }, `?${name}=1&a=2`)).toBe(`?${name}=1`);
    },
  );

  it("costs no more for a long row of brackets (S24)", async () => {
    const given = "?a" + "[".repeat(16_000) + "=1";
    const begun = performance.now();
    for (let run = 0; run < 30; run++) expect(await sent({ remove: ["filter[a]"] }, given)).toBe(given);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe("templates", () => {
  const identity = {
    kind: "jwt",
    id: "https://login.example.com/ 42",
    subject: "42",
    claims: { tenant: "acme" },
  };

  it.each([
    ["a parameter of the path", "order {params.orderId}", "order%207"],
    ["who is calling", "{identity.subject}@{claims.tenant}", "42%40acme"],
    ["the client's address", "{client.ip}", "192.0.2.1"],
    ["the client's query", "{request.query}", "%3Fa%3Dforged"],
  ])("are filled with %s", async (_, text, value) => {
    expect(await sent({ set: { a: text } }, "?a=forged", { identity, params: { orderId: "7" } })).toBe(
      `?a=${value}`,
    );
  });

  it("that come out empty remove the parameter, so that a forged one does not stand in (S7)", async () => {
    expect(await sent({ set: { user: "{identity.subject}" } }, "?user=forged&user[]=forged&b=2")).toBe(
      "?b=2",
    );
    expect(await sent({ add: { user: "{identity.subject}", x: "1" } }, "?b=2")).toBe("?b=2&x=1");
    expect(await sent({ add: { user: "{identity.subject}" } }, "")).toBe("");
  });

  it.each([
    ["the end of a parameter", "a&admin=1", "a%26admin%3D1"],
    ["a fragment", "a#b", "a%23b"],
    ["a plus sign and a blank", "a+b c", "a%2Bb%20c"],
    ["a percent sign", "%26", "%2526"],
    ["CR, LF and NUL", "\r\n\0", "%0D%0A%00"],
    ["text beyond ASCII", "ü €", "%C3%BC%20%E2%82%AC"],
    ["half a character", "\ud800", "%EF%BF%BD"],
  ])("cannot break out of their parameter with %s", async (_, value, escaped) => {
    expect(await sent({ set: { a: "{params.orderId}" } }, "", { params: { orderId: value } })).toBe(
      `?a=${escaped}`,
    );
  });

  it("are escaped where they are written, too", async () => {
    expect(await sent({ set: { "a&b": "1&c=2 {params.orderId}" } }, "", { params: { orderId: "&" } })).toBe(
      "?a%26b=1%26c%3D2%20%26",
    );
  });
});

describe("laws", () => {
  const part = fc.stringMatching(/^[ab%2=+[\]6\d;.]{0,6}$/);
  const queries = fc
    .array(part, { maxLength: 6 })
    .map((parts) => (parts.length === 0 ? "" : `?${parts.join("&")}`));
  const names = fc.array(fc.constantFrom("a", "b", "ab", "a b", "a[b]", "%"), { maxLength: 3 });
  const run = (step: Step, given: string): string => {
    const exchange = fakeExchange(new Request("https://api.example.com/"), { query: given });
    (filter as FilterFactory<Step>)(step, fakePorts(), fakeSite())!(() => new Response())(exchange);
    return upstreamQueryOf(exchange);
  };

  it("what is left is a part of what came, in its order and spelling, and nothing of a removed name is in it", () => {
    fc.assert(
      fc.property(queries, names, (given, remove) => {
        const result = run({ remove, write: [] }, given);
        const left = result.slice(1).split("&");
        let at = 0;
        for (const parameter of given.slice(1).split("&")) if (parameter === left[at]) at++;
        expect(at).toBe(left.length === 1 && left[0] === "" ? at : left.length);
        for (const name of new URLSearchParams(result).keys()) expect(remove).not.toContain(name);
      }),
    );
  });

  it("removing and allowing the same names part the query in two", () => {
    fc.assert(
      fc.property(queries, names, (given, list) => {
        const removed = run({ remove: list, write: [] }, given).slice(1).split("&");
        const allowed = run({ allow: list, remove: [], write: [] }, given).slice(1).split("&");
        expect([...removed, ...allowed].filter(Boolean).sort()).toEqual(
          given.slice(1).split("&").filter(Boolean).sort(),
        );
      }),
    );
  });

  it("a value arrives as it was, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), queries, async (value, given) => {
        fc.pre(value !== "");
        const result = await sent({ set: { x: "{params.orderId}" } }, given, { params: { orderId: value } });
        expect(new URLSearchParams(result).getAll("x")).toEqual([value]);
      }),
    );
  });
});

/** The policy with a cache inside of it, as the order has it. */
class Cached {
  readonly sent: string[] = [];
  readonly ports: FakePorts = fakePorts();
  readonly site = fakeSite();
  readonly #handlers: Handler[];

  constructor(configs: readonly unknown[], declared: readonly string[] | null = null) {
    this.#handlers = configs.map((config) => {
      const { step, faults } = compilePolicy(query, [{ config }], "only", ROUTE);
      expect(faults).toEqual([]);
      const outer = step === undefined ? undefined : filter(step as Step, this.ports, this.site);
      const inner = cacheFilter({ ...DEFAULT_STEP, ttlMs: 60_000, query: declared }, this.ports, this.site)!(
        (exchange) => {
          this.sent.push(`${exchange.method} ${upstreamQueryOf(exchange)}`);
          return new Response(upstreamQueryOf(exchange), {
            headers: { "content-length": String(upstreamQueryOf(exchange).length) },
          });
        },
      );
      return outer === undefined ? inner : outer(inner);
    });
  }

  async ask(given: string, over: Partial<Exchange> & { by?: number } = {}): Promise<string> {
    const { by = 0, ...rest } = over;
    const request = new Request("https://api.example.com/a", { method: rest.method ?? "GET" });
    const exchange = fakeExchange(request, { query: given, ...rest });
    const answer = await this.#handlers[by]!(exchange);
    const text = await answer.text();
    await settled(exchange.deferred);
    return `${exchange.cacheResult} ${text}`;
  }
}

describe("with a cache inside", () => {
  it("what is taken off does not make entries of its own", async () => {
    const route = new Cached([{ remove: ["utm"] }]);
    expect(await route.ask("?a=1&utm=1")).toBe("miss ?a=1");
    expect(await route.ask("?utm=2&a=1")).toBe("hit ?a=1");
    expect(await route.ask("?a=2")).toBe("miss ?a=2");
  });

  it("what is set reaches the upstream, though the operation does not declare it", async () => {
    const route = new Cached([{ set: { source: "gateway" } }], ["page"]);
    expect(await route.ask("?page=1&x=1")).toBe("miss ?page=1&source=gateway");
    expect(await route.ask("?x=2&page=1&source=forged")).toBe("hit ?page=1&source=gateway");
  });

  it("entries differ where what is set does", async () => {
    const route = new Cached([{ set: { tenant: "{params.orderId}" } }]);
    expect(await route.ask("", { params: { orderId: "a" } })).toBe("miss ?tenant=a");
    expect(await route.ask("", { params: { orderId: "b" } })).toBe("miss ?tenant=b");
    expect(await route.ask("", { params: { orderId: "a" } })).toBe("hit ?tenant=a");
    expect(await route.ask("", { params: { orderId: "b" } })).toBe("hit ?tenant=b");
  });

  it("a client cannot reach an entry by naming what the gateway sets", async () => {
    const route = new Cached([{ set: { tenant: "{params.orderId}" } }, {}]);
    expect(await route.ask("", { params: { orderId: "a" } })).toBe("miss ?tenant=a");
    expect(await route.ask("?tenant=a", { by: 1 })).toBe("miss ?tenant=a");
    expect(await route.ask("", { by: 1 })).toBe("miss ");
  });

  it("a change forgets what was stored with parameters that its own route does not set", async () => {
    const route = new Cached([{ set: { expand: "items" } }, {}]);
    await route.ask("?a=1");
    expect(await route.ask("?a=1")).toBe("hit ?a=1&expand=items");
    await route.ask("?a=1", { by: 1, method: "PUT" });
    expect(await route.ask("?a=1")).toBe("miss ?a=1&expand=items");
  });
});

describe("what the policy refuses", () => {
  it.each([
    ["to remove and set", { set: { a: "1" }, remove: ["b", "a"] }, "conflicting-edits", "remove.1"],
    ["a number for a value", { set: { a: 1 } }, "invalid_type", "set.a"],
    ["a parameter without a name", { remove: [""] }, "too_small", "remove.0"],
    ["a value without a name", { set: { "": "1" } }, "invalid_key", "set."],
    ["an unknown verb", { replace: {} }, "unrecognized_keys", ""],
  ])("%s", (_, config, code, at) => {
    expect(compilePolicy(query, [{ config }]).faults).toMatchObject([{ code, at }]);
  });

  it("says nothing of names that objects have, too", () => {
    expect(compilePolicy(query, [{ config: { set: { a: "1" }, remove: ["constructor"] } }]).faults).toEqual(
      [],
    );
  });

  it("is not installed where nothing is said", () => {
    expect(compilePolicy(query, [{ config: {} }]).step).toBeUndefined();
  });
});
