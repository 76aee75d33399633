import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/core/exchange.ts";
import { problem } from "../../src/core/problem.ts";
import { headers } from "../../src/policies/headers/policy.ts";
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
