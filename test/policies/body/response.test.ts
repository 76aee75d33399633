import { describe, expect, it } from "vitest";
import type { Exchange } from "../../../src/core/exchange.ts";
import { applyHeaderEdits } from "../../../src/core/header-edits.ts";
import { problem } from "../../../src/core/problem.ts";
import { filter as cacheFilter } from "../../../src/policies/cache/filter.ts";
import { type FakePorts, fakeExchange, fakePorts, fakeSite } from "../../support/ports.ts";
import { DEFAULT_STEP, settled } from "../cache/harness.ts";
import { upstreamHeaders } from "../compiling.ts";
import { compileBody, linkBody, pieces } from "./harness.ts";

const JSON_TYPE = { "content-type": "application/json" };
const HIDE = { edits: [{ op: "remove", path: "/internal", optional: true }] };

interface Outcome {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
  readonly exchange: Exchange;
  /** The header that the upstream got. */
  readonly asked: Headers;
  readonly response: Response;
}

const run = async (
  config: unknown,
  upstream: Response | ((exchange: Exchange) => Response),
  {
    method = "GET",
    headers = {},
    over = {},
  }: { method?: string; headers?: HeadersInit; over?: Partial<Exchange> } = {},
): Promise<Outcome> => {
  const exchange = fakeExchange(new Request("https://api.example.com/orders/7", { method, headers }), over);
  let asked = new Headers();
  const handler = linkBody({ response: config }, "response", (it) => {
    asked = upstreamHeaders(it);
    return typeof upstream === "function" ? upstream(it) : upstream;
  });
  const before = [...exchange.requestEdits];
  const response = await handler(exchange);
  expect(exchange.requestEdits, "the request is as a cache around this knows it").toEqual(before);
  const text = await response.clone().text();
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text,
    exchange,
    asked,
    response,
  };
};

const json = (text: string, headers: HeadersInit = {}, status = 200): Response =>
  new Response(text, { status, headers: { ...JSON_TYPE, ...Object.fromEntries(new Headers(headers)) } });

describe("a JSON answer", () => {
  it.each([200, 201, 202, 299])("of the status %i is edited", async (status) => {
    const {
      text,
      headers,
      status: seen,
    } = await run(HIDE, json('{"a":1.0,"internal":{"x":1}}', { "x-a": "1" }, status));
    expect([seen, text, headers]).toEqual([status, '{"a":1.0}', { ...JSON_TYPE, "x-a": "1" }]);
  });

  it("of a type that ends in +json is edited", async () => {
    const answer = new Response('{"internal":1}', {
      headers: { "content-type": "application/hal+json; charset=utf-8" },
    });
    expect((await run(HIDE, answer)).text).toBe("{}");
  });

  it("keeps its status text and every cookie", async () => {
    const headers = new Headers(JSON_TYPE);
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2");
    const { response } = await run(
      HIDE,
      new Response('{"internal":1}', { status: 201, statusText: "Made", headers }),
    );
    expect([response.statusText, response.headers.getSetCookie()]).toEqual(["Made", ["a=1", "b=2"]]);
  });

  it("loses what was said of its old bytes", async () => {
    const { headers } = await run(
      HIDE,
      json('{"internal":1}', {
        "content-length": "14",
        "content-md5": "a",
        digest: "a",
        "content-digest": "a",
        "repr-digest": "a",
        "accept-ranges": "bytes",
        "last-modified": "Mon, 23 Nov 2026 00:00:00 GMT",
        "content-encoding": "identity",
        "cache-control": "max-age=60",
        "content-language": "de",
      }),
    );
    expect(headers).toEqual({ ...JSON_TYPE, "cache-control": "max-age=60", "content-language": "de" });
  });

  it("brings no field of the hop behind the gateway (S6)", async () => {
    const { headers } = await run(
      HIDE,
      json('{"a":1}', { connection: "x-hop, close", "x-hop": "1", "keep-alive": "a", "x-a": "1" }),
    );
    expect(headers).toEqual({ ...JSON_TYPE, "x-a": "1" });
  });

  it.each([
    ["in pieces", ['{"a":', '"€","internal":1}']],
    ["in one", ['{"a":"€","internal":1}']],
  ])("that comes %s, without a length, is edited", async (_, texts) => {
    expect((await run(HIDE, new Response(pieces(texts).stream, { headers: JSON_TYPE }))).text).toBe(
      '{"a":"€"}',
    );
  });
});

describe("what passes as it is", () => {
  it.each([
    ["another type", new Response('{"internal":1}', { headers: { "content-type": "text/html" } })],
    ["no type", new Response(new TextEncoder().encode('{"internal":1}'))],
    [
      "events",
      new Response('data: {"internal":1}\n\n', { headers: { "content-type": "text/event-stream" } }),
    ],
    [
      "lines of JSON",
      new Response('{"internal":1}\n', { headers: { "content-type": "application/x-ndjson" } }),
    ],
    ["a redirect", json('{"internal":1}', { location: "/x" }, 302)],
    ["an error of the upstream", json('{"internal":1}', {}, 404)],
    ["no content", new Response(null, { status: 204, headers: { ...JSON_TYPE, etag: '"1"' } })],
    ["a body of none", new Response(null, { headers: JSON_TYPE })],
    [
      "a coded body of another type",
      new Response("gz", { headers: { "content-type": "text/css", "content-encoding": "gzip" } }),
    ],
  ])("%s", async (_, upstream) => {
    const { response } = await run(HIDE, () => upstream);
    expect(response).toBe(upstream);
  });

  it("a problem of the gateway's own", async () => {
    const { status, text } = await run({ edits: [{ op: "remove", path: "/title" }] }, (exchange) =>
      problem(exchange, { status: 504, code: "upstream-timeout", title: "Gateway timeout" }),
    );
    expect([status, JSON.parse(text)]).toMatchObject([504, { title: "Gateway timeout" }]);
  });

  it("a stream that nobody reads: not a byte of it is asked for", async () => {
    const { stream, state } = pieces(["data: 1\n\n", "data: 2\n\n"]);
    const handler = linkBody(
      { response: HIDE },
      "response",
      () => new Response(stream, { headers: { "content-type": "text/event-stream" } }),
    );
    const answer = await handler(fakeExchange(new Request("https://api.example.com/")));
    expect(state.pulled).toBe(0);
    expect(answer.body).toBe(answer.body);
    await answer.body!.cancel();
  });

  it("an empty body that only its stream shows to be empty", async () => {
    const { status, text } = await run(HIDE, new Response(pieces([]).stream, { headers: JSON_TYPE }));
    expect([status, text]).toEqual([200, ""]);
  });
});

describe("what cannot be edited is not passed on: 502", () => {
  const refused = async (config: unknown, upstream: Response) => {
    const { status, headers, text, exchange } = await run(config, upstream);
    const told = JSON.parse(text) as Record<string, unknown>;
    expect([status, headers["content-type"]]).toEqual([502, "application/problem+json"]);
    expect(exchange.problemCode).toBe(told["code"]);
    expect(text).not.toMatch(/secret/);
    return { code: told["code"], proxyStatus: headers["proxy-status"], edit: told["edit"] };
  };

  it.each([
    ["not JSON", json("<secret>"), "upstream-malformed", undefined],
    [
      "not UTF-8",
      new Response(new Uint8Array([0x22, 0xff, 0x22]), { headers: JSON_TYPE }),
      "upstream-malformed",
      undefined,
    ],
    [
      "a name twice where an edit looks",
      json('{"internal":1,"internal":"secret"}'),
      "upstream-edit-failed",
      undefined,
    ],
    [
      "coded, though nobody asked for it (S32)",
      json("secret", { "content-encoding": "gzip" }),
      "upstream-coded",
      "http_response_content_coding",
    ],
    [
      "a part, though nobody asked for it",
      json('{"secret":1}', { "content-range": "bytes 0-1/9" }, 206),
      "upstream-partial",
      "http_protocol_error",
    ],
    [
      "broken off",
      new Response(pieces(['{"secret"'], true).stream, { headers: JSON_TYPE }),
      "upstream-incomplete",
      "http_response_incomplete",
    ],
  ])("%s", async (_, upstream, code, error) => {
    const { proxyStatus, ...told } = await refused(HIDE, upstream);
    expect(told).toMatchObject({ code });
    expect(proxyStatus).toBe(
      error === undefined ? `postern; details="${code}"` : `postern; error=${error}; details="${code}"`,
    );
  });

  it.each([
    ["a place that does not exist", { op: "remove", path: "/missing" }],
    ["a test that fails", { op: "test", path: "/a", value: 2 }],
  ])("%s, with the edit that does not fit", async (_, edit) => {
    const config = { edits: [{ op: "add", path: "/b", value: 1 }, edit] };
    expect(await refused(config, json('{"a":"secret"}'))).toMatchObject({
      code: "upstream-edit-failed",
      edit: 1,
    });
  });

  it("coded, and let go unread", async () => {
    const { stream, state } = pieces(["secret"]);
    await refused(HIDE, new Response(stream, { headers: { ...JSON_TYPE, "content-encoding": "gzip" } }));
    expect(state).toEqual({ pulled: 0, cancelled: true });
  });

  it("said to be too large, and let go unread", async () => {
    const { stream, state } = pieces(['{"a":"secret"}']);
    const upstream = new Response(stream, { headers: { ...JSON_TYPE, "content-length": "11" } });
    const { code, proxyStatus } = await refused({ ...HIDE, maxBody: "10B" }, upstream);
    expect([code, proxyStatus]).toEqual([
      "upstream-too-large",
      'postern; error=http_response_body_size; details="upstream-too-large"',
    ]);
    expect(state).toEqual({ pulled: 0, cancelled: true });
  });

  it("too large on the way, and let go", async () => {
    const { stream, state } = pieces(['{"a":"', "secret", "secret", '"}']);
    expect(
      await refused({ ...HIDE, maxBody: "10B" }, new Response(stream, { headers: JSON_TYPE })),
    ).toMatchObject({ code: "upstream-too-large" });
    expect(state).toEqual({ pulled: 2, cancelled: true });
  });
});

describe("the upstream is asked", () => {
  const asked = async (headers: HeadersInit, method = "GET") =>
    Object.fromEntries((await run(HIDE, json("{}"), { method, headers })).asked);

  it("for a whole answer without a coding, whatever the client would take", async () => {
    expect(
      await asked({
        "accept-encoding": "gzip, br",
        range: "bytes=0-9",
        "if-range": '"1"',
        "if-modified-since": "Mon, 23 Nov 2026 00:00:00 GMT",
        accept: "application/json",
      }),
    ).toEqual({ "accept-encoding": "identity", accept: "application/json" });
  });

  it("under the client's own conditions where it changes something", async () => {
    expect(
      await asked({ "if-match": '"1"', "if-none-match": '"2"', "if-unmodified-since": "a" }, "PUT"),
    ).toEqual({
      "accept-encoding": "identity",
      "if-match": '"1"',
      "if-none-match": '"2"',
      "if-unmodified-since": "a",
    });
  });
});

describe("entity tags", () => {
  const tagOf = async (etag: string, config: unknown = HIDE) =>
    (await run(config, json("{}", { etag }))).headers["etag"];
  const askedWith = async (field: string, over: Partial<Exchange> = {}) =>
    (await run(HIDE, json("{}"), { headers: { "if-none-match": field }, over })).asked.get("if-none-match");

  it("become weak, and say by which edits the answer was made", async () => {
    const tag = await tagOf('"abc"');
    expect(tag).toMatch(/^W\/"abc~[0-9a-z]+"$/);
    expect(await tagOf('W/"abc"')).toBe(tag);
    expect(await tagOf('"abc"', { edits: [{ op: "remove", path: "/x", optional: true }] })).not.toBe(tag);
    expect(await tagOf('""')).toMatch(/^W\/"~[0-9a-z]+"$/);
  });

  it.each(["abc", '"a"b"', '"a', "W/abc"])("that are none are dropped: %s", async (etag) => {
    expect(await tagOf(etag)).toBeUndefined();
  });

  it("come back to the upstream as its own", async () => {
    const [one, two] = [await tagOf('"a~b"'), await tagOf('W/"c,d"')];
    expect(await askedWith(`${one}, "other", ${two}`)).toBe('W/"a~b", W/"c,d"');
    expect(await askedWith("*")).toBe("*");
  });

  it("of answers that were edited otherwise, or not at all, confirm nothing", async () => {
    expect(await askedWith('"abc", W/"abc~0000000"')).toBeNull();
    expect(await askedWith("nonsense")).toBeNull();
  });

  it("are asked about as policies further out have it", async () => {
    const tag = (await tagOf('"abc"'))!;
    const over = { requestEdits: [{ op: "set", name: "if-none-match", value: tag } as const] };
    expect(await askedWith('"other"', over)).toBe('W/"abc"');
    expect(await askedWith(tag, { requestEdits: [{ op: "remove", name: "if-none-match" }] })).toBeNull();
    expect(await askedWith(tag, { requestEdits: [{ op: "allow", names: [] }] })).toBeNull();
  });

  it("of 304 are those of the edited answer", async () => {
    const tag = (await tagOf('"abc"'))!;
    const upstream = new Response(null, {
      status: 304,
      headers: { etag: '"abc"', "last-modified": "a", "cache-control": "max-age=1" },
    });
    const { status, headers, text } = await run(HIDE, upstream, { headers: { "if-none-match": tag } });
    expect([status, headers, text]).toEqual([304, { etag: tag, "cache-control": "max-age=1" }, ""]);
  });

  it("cost no more for a field of 64 KiB (S24)", async () => {
    const begun = performance.now();
    for (const field of [
      '"'.repeat(65_536),
      '"a'.repeat(32_768),
      'W/"a~b", '.repeat(8192),
      "~".repeat(65_536),
    ])
      await askedWith(field);
    expect(performance.now() - begun).toBeLessThan(200);
  });
});

it("the answer to HEAD has the fields of the edited answer, and no length", async () => {
  const upstream = new Response(null, {
    headers: { ...JSON_TYPE, "content-length": "1234", etag: '"1"', "accept-ranges": "bytes" },
  });
  const { headers, text } = await run(HIDE, upstream, { method: "HEAD" });
  expect([
    headers["etag"]?.startsWith('W/"1~'),
    headers["content-length"],
    headers["accept-ranges"],
    text,
  ]).toEqual([true, undefined, undefined, ""]);
});

/** The policy inside of a cache, as the order has it. */
class Cached {
  readonly asked: Headers[] = [];
  readonly ports: FakePorts = fakePorts();
  upstream: (headers: Headers) => Response = () => json("{}");
  readonly #handler;

  constructor(config: unknown) {
    const { step } = compileBody({ response: config }, "response");
    expect(step).toBeDefined();
    const inner = linkBody({ response: config }, "response", (exchange) => {
      const headers = upstreamHeaders(exchange);
      this.asked.push(headers);
      return this.upstream(headers);
    });
    this.#handler = cacheFilter({ ...DEFAULT_STEP, staleIfErrorMs: 600_000 }, this.ports, fakeSite())!(inner);
  }

  async ask(headers: HeadersInit = {}) {
    const exchange = fakeExchange(new Request("https://api.example.com/orders/7", { headers }));
    const answer = await this.#handler(exchange);
    const text = await answer.text();
    await settled(exchange.deferred);
    const fields = new Headers(answer.headers);
    applyHeaderEdits(fields, exchange.answerEdits);
    return { status: answer.status, text, result: exchange.cacheResult, headers: fields };
  }
}

describe("with a cache around", () => {
  it("an answer is edited once, and asked about by the upstream's own tag", async () => {
    const route = new Cached(HIDE);
    route.upstream = () => json('{"a":1.0,"internal":1}', { etag: '"v1"', "cache-control": "max-age=60" });
    expect(await route.ask()).toMatchObject({ result: "miss", text: '{"a":1.0}' });
    expect(await route.ask()).toMatchObject({ result: "hit", text: '{"a":1.0}' });
    route.ports.clock.advance(61_000);
    route.upstream = (headers) =>
      headers.get("if-none-match") === 'W/"v1"'
        ? new Response(null, { status: 304, headers: { etag: '"v1"', "cache-control": "max-age=60" } })
        : json("{}");
    expect(await route.ask()).toMatchObject({ result: "revalidated", text: '{"a":1.0}' });
    expect(route.asked).toHaveLength(2);
  });

  it("the client's copy is confirmed by its tag", async () => {
    const route = new Cached(HIDE);
    route.upstream = () => json('{"internal":1}', { etag: '"v1"', "cache-control": "max-age=60" });
    const tag = (await route.ask()).headers.get("etag")!;
    expect((await route.ask({ "if-none-match": tag })).status).toBe(304);
    expect((await route.ask({ "if-none-match": '"v1"' })).status).toBe(200);
  });

  it("a range is a part of what was edited", async () => {
    const route = new Cached(HIDE);
    route.upstream = (headers) =>
      headers.has("range")
        ? json("x", {}, 206)
        : json('{"internal":1,"a":12345}', { "cache-control": "max-age=60" });
    expect(await route.ask({ range: "bytes=0-1" })).toMatchObject({ status: 200, text: '{"a":12345}' });
    expect(await route.ask({ range: "bytes=1-3" })).toMatchObject({ status: 206, text: '"a"' });
  });

  it("an answer that varies by coding is found again", async () => {
    const route = new Cached(HIDE);
    route.upstream = () => json("{}", { vary: "accept-encoding", "cache-control": "max-age=60" });
    await route.ask({ "accept-encoding": "gzip" });
    expect((await route.ask({ "accept-encoding": "gzip" })).result).toBe("hit");
  });

  it("a stored answer stands in for one that cannot be edited", async () => {
    const route = new Cached(HIDE);
    route.upstream = () => json('{"a":1}', { "cache-control": "max-age=60" });
    await route.ask();
    route.ports.clock.advance(61_000);
    route.upstream = () => json("<secret>");
    expect(await route.ask()).toMatchObject({ status: 200, text: '{"a":1}', result: "stale" });
  });
});
