import { describe, expect, it } from "vitest";
import type { Exchange } from "../../../src/core/exchange.ts";
import type { Identity } from "../../../src/core/identity.ts";
import { fakeExchange } from "../../support/ports.ts";
import { upstreamHeaders } from "../compiling.ts";
import { linkBody, pieces, sentBody } from "./harness.ts";

const JSON_TYPE = { "content-type": "application/json" };

interface Outcome {
  readonly status: number;
  readonly problem: Record<string, unknown> | undefined;
  readonly headers: Headers;
  /** What went to the upstream; undefined where nothing did. */
  readonly sent: string | null | undefined;
  readonly sentHeaders: Headers;
  readonly exchange: Exchange;
}

const run = async (
  config: unknown,
  init: RequestInit & { duplex?: "half" },
  over: Partial<Exchange> = {},
): Promise<Outcome> => {
  const request = new Request("https://api.example.com/orders", { method: "POST", ...init });
  const exchange = fakeExchange(request, over);
  let sent: string | null | undefined;
  const handler = linkBody({ request: config }, "request", async (it) => {
    sent = await sentBody(it);
    return new Response("from the upstream");
  });
  const answer = await handler(exchange);
  const problem = answer.ok ? undefined : ((await answer.json()) as Record<string, unknown>);
  return {
    status: answer.status,
    problem,
    headers: answer.headers,
    sent,
    sentHeaders: upstreamHeaders(exchange),
    exchange,
  };
};

const SOURCE = { edits: [{ op: "add", path: "/source", value: "web" }] };

describe("a JSON body", () => {
  it.each([
    ["application/json"],
    ["Application/JSON; charset=utf-8"],
    ["application/merge-patch+json"],
    ["application/vnd.shop.v2+json;v=1"],
    ["text/json"],
  ])("of the type %s is edited", async (type) => {
    const { sent, status } = await run(SOURCE, {
      body: '{"sku":"a","price":1.0}',
      headers: { "content-type": type },
    });
    expect([status, sent]).toEqual([200, '{"sku":"a","price":1.0,"source":"web"}']);
  });

  it("that comes in pieces, with characters cut apart, is edited", async () => {
    const bytes = new TextEncoder().encode('{"name":"Zoë €"}');
    const { stream } = pieces([bytes.subarray(0, 12), bytes.subarray(12, 16), bytes.subarray(16)]);
    const { sent } = await run(SOURCE, { body: stream, duplex: "half", headers: JSON_TYPE });
    expect(sent).toBe('{"name":"Zoë €","source":"web"}');
  });

  it("that another policy watches or has read is edited", async () => {
    const { stream } = pieces(['{"a":', "1}"]);
    expect((await run(SOURCE, { body: "ignored", headers: JSON_TYPE }, { requestBody: stream })).sent).toBe(
      '{"a":1,"source":"web"}',
    );
    const bytes = new TextEncoder().encode('{"a":2}');
    expect((await run(SOURCE, { body: "ignored", headers: JSON_TYPE }, { requestBody: bytes })).sent).toBe(
      '{"a":2,"source":"web"}',
    );
  });

  it("goes out as bytes, so with its length, and without what was said of the old ones", async () => {
    const { exchange, sentHeaders } = await run(SOURCE, {
      body: "{}",
      headers: {
        ...JSON_TYPE,
        "content-length": "2",
        "content-digest": "sha-256=:a:",
        "repr-digest": "a",
        digest: "b",
        "content-md5": "c",
        "x-a": "1",
      },
    });
    expect(exchange.requestBody).toBeInstanceOf(Uint8Array);
    expect(Object.fromEntries(sentHeaders)).toEqual({ ...JSON_TYPE, "x-a": "1" });
  });

  it("may begin with a byte order mark, which is not passed on (RFC 8259 section 8.1)", async () => {
    expect((await run(SOURCE, { body: "\ufeff{}", headers: JSON_TYPE })).sent).toBe('{"source":"web"}');
  });
});

describe("a request without a body", () => {
  it.each<[string, RequestInit, Partial<Exchange>]>([
    ["of none", { headers: JSON_TYPE }, {}],
    ["of no bytes", { body: "", headers: { ...JSON_TYPE, "content-length": "0" } }, {}],
    [
      "of a type that is not JSON either",
      { headers: { "content-type": "text/plain", "content-length": "0" } },
      {},
    ],
    ["of GET", { method: "GET" }, {}],
    ["that another policy took away", { body: "{}", headers: JSON_TYPE }, { requestBody: null }],
  ])("passes: %s", async (_, init, over) => {
    const { status, sent } = await run(SOURCE, init, over);
    expect([status, sent || null]).toEqual([200, null]);
  });

  it("of GET is not looked at, since none is sent", async () => {
    const { status } = await run(SOURCE, { method: "GET" }, { requestBody: new TextEncoder().encode("x") });
    expect(status).toBe(200);
  });

  it("passes where only the stream shows that there is nothing", async () => {
    const { status, sent, exchange } = await run(SOURCE, {
      body: pieces([]).stream,
      duplex: "half",
      headers: JSON_TYPE,
    });
    expect([status, sent, exchange.requestBody]).toEqual([200, null, null]);
  });
});

describe("what is refused", () => {
  const refused = async (config: unknown, init: RequestInit & { duplex?: "half" }) => {
    const outcome = await run(config, init);
    expect(outcome.sent, "nothing went to the upstream").toBeUndefined();
    expect(outcome.exchange.problemCode).toBe(outcome.problem!["code"]);
    const { status, headers, problem } = outcome;
    return { status, headers, code: problem!["code"], pointer: problem!["pointer"] };
  };

  it.each([
    ["no type", undefined],
    ["a form", "application/x-www-form-urlencoded"],
    ["plain text", "text/plain"],
    ["JSON by parts only", "application/jsonp"],
    ["a sequence of JSON", "application/json-seq"],
    ["a name that ends so", "a+json"],
  ])("%s, which an upstream may read as JSON all the same: 415", async (_, type) => {
    const bytes = new TextEncoder().encode('{"source":"forged"}');
    const outcome = await refused(SOURCE, {
      body: bytes,
      headers: type === undefined ? {} : { "content-type": type },
    });
    expect(outcome).toMatchObject({ status: 415, code: "unsupported-media-type" });
    expect(outcome.headers.get("accept")).toBe("application/json");
  });

  it.each(["gzip", "br", "identity, gzip"])(
    "content that is coded with %s, which is not undone (S32): 415",
    async (coding) => {
      const outcome = await refused(SOURCE, {
        body: "{}",
        headers: { ...JSON_TYPE, "content-encoding": coding },
      });
      expect(outcome).toMatchObject({ status: 415, code: "unsupported-content-encoding" });
      expect(outcome.headers.get("accept-encoding")).toBe("identity");
    },
  );

  it.each([
    ["nothing but blanks", "  "],
    ["half an object", '{"a":'],
    ["two values", "{}{}"],
    ["a comma too many", '{"a":1,}'],
    ["single quotes", "{'a':1}"],
    ["a comment", "{}//"],
    ["a number that is none", '{"a":01}'],
    ["a control character in a text", '{"a":"\n"}'],
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
    ["brackets that never close", "[".repeat(100_000)],
  ])("what is not JSON: %s: 400", async (_, body) => {
    expect(await refused(SOURCE, { body, headers: JSON_TYPE })).toMatchObject({
      status: 400,
      code: "malformed-json",
    });
  });

  it("a name twice where an edit looks: 400", async () => {
    const outcome = await refused(SOURCE, { body: '{"source":"a","source":"b"}', headers: JSON_TYPE });
    expect(outcome).toMatchObject({ status: 400, code: "malformed-json", pointer: "" });
  });

  it.each([
    ["a place that does not exist", [{ op: "remove", path: "/internal" }], "/internal"],
    ["a test that fails", [{ op: "test", path: "/kind", value: "b" }], "/kind"],
    ["an element that lacks it", [{ op: "remove", path: "/items/*/cost" }], "/items/1/cost"],
  ])("%s: 422 with a pointer, and nothing is sent of the edits before it", async (_, edits, pointer) => {
    const body = '{"kind":"a","items":[{"cost":1},{}]}';
    const outcome = await refused({ edits: [...SOURCE.edits, ...edits] }, { body, headers: JSON_TYPE });
    expect(outcome).toMatchObject({ status: 422, code: "body-edit-failed", pointer });
  });

  it("a body that says it is too large, unread: 413", async () => {
    const { stream, state } = pieces(["{}"]);
    const outcome = await refused(
      { ...SOURCE, maxBody: "10B" },
      { body: stream, duplex: "half", headers: { ...JSON_TYPE, "content-length": "11" } },
    );
    expect(outcome).toMatchObject({ status: 413, code: "body-too-large" });
    expect(state).toEqual({ pulled: 0, cancelled: true });
  });

  it("a body that proves too large, as soon as it does: 413", async () => {
    const { stream, state } = pieces(['{"a":"', "xxxxxx", "xxxxxx", '"}']);
    const outcome = await refused(
      { ...SOURCE, maxBody: "10B" },
      { body: stream, duplex: "half", headers: JSON_TYPE },
    );
    expect(outcome).toMatchObject({ status: 413, code: "body-too-large" });
    expect(state).toEqual({ pulled: 2, cancelled: true });
  });

  it("a body that breaks off: 400", async () => {
    const { stream } = pieces(['{"a":1'], true);
    expect(await refused(SOURCE, { body: stream, duplex: "half", headers: JSON_TYPE })).toMatchObject({
      status: 400,
      code: "body-incomplete",
    });
  });

  it("says nothing of what is in the body", async () => {
    const { problem } = await run(
      { edits: [{ op: "test", path: "/a", value: "wanted" }] },
      { body: '{"a":"secret"}', headers: JSON_TYPE },
    );
    expect(JSON.stringify(problem)).not.toMatch(/secret|wanted/);
  });
});

it("takes a body of exactly as many bytes as it may have", async () => {
  const bytes = new TextEncoder().encode('{"a":"€€"}');
  const config = { ...SOURCE, maxBody: `${bytes.length}B` };
  expect(
    (await run(config, { body: pieces([bytes]).stream, duplex: "half", headers: JSON_TYPE })).status,
  ).toBe(200);
  expect((await run(config, { body: bytes, headers: JSON_TYPE })).status).toBe(200);
  const longer = { requestBody: new TextEncoder().encode('{"a":"€€€"}') };
  expect((await run(config, { body: "{}", headers: JSON_TYPE }, longer)).status).toBe(413);
  expect((await run(config, { body: `${'{"a":"€€"}'} `, headers: JSON_TYPE })).status).toBe(413);
});

describe("an expression", () => {
  const identity: Identity = {
    kind: "jwt",
    id: "main 42",
    subject: "42",
    claims: {
      tenant: "acme",
      roles: ["a", "b"],
      level: 3,
      any: { __proto__x: [1.5, null, true], deep: { a: "\ud800\n" } },
    },
  };
  const written = async (
    expression: string,
    over: Partial<Exchange> = { identity, params: { orderId: "7" } },
  ) => {
    const config = { edits: [{ op: "add", path: "/x", expression }] };
    const { sent, status, problem } = await run(config, { body: '{"x":"forged"}', headers: JSON_TYPE }, over);
    return status === 200 ? /^\{"x":(.*)\}$/.exec(sent!)![1] : problem!["code"];
  };

  it.each([
    ["identity.id", '"main 42"'],
    ["claims.level", "3"],
    ["claims.level + 9007199254740993", "9007199254740996"],
    ["claims.roles", '["a","b"]'],
    ["claims.any", '{"__proto__x":[1.5,null,true],"deep":{"a":"\\ud800\\n"}}'],
    ["params.orderId + '/' + claims.tenant", '"7/acme"'],
    ["'a' in claims.roles", "true"],
    ["{'id': identity.id, 'sub': identity.subject}", '{"id":"main 42","sub":"42"}'],
    ["now", '"2026-01-01T00:00:00.000Z"'],
    ["duration('1500ms')", '"1.5s"'],
    ["null", "null"],
    ["1.0 / 4.0", "0.25"],
  ])("writes %s", async (expression, json) => {
    expect(await written(expression)).toBe(json);
  });

  it.each([
    ["a claim that the caller lacks", "claims.tenant", { identity: { ...identity, claims: {} } }],
    ["a caller who is nobody", "identity.id", {}],
    ["a number that JSON cannot say", "claims.level > 0 ? 1.0 / 0.0 : 0.0", { identity }],
  ])("without a value refuses: %s", async (_, expression, over) => {
    expect(await written(expression, over)).toBe("body-edit-failed");
  });

  it("without a value takes a forged one away, where the edit is optional (S7)", async () => {
    const config = { edits: [{ op: "add", path: "/caller", expression: "identity.id", optional: true }] };
    expect((await run(config, { body: '{"caller":"forged","a":1}', headers: JSON_TYPE })).sent).toBe(
      '{"a":1}',
    );
    expect((await run(config, { body: '{"caller":"forged"}', headers: JSON_TYPE }, { identity })).sent).toBe(
      '{"caller":"main 42"}',
    );
  });

  it("is compared with, too", async () => {
    const config = { edits: [{ op: "test", path: "/tenant", expression: "claims.tenant" }] };
    const ask = async (tenant: string) =>
      (await run(config, { body: JSON.stringify({ tenant }), headers: JSON_TYPE }, { identity })).status;
    expect([await ask("acme"), await ask("other")]).toEqual([200, 422]);
  });
});
