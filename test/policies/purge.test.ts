import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import { type PurgeScope, pathScope, prefixScope, queryScope, tagScope } from "../../src/core/purge.ts";
import { purge } from "../../src/policies/purge/policy.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { FakePurges } from "../support/purges.ts";
import { compilePolicy, linkPolicy, type Place } from "./compiling.ts";

const HOST = "api.example.com";
const REDIS: Place = { gateway: { hasRedis: true } };

/** Sends a request through the policy; answers its answer and what was purged, in order. */
const send = async (
  config: unknown,
  {
    method = "POST",
    body,
    status = 200,
    over = {},
    place = {},
    isTold = true,
  }: {
    method?: string;
    body?: string | Uint8Array<ArrayBuffer>;
    status?: number;
    over?: Partial<Exchange>;
    place?: Place;
    isTold?: boolean;
  } = {},
) => {
  const purges = new FakePurges();
  purges.isTold = isTold;
  const { purged } = purges;
  const ports = fakePorts({ purges });
  const handle = await linkPolicy(purge, config, ports, "only", {
    ...place,
    gateway: { hasRedis: true, ...place.gateway },
  });
  const request = new Request(`https://${HOST}/orders/1`, { method, ...(body !== undefined && { body }) });
  const exchange = fakeExchange(request, over);
  let forwarded: unknown = "not asked";
  const answer = await handle(async (it) => {
    forwarded = it.requestBody;
    return new Response(status === 204 || status === 304 ? null : "answer", { status });
  })(exchange);
  const purgedBefore = [...purged];
  await Promise.all(exchange.deferred);
  return { answer, purged: purgedBefore, forwarded, records: ports.records };
};

describe("purges", () => {
  it.each<[string, unknown, Partial<Exchange>, readonly PurgeScope[]]>([
    ["a tag", { tags: ["orders"] }, {}, [tagScope("orders")]],
    ["a tag of a parameter", { tags: ["order:{params.id}"] }, { params: { id: "1" } }, [tagScope("order:1")]],
    [
      "a tag of a parameter with characters that could break out",
      { tags: ["order:{params.id}"] },
      { params: { id: "a,b c" } },
      [tagScope("order:a%2Cb%20c")],
    ],
    [
      "no tag that is longer than any of an entry",
      { tags: ["{params.id}"] },
      { params: { id: "x".repeat(257) } },
      [],
    ],
    [
      "a tag of as many characters",
      { tags: ["{params.id}"] },
      { params: { id: "x".repeat(256) } },
      [tagScope("x".repeat(256))],
    ],
    ["no tag of nothing", { tags: ["{params.id}"] }, {}, []],
    ["a path", { urls: ["/orders"] }, {}, [pathScope(HOST, "/orders")]],
    ["a path in another form", { urls: ["/a/../orders//%31"] }, {}, [pathScope(HOST, "/orders/1")]],
    [
      "a path of a parameter",
      { urls: ["/users/{params.id}"] },
      { params: { id: "a b" } },
      [pathScope(HOST, "/users/a%20b")],
    ],
    [
      "a path of a parameter with a slash",
      { urls: ["/users/{params.id}"] },
      { params: { id: "a/b" } },
      [pathScope(HOST, "/users/a%2Fb")],
    ],
    [
      "a path of a parameter as clients write it",
      { urls: ["/users/{params.id}"] },
      { params: { id: "a@b:c" } },
      [pathScope(HOST, "/users/a@b:c")],
    ],
    [
      "nothing where a value is missing",
      { urls: ["/users/{params.id}"], prefixes: ["/users/{params.id}"] },
      {},
      [],
    ],
    ["nothing where a value would climb", { prefixes: ["/users/{params.id}"] }, { params: { id: ".." } }, []],
    ["nothing where a value would stay", { prefixes: ["/users/{params.id}"] }, { params: { id: "." } }, []],
    [
      "a path with a query",
      { urls: ["/orders?b=2&a={params.id}"] },
      { params: { id: "1&c" } },
      [queryScope(HOST, "/orders", "a=1%26c&b=2")],
    ],
    ["a path with a query of nothing", { urls: ["/orders?"] }, {}, [pathScope(HOST, "/orders")]],
    [
      "the path of the request",
      { urls: ["{request.path}/items"] },
      { path: "/orders/1" },
      [pathScope(HOST, "/orders/1/items")],
    ],
    ["a prefix", { prefixes: ["/orders"] }, {}, [prefixScope(HOST, "/orders")]],
    ["a prefix with a slash behind it", { prefixes: ["/orders/"] }, {}, [prefixScope(HOST, "/orders")]],
    ["all of the host", { prefixes: ["/"] }, {}, [prefixScope(HOST, "")]],
    [
      "the host of the request, without the port of its scheme",
      { urls: ["/a"] },
      { authority: `${HOST}:443`, scheme: "https" },
      [pathScope(HOST, "/a")],
    ],
    [
      "a URL",
      { urls: ["HTTPS://Other.Example.com:443/a/{params.id}?b"] },
      { params: { id: "1" } },
      [queryScope("other.example.com", "/a/1", "b")],
    ],
    [
      "a URL without a path",
      { prefixes: ["https://other.example.com:8443"] },
      {},
      [prefixScope("other.example.com:8443", "")],
    ],
    [
      "all of them",
      { tags: ["a"], urls: ["/b"], prefixes: ["/c"] },
      {},
      [tagScope("a"), pathScope(HOST, "/b"), prefixScope(HOST, "/c")],
    ],
  ])("%s", async (_, config, over, expected) => {
    expect((await send(config, { over })).purged).toEqual(expected);
  });

  it("what remains of a path as it stands there", async () => {
    const place: Place = { route: { params: ["rest"], restParams: ["rest"] } };
    const { purged } = await send(
      { prefixes: ["/files/{params.rest}"] },
      { place, over: { params: { rest: "a/b%20c" } } },
    );
    expect(purged).toEqual([prefixScope(HOST, "/files/a/b%20c")]);
  });

  it("the first sixteen segments of a longer prefix", async () => {
    const place: Place = { route: { params: ["rest"], restParams: ["rest"] } };
    const rest = Array(40).fill("a").join("/");
    const { purged } = await send({ prefixes: ["/{params.rest}"] }, { place, over: { params: { rest } } });
    expect(purged).toEqual([prefixScope(HOST, "/a".repeat(16))]);
  });

  it.each([
    ["200", 200, true],
    ["204", 204, true],
    ["303", 303, true],
    ["399", 399, true],
    ["400", 400, false],
    ["404", 404, false],
    ["500", 500, false],
  ])("after an answer of %s: %s", async (_, status, expected) => {
    const { answer, purged } = await send({ tags: ["a"] }, { status });
    expect([answer.status, purged.length]).toEqual([status, expected ? 1 : 0]);
  });

  it.each([
    ["POST", true],
    ["PUT", true],
    ["DELETE", true],
    ["LOCK", true],
    ["GET", false],
    ["HEAD", false],
    ["OPTIONS", false],
  ])("after %s: %s", async (method, expected) => {
    expect((await send({ tags: ["a"] }, { method })).purged.length).toBe(expected ? 1 : 0);
  });

  it("after no WebSocket that was opened", async () => {
    expect((await send({ tags: ["a"] }, { over: { opensWebSocket: true } })).purged).toEqual([]);
  });

  it("and logs where the others could not be told, without a change to the answer", async () => {
    const { answer, records, purged } = await send({ tags: ["a"] }, { isTold: false });
    expect([answer.status, await answer.text(), purged.length]).toEqual([200, "answer", 1]);
    expect(records).toEqual([
      {
        level: "warn",
        message: "A purge holds in this isolate alone: the others could not be told.",
        route: "shop.route",
      },
    ]);
  });
});

describe("what a body names", () => {
  const from = (pointer: string, more: object = {}) => ({
    tagsFrom: { body: pointer, as: "item:{value}", ...more },
  });
  const tags = (...values: string[]) => values.map((value) => tagScope(`item:${value}`));

  it.each<[string, unknown, string, readonly PurgeScope[]]>([
    ["a text", from("/item"), '{"item":"a"}', tags("a")],
    [
      "a number, as it is written",
      from("/item"),
      '{"item":12345678901234567890}',
      tags("12345678901234567890"),
    ],
    ["a truth value", from("/item"), '{"item":true}', tags("true")],
    ["each of a list", from("/items"), '{"items":["a",1,false]}', tags("a", "1", "false")],
    ["each of a list once", from("/items"), '{"items":["a","a",1,1]}', tags("a", "1")],
    ["the body itself", from(""), '["a","b"]', tags("a", "b")],
    ["what stands deeper", from("/0/a~1b/ids"), '[{"a/b":{"ids":["x"]}}]', tags("x")],
    ["nothing that names nothing", from("/items"), '{"items":[null,{},[],"a"]}', tags("a")],
    [
      "with what a tag may not hold escaped",
      from("/item"),
      '{"item":"a,b \\u00fc\\ud800"}',
      tags("a%2Cb%20%C3%BC%EF%BF%BD"),
    ],
    [
      "within the tag",
      { tagsFrom: { body: "/item", as: "{params.id}:{value}:{value}" } },
      '{"item":"a"}',
      [tagScope("1:a:a")],
    ],
    ["nothing where there is nothing", from("/items"), '{"item":"a"}', []],
    ["nothing of what an object has of its own", from("/constructor/name"), "{}", []],
    ["nothing where it is not JSON", from("/item"), "item=a", []],
    ["nothing where it is empty", from("/item"), "", []],
    [
      "beside what is said",
      { tags: ["all"], ...from("/item") },
      '{"item":"a"}',
      [tagScope("all"), ...tags("a")],
    ],
    ["no tag that is too long", from("/item"), `{"item":"${"x".repeat(257)}"}`, []],
  ])("is purged: %s", async (_, config, body, expected) => {
    const { answer, purged, records } = await send(config, { body, over: { params: { id: "1" } } });
    expect([answer.status, purged, records]).toEqual([200, expected, []]);
  });

  it("is purged as far as it may, and the rest is logged", async () => {
    const { purged, records } = await send(from("/items", { max: 2 }), { body: '{"items":[1,2,3,4]}' });
    expect(purged).toEqual(tags("1", "2"));
    expect(records).toEqual([
      { level: "warn", message: "A body names more tags than are purged.", route: "shop.route", left: 2 },
    ]);
  });

  it("is read before it goes on, and goes on whole", async () => {
    const { forwarded } = await send(from("/item"), { body: '{"item":"a"}' });
    expect(new TextDecoder().decode(forwarded as Uint8Array)).toBe('{"item":"a"}');
  });

  it("is not read for what changes nothing, nor purged where that failed", async () => {
    expect((await send(from("/item"), { body: '{"item":"a"}', status: 422 })).purged).toEqual([]);
    expect((await send(from("/item"), { method: "GET" })).forwarded).toBeUndefined();
  });

  it("is not passed on where it is too large, or breaks off", async () => {
    const large = await send(from("/item", { maxBody: "8B" }), { body: '{"item":"a"}' });
    expect([large.answer.status, large.forwarded]).toEqual([413, "not asked"]);
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error("gone")),
    });
    const broken = await send(from("/item"), { body: "x", over: { requestBody: stream } });
    expect([broken.answer.status, broken.forwarded, broken.purged]).toEqual([400, "not asked", []]);
  });
});

describe("in the policies", () => {
  const faults = (config: unknown, place: Place = REDIS, level: "route" | "api" = "route") =>
    compilePolicy(purge, [{ config, level }], "only", place).faults.map(({ code, at }) => `${code} ${at}`);

  it.each<[string, unknown, readonly string[]]>([
    ["nothing", {}, ["purge-of-nothing "]],
    ["empty lists", { tags: [], urls: [] }, ["purge-of-nothing "]],
    ["a tag", { tags: ["a"] }, []],
    ["an empty tag", { tags: [""] }, ["too_small tags.0"]],
    ["an unknown key", { tag: ["a"] }, ["unrecognized_keys ", "purge-of-nothing "]],
    ["a relative path", { urls: ["orders"] }, ["invalid_format urls.0"]],
    ["a host without a scheme", { urls: ["//api.example.com/a"] }, ["invalid_format urls.0"]],
    ["a scheme that is none of ours", { urls: ["ftp://api.example.com/a"] }, ["invalid_format urls.0"]],
    ["a template in the host", { urls: ["https://{params.id}.example.com/a"] }, ["invalid_format urls.0"]],
    ["a user in the URL", { urls: ["https://a@api.example.com/a"] }, ["purge-bad-target urls.0"]],
    ["a fragment", { urls: ["/a#b"] }, ["invalid_format urls.0"]],
    [
      "what no path holds",
      { urls: ["/a\\b", "/a%zz"] },
      ["purge-bad-target urls.0", "purge-bad-target urls.1"],
    ],
    ["a query in a prefix", { prefixes: ["/a?b"] }, ["purge-bad-target prefixes.0"]],
    ["a star behind a prefix", { prefixes: ["/a/*"] }, ["purge-bad-target prefixes.0"]],
    ["a prefix that is too deep", { prefixes: ["/a".repeat(17)] }, ["purge-bad-target prefixes.0"]],
    ["a prefix that is as deep as may be", { prefixes: ["/a".repeat(16)] }, []],
    [
      "a pointer without its slash",
      { tagsFrom: { body: "items", as: "{value}" } },
      ["invalid_format tagsFrom.body"],
    ],
    ["a tag without the value", { tagsFrom: { body: "/items", as: "item" } }, ["invalid_format tagsFrom.as"]],
    ["no tag of the value", { tagsFrom: { body: "/items" } }, ["invalid_type tagsFrom.as"]],
    [
      "too many of a list",
      { tagsFrom: { body: "/items", as: "{value}", max: 1001 } },
      ["too_big tagsFrom.max"],
    ],
    [
      "a body that is too large to hold",
      { tagsFrom: { body: "/items", as: "{value}", maxBody: "17MiB" } },
      ["custom tagsFrom.maxBody"],
    ],
    ["more tags than anybody reads", { tags: Array(101).fill("a") }, ["too_big tags"]],
  ])("%s", (_, config, expected) => expect(faults(config)).toEqual(expected));

  it("are warned where the purge stays in one isolate, but for development", () => {
    const tags = { tags: ["a"] };
    expect(faults(tags, {})).toEqual(["purge-stays-here "]);
    expect(faults(tags, { gateway: { development: true } })).toEqual([]);
    expect(faults(tags, REDIS)).toEqual([]);
  });

  it("are warned on a route that only reads, where it is written there, and add nothing to it", () => {
    const route = { methods: ["GET", "HEAD"] };
    expect(faults({ tags: ["a"] }, { ...REDIS, route })).toEqual(["purge-without-change "]);
    expect(faults({ tags: ["a"] }, { ...REDIS, route }, "api")).toEqual([]);
    const { step } = compilePolicy(purge, [{ config: { tags: ["a"] }, level: "api" }], "only", {
      ...REDIS,
      route,
    });
    expect(step).toBeUndefined();
    expect(faults({ tags: ["a"] }, { ...REDIS, route: { methods: ["GET", "POST"] } })).toEqual([]);
  });
});
