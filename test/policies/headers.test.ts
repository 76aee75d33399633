import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import { problem } from "../../src/core/problem.ts";
import { headers } from "../../src/policies/headers/policy.ts";
import { RequestExchange } from "../../src/runtime/exchange.ts";
import { outgoingHeaders } from "../../src/runtime/outgoing-headers.ts";
import { fakeExchange, fakePorts } from "../support/ports.ts";
import { clientAnswer, compilePolicy, linkPolicy, upstreamHeaders } from "./compiling.ts";

const ROUTE = { route: { params: ["orderId"] }, identity: { policies: ["jwt"] } };

const sent = async (config: unknown, given: Record<string, string>, over: Partial<Exchange> = {}) => {
  const exchange = fakeExchange(new Request("https://api.example.com/orders/7", { headers: given }), over);
  const filter = await linkPolicy(headers, { request: config }, fakePorts(), "request", ROUTE);
  await filter(() => new Response())(exchange);
  return Object.fromEntries(upstreamHeaders(exchange));
};

const answered = async (config: unknown, upstream: Record<string, string>, over: Partial<Exchange> = {}) => {
  const exchange = fakeExchange(new Request("https://api.example.com/orders/7"), over);
  const filter = await linkPolicy(headers, { response: config }, fakePorts(), "response", ROUTE);
  const answer = await filter(() => new Response(null, { headers: upstream }))(exchange);
  return Object.fromEntries(clientAnswer(exchange, answer).headers);
};

describe("headers of the request", () => {
  it.each([
    ["set puts a field there", { set: { "x-a": "1" } }, {}, { "x-a": "1" }],
    [
      "set replaces what the client sent, in any case",
      { set: { "X-A": "1" } },
      { "x-a": "forged" },
      { "x-a": "1" },
    ],
    ["add keeps what the client sent", { add: { "x-a": "2" } }, { "x-a": "1" }, { "x-a": "1, 2" }],
    ["remove takes a field off", { remove: ["X-A"] }, { "x-a": "1", "x-b": "2" }, { "x-b": "2" }],
    ["set and add together", { set: { "x-a": "1" }, add: { "x-a": "2" } }, { "x-a": "0" }, { "x-a": "1, 2" }],
    ["allow lets only listed fields pass", { allow: ["X-B"] }, { "x-a": "1", "x-b": "2" }, { "x-b": "2" }],
    [
      "allow keeps what describes the body",
      { allow: [] },
      { "content-type": "a/b", "x-a": "1" },
      { "content-type": "a/b" },
    ],
    [
      "allow does not touch what is set here",
      { allow: [], set: { "x-a": "1" } },
      { "x-a": "0", "x-b": "2" },
      { "x-a": "1" },
    ],
    [
      "an empty text is a value where it is written so",
      { set: { "x-a": "" } },
      { "x-a": "1" },
      { "x-a": "" },
    ],
  ])("%s", async (_, config, given, expected) => {
    expect(await sent(config, given as Record<string, string>)).toEqual(expected);
  });

  it("allow leaves what other policies have set", async () => {
    const over = { requestEdits: [{ op: "set", name: "x-user-id", value: "42" } as const] };
    expect(
      await sent({ allow: ["x-a"] }, { "x-a": "1", "x-user-id": "forged", cookie: "a=b" }, over),
    ).toEqual({ "x-a": "1", "x-user-id": "42" });
  });

  it("allow holds for what remains of the cookies that another policy took its token from", async () => {
    const over = () => ({ requestEdits: [{ op: "set", name: "cookie", value: "tracking=1" } as const] });
    const given = { cookie: "token=secret; tracking=1" };
    expect(await sent({ allow: [] }, given, over())).toEqual({});
    expect(await sent({ allow: ["cookie"] }, given, over())).toEqual({ cookie: "tracking=1" });
    expect(await sent({ allow: [], set: { cookie: "a=b" } }, given, over())).toEqual({ cookie: "a=b" });
  });

  it.each([
    ["if-match", '"1"'],
    ["if-none-match", "*"],
    ["if-unmodified-since", "Mon, 23 Nov 2026 00:00:00 GMT"],
    ["if-modified-since", "Mon, 23 Nov 2026 00:00:00 GMT"],
    ["content-range", "bytes 0-1/4"],
    ["content-encoding", "gzip"],
    ["content-language", "de"],
    ["sec-websocket-protocol", "chat"],
  ])("allow never turns the request into another one: %s passes", async (name, value) => {
    expect(await sent({ allow: [] }, { [name]: value })).toEqual({ [name]: value });
  });

  it.each(["accept", "accept-language", "cache-control", "range", "user-agent", "origin", "x-api-key"])(
    "allow lets %s pass where it is named only",
    async (name) => {
      expect(await sent({ allow: [] }, { [name]: "a" })).toEqual({});
      expect(await sent({ allow: [name.toUpperCase()] }, { [name]: "a" })).toEqual({ [name]: "a" });
    },
  );

  it("allow leaves what the gateway itself writes, and nothing of what the client wrote in its place", async () => {
    const filter = await linkPolicy(headers, { request: { allow: ["x-a"] } }, fakePorts(), "request");
    const site = {
      loopId: "shop.postern",
      clientIp: "connection" as const,
      platform: { isCloudflare: false },
      random: () => 0.5,
    };
    const request = new Request("https://api.example.com/orders", {
      headers: {
        "X-A": "1",
        x_a: "2",
        "x-b": "2",
        cookie: "a=b",
        authorization: "Bearer x",
        "x-forwarded-for": "forged",
        "x-forwarded-proto": "forged",
        "x-forwarded-prefix": "forged",
        forwarded: "for=forged",
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        tracestate: "a=b",
      },
    });
    Object.defineProperty(request, "cf", { value: { clientIp: "192.0.2.7" } });
    const exchange = new RequestExchange(
      request,
      { waitUntil: () => undefined },
      {
        ports: fakePorts(),
        platform: { isCloudflare: false },
        gateway: {
          name: "shop",
          development: false,
          clientIp: "connection",
          paths: { encodedSlash: "reject", matrixParameters: "reject" },
        },
      },
    );
    let out: Headers | undefined;
    await filter((it) => {
      out = outgoingHeaders(it as RequestExchange, site, false);
      return new Response();
    })(exchange);
    expect(Object.fromEntries(out!)).toEqual({
      "cdn-loop": "shop.postern",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      tracestate: "a=b",
      via: "1.1 postern",
      "x-a": "1",
      "x-forwarded-for": "192.0.2.7",
      "x-forwarded-host": "api.example.com",
      "x-forwarded-proto": "https",
    });
  });

  it("an addition whose templates come out empty adds nothing", async () => {
    expect(await sent({ add: { "x-a": "{identity.subject}" } }, { "x-a": "1" })).toEqual({ "x-a": "1" });
  });

  describe("templates", () => {
    const identity = {
      kind: "jwt",
      id: "https://login.example.com/ 42",
      subject: "42",
      claims: { tenant: "acme" },
    };

    it.each([
      ["a parameter", "order {params.orderId}", "order 7"],
      ["who is calling", "{identity.subject}@{claims.tenant}", "42@acme"],
      ["the client's address", "{client.ip}", "192.0.2.1"],
    ])("are filled with %s", async (_, text, value) => {
      expect(
        await sent({ set: { "x-a": text } }, { "x-a": "forged" }, { identity, params: { orderId: "7" } }),
      ).toEqual({ "x-a": value });
    });

    it("that come out empty remove the field, so that a forged one does not stand in (S7)", async () => {
      expect(
        await sent({ set: { "x-user": "{identity.subject}" } }, { "x-user": "forged", "x-b": "2" }),
      ).toEqual({ "x-b": "2" });
    });

    it.each([
      ["CR and LF", "a\r\nx-admin: 1", "a%0D%0Ax-admin: 1"],
      ["NUL and ESC", "a\0\x1b", "a%00%1B"],
      ["text beyond ASCII", "bücher €", "b%C3%BCcher %E2%82%AC"],
    ])("cannot break out of their field with %s (S33)", async (_, value, escaped) => {
      expect(await sent({ set: { "x-a": "{params.orderId}" } }, {}, { params: { orderId: value } })).toEqual({
        "x-a": escaped,
      });
    });

    it("are right with 64 KiB of what has to be escaped", async () => {
      const { "x-a": value } = await sent(
        { set: { "x-a": "{params.orderId}" } },
        {},
        { params: { orderId: "\n".repeat(65_536) } },
      );
      expect(value).toBe("%0A".repeat(65_536));
    });
  });
});

describe("headers of the response", () => {
  it.each([
    [
      "set replaces what the upstream says",
      { set: { server: "postern" } },
      { server: "php/4" },
      { server: "postern" },
    ],
    ["remove takes it off", { remove: ["server"] }, { server: "php/4", etag: '"1"' }, { etag: '"1"' }],
    [
      "allow lets only listed fields pass",
      { allow: ["etag"] },
      { server: "php/4", etag: '"1"', "content-type": "a/b" },
      { etag: '"1"', "content-type": "a/b" },
    ],
    [
      "add to Vary merges",
      { add: { vary: "Accept, Accept-Language" } },
      { vary: "accept" },
      { vary: "accept, Accept-Language" },
    ],
    ["templates are filled", { set: { "x-order": "{params.orderId}" } }, {}, { "x-order": "7" }],
  ])("%s", async (_, config, upstream, expected) => {
    expect(await answered(config, upstream as Record<string, string>, { params: { orderId: "7" } })).toEqual(
      expected,
    );
  });

  it.each([
    ["location", "https://api.example.com/orders/8"],
    ["cache-control", "private, no-store"],
    ["expires", "0"],
    ["content-disposition", "attachment"],
    ["vary", "accept"],
  ])("allow never turns the answer into another one: %s passes", async (name, value) => {
    expect(await answered({ allow: [] }, { [name]: value, "set-cookie": "a=b", server: "php/4" })).toEqual({
      [name]: value,
    });
  });

  it("allow leaves what other policies have set, and what a refusal has to say", async () => {
    const exchange = fakeExchange(new Request("https://api.example.com/"), {
      answerEdits: [{ op: "set", name: "x-request-id", value: "1" }],
    });
    const filter = await linkPolicy(headers, { response: { allow: [] } }, fakePorts(), "response");
    const answer = await filter((inner) =>
      problem(inner, {
        status: 503,
        code: "x",
        title: "X",
        headers: { "retry-after": "3", "x-internal": "1" },
      }),
    )(exchange);
    expect([...clientAnswer(exchange, answer).headers.keys()]).toEqual([
      "cache-control",
      "content-type",
      "proxy-status",
      "retry-after",
      "x-request-id",
    ]);
  });
});

describe("the two stages", () => {
  it.each([
    ["request", { request: { set: { "x-a": "1" } } }, true, false],
    ["response", { response: { remove: ["server"] } }, false, true],
    ["neither where nothing is said", { request: {}, response: {} }, false, false],
  ])("%s", (_, config, request, response) => {
    expect(compilePolicy(headers, [{ config }], "request").step !== undefined).toBe(request);
    expect(compilePolicy(headers, [{ config }], "response").step !== undefined).toBe(response);
  });
});

describe("what the policy refuses", () => {
  it.each([
    ["request", "connection"],
    ["request", "Transfer-Encoding"],
    ["request", "te"],
    ["request", "upgrade"],
    ["request", "Host"],
    ["request", "content-length"],
    ["request", "via"],
    ["request", "forwarded"],
    ["request", "x-forwarded-for"],
    ["request", "X-Forwarded-Anything"],
    ["request", "x-original-url"],
    ["request", "cdn-loop"],
    ["response", "connection"],
    ["response", "content-length"],
    ["response", "content-encoding"],
    ["response", "via"],
    ["response", "proxy-status"],
    ["response", "access-control-allow-origin"],
  ])("to change, in the %s, %s", (side, name) => {
    for (const verb of ["set", "add"]) {
      const { faults } = compilePolicy(
        headers,
        [{ config: { [side]: { [verb]: { [name]: "1", "x-fine": "1" } } } }],
        side,
      );
      expect(faults).toMatchObject([{ code: "reserved-header", at: `${side}.${verb}.${name}` }]);
    }
    const { faults } = compilePolicy(headers, [{ config: { [side]: { remove: ["x-fine", name] } } }], side);
    expect(faults).toMatchObject([{ code: "reserved-header", at: `${side}.remove.1` }]);
  });

  it.each([
    ["to replace Vary", { set: { vary: "accept" } }, "reserved-header", "response.set.vary"],
    ["to remove Vary", { remove: ["vary"] }, "reserved-header", "response.remove.0"],
    ["to remove and set", { set: { "X-A": "1" }, remove: ["x-a"] }, "conflicting-edits", "response.remove.0"],
    ["two spellings of a name", { set: { "X-A": "1", "x-a": "2" } }, "duplicate-header", "response.set.x-a"],
    ["a value of two lines", { set: { "x-a": "1\r\nx-b: 2" } }, "bad-header-value", "response.set.x-a"],
    [
      "two lines around a template",
      { set: { "x-a": "{client.ip}\r\nx-b: 2" } },
      "bad-header-value",
      "response.set.x-a",
    ],
    ["an underscore in a name", { set: { x_a: "1" } }, "invalid_key", "response.set.x_a"],
    ["a number for a value", { set: { "x-a": 1 } }, "invalid_type", "response.set.x-a"],
    ["an unknown verb", { replace: {} }, "unrecognized_keys", "response"],
  ])("%s", (_, response, code, at) => {
    expect(compilePolicy(headers, [{ config: { response } }], "response").faults).toMatchObject([
      { code, at },
    ]);
  });

  it("nothing of a header field that has the name of an object's property", async () => {
    expect(await sent({ set: { constructor: "1" } }, { tostring: "2" })).toEqual({
      constructor: "1",
      tostring: "2",
    });
  });
});
