import { describe, expect, it } from "vitest";
import type { HeaderEdit } from "../../../src/core/header-edits.ts";
import { answer, caller, type Fields, Gateway } from "./harness.ts";

const LIVE = { "cache-control": "max-age=3600" };

/** Whether the second of two equal requests is answered from the store. */
const isReused = async (gateway: Gateway, target = "/a", options = {}): Promise<boolean> => {
  await gateway.send(target, options);
  const second = await gateway.send(target, options);
  return second.cacheStatus.startsWith("postern; hit") && gateway.sent.length === 1;
};

describe("which responses a shared cache stores (RFC 9111 section 3)", () => {
  it.each<[string, boolean, Fields]>([
    ["with max-age", true, LIVE],
    ["with s-maxage", true, { "cache-control": "s-maxage=3600" }],
    ["with an Expires that lies ahead", true, { expires: "Thu, 01 Jan 2026 01:00:00 GMT" }],
    ["without any word on freshness", false, {}],
    ["with max-age=0", false, { "cache-control": "max-age=0" }],
    ["with a max-age that is no number", false, { "cache-control": "max-age=a100" }],
    ["with private", false, { "cache-control": "private, max-age=3600" }],
    ["with private limited to a field", true, { "cache-control": 'private="x-a", max-age=3600' }],
    ["with no-store", false, { "cache-control": "no-store, max-age=3600" }],
    ["with no-store in any case", false, { "cache-control": "max-age=3600, nO-StOrE" }],
    ["with no-cache", false, { "cache-control": "no-cache, max-age=3600" }],
    ["with Set-Cookie", false, { ...LIVE, "set-cookie": "a=b" }],
    ["with Vary: *", false, { ...LIVE, vary: "*" }],
    ["with Vary on what is no name", false, { ...LIVE, vary: "a b" }],
    ["with Vary on what is new each time", false, { ...LIVE, vary: "X-Forwarded-For" }],
    ["with Vary on what is keyed anyway", true, { ...LIVE, vary: "Host, X-Forwarded-Proto" }],
    ["as a stream of events", false, { ...LIVE, "content-type": "text/event-stream; charset=utf-8" }],
    ["with an unknown directive", true, { "cache-control": "foobar, max-age=3600" }],
    ["with Pragma: no-cache", true, { ...LIVE, pragma: "no-cache" }],
  ])("%s: %s", async (_sentence, stored, fields) => {
    const gateway = new Gateway().answers(() => answer(fields));
    expect(await isReused(gateway)).toBe(stored);
  });

  it.each<[number, boolean, Fields]>([
    ...[200, 203, 204, 404, 410].map((status): [number, boolean, Fields] => [status, true, {}]),
    ...[302, 403, 500, 502, 503, 599].map((status): [number, boolean, Fields] => [status, false, {}]),
    [302, true, { "cache-control": "public" }],
    [302, true, { "cache-control": "max-age=0" }],
    [302, true, { expires: "0" }],
    [302, false, { "cache-control": "no-cache" }],
    [302, false, { "cache-control": "must-revalidate" }],
  ])("status %i without a lifetime can be asked about later: %s %o", async (status, asked, fields) => {
    const gateway = new Gateway().answers(() =>
      answer({ etag: '"a"', ...fields }, status === 204 ? null : "", status),
    );
    await gateway.send("/a");
    await gateway.send("/a");
    expect(gateway.sent[1]!.headers.has("if-none-match")).toBe(asked);
  });

  it.each<[number, boolean]>([
    ...[200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 451, 499, 500, 502, 503, 504, 599].map(
      (status): [number, boolean] => [status, true],
    ),
    ...[206, 304, 408, 412, 416, 421, 425, 428, 429, 431, 511].map((status): [number, boolean] => [
      status,
      false,
    ]),
  ])("status %i with a lifetime of its own: %s", async (status, stored) => {
    const body = [204, 304].includes(status) ? null : "body";
    const gateway = new Gateway().answers(() => answer(LIVE, body, status));
    expect(await isReused(gateway)).toBe(stored);
  });

  it.each<[number, boolean]>([
    ...[200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501].map((status): [number, boolean] => [
      status,
      true,
    ]),
    ...[201, 202, 302, 307, 400, 401, 403, 500, 502, 503, 504, 599].map((status): [number, boolean] => [
      status,
      false,
    ]),
  ])("status %i without a lifetime of its own, under a ttl: %s", async (status, stored) => {
    const gateway = new Gateway({ ttlMs: 60_000 }).answers(() =>
      answer({}, status === 204 ? null : "body", status),
    );
    expect(await isReused(gateway)).toBe(stored);
  });

  it("any status may be reused heuristically when it is public (section 4.2.2)", async () => {
    const gateway = new Gateway({ ttlMs: 60_000 }).answers(() =>
      answer({ "cache-control": "public" }, "x", 599),
    );
    expect(await isReused(gateway)).toBe(true);
  });

  it.each<[string, boolean, number, string]>([
    [
      "of a status that we know stores in spite of no-store",
      true,
      200,
      "no-store, must-understand, max-age=60",
    ],
    ["of another status forbids storing", false, 299, "must-understand, max-age=60"],
  ])("must-understand %s (section 5.2.2.3)", async (_sentence, stored, status, directives) => {
    const gateway = new Gateway().answers(() => answer({ "cache-control": directives }, "x", status));
    expect(await isReused(gateway)).toBe(stored);
  });

  it("says in Cache-Status why a response was not stored", async () => {
    const gateway = new Gateway().answers(() => answer({ "cache-control": "private" }));
    expect((await gateway.send("/a")).cacheStatus).toBe("postern; fwd=miss; detail=private");
  });

  it("says in Cache-Status that it was, after what others said", async () => {
    const gateway = new Gateway().answers(() => answer({ ...LIVE, "cache-status": "origin; hit" }));
    expect((await gateway.send("/a")).cacheStatus).toBe("origin; hit, postern; fwd=miss; stored");
  });
});

describe("answers to requests with Authorization in a shared cache (RFC 9111 section 3.5)", () => {
  it.each<[string, boolean, string]>([
    ["max-age alone", false, "max-age=3600"],
    ["public", true, "max-age=3600, public"],
    ["must-revalidate", true, "max-age=3600, must-revalidate"],
    ["s-maxage", true, "s-maxage=3600"],
  ])("%s: %s", async (_sentence, stored, directives) => {
    const gateway = new Gateway().answers(() => answer({ "cache-control": directives }));
    expect(await isReused(gateway, "/a", { headers: { authorization: "Bearer x" } })).toBe(stored);
  });

  it("Authorization that the gateway took off is none that the answer could depend on", async () => {
    const edits: HeaderEdit[] = [{ op: "remove", name: "authorization" }];
    const gateway = new Gateway().answers(() => answer(LIVE));
    expect(await isReused(gateway, "/a", { headers: { authorization: "Bearer x" }, edits })).toBe(true);
  });
});

describe("an entry that is one caller's own lives by a private cache's rules", () => {
  const options = { identity: caller("a"), headers: { authorization: "Bearer x" } };
  it.each<[string, boolean, Fields]>([
    ["max-age, though the request had Authorization", true, LIVE],
    ["private", true, { "cache-control": "private, max-age=3600" }],
    ["Set-Cookie with a lifetime of its own", true, { ...LIVE, "set-cookie": "a=b" }],
    ["no-store", false, { "cache-control": "no-store" }],
    ["s-maxage, which is not for it", false, { "cache-control": "s-maxage=3600" }],
    ["Vary: *", false, { ...LIVE, vary: "*" }],
  ])("%s: %s", async (_sentence, stored, fields) => {
    const gateway = new Gateway({ perCaller: true }).answers(() => answer(fields));
    expect(await isReused(gateway, "/a", options)).toBe(stored);
  });

  it("but a policy's ttl does not make Set-Cookie come again", async () => {
    const gateway = new Gateway({ perCaller: true, ttlMs: 60_000 }).answers(() =>
      answer({ "set-cookie": "a=b" }),
    );
    expect(await isReused(gateway, "/a", options)).toBe(false);
  });
});

describe("override beats the origin's lifetime, and nothing else", () => {
  const step = { ttlMs: 60_000, override: true };
  it.each<[string, boolean, Fields]>([
    ["max-age=0", true, { "cache-control": "max-age=0" }],
    ["s-maxage=0", true, { "cache-control": "s-maxage=0" }],
    ["an Expires that lies behind", true, { expires: "0" }],
    ["no-store", false, { "cache-control": "no-store" }],
    ["private", false, { "cache-control": "private" }],
    ["Set-Cookie", false, { "set-cookie": "a=b" }],
    ["no-cache", false, { "cache-control": "no-cache" }],
    ["Vary: *", false, { vary: "*" }],
  ])("%s: %s", async (_sentence, stored, fields) => {
    expect(await isReused(new Gateway(step).answers(() => answer(fields)))).toBe(stored);
  });

  it("in a caller's own entry it does not beat Set-Cookie either", async () => {
    const gateway = new Gateway({ ...step, perCaller: true }).answers(() =>
      answer({ ...LIVE, "set-cookie": "a=b" }),
    );
    expect(await isReused(gateway, "/a", { identity: caller("a") })).toBe(false);
  });

  it("a longer lifetime is shortened by it", async () => {
    const gateway = new Gateway(step).answers(() => answer(LIVE));
    await gateway.send("/a");
    gateway.advance(61);
    expect((await gateway.send("/a")).result).toBe("miss");
  });
});

describe("which fields are stored (RFC 9111 section 3.1)", () => {
  const stored = async (fields: Fields, step = {}): Promise<Headers> => {
    const gateway = new Gateway(step).answers(() => answer(fields));
    await gateway.send("/a", { identity: caller("a") });
    const { headers, result } = await gateway.send("/a", { identity: caller("a") });
    expect(result).toBe("hit");
    return headers;
  };

  it("not those of the connection, nor what Connection names", async () => {
    const headers = await stored({
      ...LIVE,
      connection: "a, b",
      a: "1",
      b: "2",
      c: "3",
      "keep-alive": "x",
      te: "x",
    });
    expect(headers.get("c")).toBe("3");
    for (const name of ["connection", "a", "b", "keep-alive", "te"])
      expect(headers.has(name), name).toBe(false);
  });

  it("not those that no-cache lists", async () => {
    const headers = await stored({ "cache-control": 'no-cache="a, b", max-age=60', a: "1", b: "2", c: "3" });
    expect([headers.has("a"), headers.has("b"), headers.get("c")]).toEqual([false, false, "3"]);
  });

  it("not those that private lists, unless the entry is the caller's own", async () => {
    const fields = { "cache-control": 'private="a", max-age=60', a: "1" };
    expect((await stored(fields)).has("a")).toBe(false);
    expect((await stored(fields, { perCaller: true })).get("a")).toBe("1");
  });

  it("not CORS fields, which belong to whoever asked", async () => {
    const headers = await stored({
      ...LIVE,
      "access-control-allow-origin": "https://a.example",
      vary: "Origin",
    });
    expect(headers.has("access-control-allow-origin")).toBe(false);
  });

  it("all others, with the status, and Date as it was", async () => {
    const gateway = new Gateway();
    const date = gateway.date(-5);
    gateway.answers(() => answer({ ...LIVE, date, "content-type": "text/x", "x-a": "1" }, "gone", 410));
    await gateway.send("/a");
    gateway.advance(10);
    const seen = await gateway.send("/a");
    expect([seen.status, seen.text]).toEqual([410, "gone"]);
    expect(seen.headers.get("content-type")).toBe("text/x");
    expect(seen.headers.get("date")).toBe(date);
  });

  it("a response without Date gets that of its arrival", async () => {
    const gateway = new Gateway().answers(() => answer(LIVE));
    const date = gateway.date();
    await gateway.send("/a");
    gateway.advance(10);
    expect((await gateway.send("/a")).headers.get("date")).toBe(date);
  });

  it("what is withheld from the store is not withheld from the first client", async () => {
    const fields = { "cache-control": 'no-cache="a", max-age=60', a: "1", "content-length": "4" };
    const gateway = new Gateway().answers(() => answer(fields));
    const { headers } = await gateway.send("/a");
    expect(headers.get("a")).toBe("1");
  });
});
