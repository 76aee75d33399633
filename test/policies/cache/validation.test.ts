import { describe, expect, it } from "vitest";
import { answer, type Fields, Gateway } from "./harness.ts";

const MODIFIED = "Wed, 31 Dec 2025 00:00:00 GMT";
const LATER = "Wed, 31 Dec 2025 12:00:00 GMT";
const EARLIER = "Tue, 30 Dec 2025 00:00:00 GMT";
const LIVE = { "cache-control": "max-age=60" };

const holding = async (fields: Fields, step = {}): Promise<Gateway> => {
  const gateway = new Gateway(step).answers(() => answer(fields));
  await gateway.send("/a");
  return gateway;
};

describe("a client that asks about its own copy of what is fresh here (RFC 9111 section 4.3.2)", () => {
  it.each<[string, number, Fields, Fields]>([
    ["the same tag", 304, { ...LIVE, etag: '"a"' }, { "if-none-match": '"a"' }],
    ["a weak tag", 304, { ...LIVE, etag: 'W/"a"' }, { "if-none-match": 'W/"a"' }],
    ["a weak tag for a strong one", 304, { ...LIVE, etag: '"a"' }, { "if-none-match": 'W/"a"' }],
    ["one of several tags", 304, { ...LIVE, etag: '"a"' }, { "if-none-match": '"x", "a", "y"' }],
    ["anything", 304, LIVE, { "if-none-match": "*" }],
    ["another tag", 200, { ...LIVE, etag: '"a"' }, { "if-none-match": '"b"' }],
    ["a tag of what has none", 200, LIVE, { "if-none-match": '"a"' }],
    ["the same date", 304, { ...LIVE, "last-modified": MODIFIED }, { "if-modified-since": MODIFIED }],
    ["a later date", 304, { ...LIVE, "last-modified": MODIFIED }, { "if-modified-since": LATER }],
    [
      "an equal date in the form of RFC 850",
      304,
      { ...LIVE, "last-modified": MODIFIED },
      { "if-modified-since": "Wednesday, 31-Dec-25 00:00:00 GMT" },
    ],
    ["an earlier date", 200, { ...LIVE, "last-modified": MODIFIED }, { "if-modified-since": EARLIER }],
    [
      "a date that cannot be read",
      200,
      { ...LIVE, "last-modified": MODIFIED },
      { "if-modified-since": "yesterday" },
    ],
    [
      "a date after Date, without Last-Modified",
      304,
      { ...LIVE, date: MODIFIED, age: "0", "cache-control": "max-age=604800" },
      { "if-modified-since": LATER },
    ],
    [
      "a tag comes before a date, and matches",
      304,
      { ...LIVE, etag: '"a"', "last-modified": MODIFIED },
      { "if-none-match": '"a"', "if-modified-since": EARLIER },
    ],
    [
      "a tag comes before a date, and does not",
      200,
      { ...LIVE, etag: '"a"', "last-modified": MODIFIED },
      { "if-none-match": '"b"', "if-modified-since": LATER },
    ],
  ])("%s: %i", async (_sentence, status, fields, request) => {
    const gateway = await holding(fields);
    const seen = await gateway.send("/a", { headers: request });
    expect(seen.status).toBe(status);
    expect(seen.text).toBe(status === 304 ? "" : "body");
    expect(gateway.sent).toHaveLength(1);
  });

  it("its 304 has the fields of the 200 that matter, and none of a body (RFC 9110 section 15.4.5)", async () => {
    const gateway = await holding({
      ...LIVE,
      etag: '"a"',
      vary: "x",
      expires: LATER,
      "content-type": "text/x",
      "content-location": "/b",
    });
    const { headers } = await gateway.send("/a", { headers: { "if-none-match": '"a"' } });
    for (const name of ["etag", "vary", "expires", "date", "cache-control", "content-location", "age"]) {
      expect(headers.has(name), name).toBe(true);
    }
    expect(headers.has("content-type")).toBe(false);
  });

  it("what is stored with another status than 200 is answered as it is", async () => {
    const gateway = new Gateway().answers(() => answer({ ...LIVE, etag: '"a"' }, "gone", 410));
    await gateway.send("/a");
    expect((await gateway.send("/a", { headers: { "if-none-match": '"a"' } })).status).toBe(410);
  });

  it.each([
    ["If-Match", { "if-match": '"a"' }],
    ["If-Unmodified-Since", { "if-unmodified-since": MODIFIED }],
  ])("%s is not for a cache to judge", async (_name, headers) => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    const seen = await gateway.send("/a", { headers });
    expect([gateway.sent.length, seen.cacheStatus]).toEqual([2, "postern; fwd=request"]);
  });
});

describe("asking the origin about what became stale (RFC 9111 section 4.3.1)", () => {
  it.each<[string, Fields, Record<string, string | null>]>([
    ["by tag", { ...LIVE, etag: '"a"' }, { "if-none-match": '"a"', "if-modified-since": null }],
    ["by weak tag", { ...LIVE, etag: 'W/"a"' }, { "if-none-match": 'W/"a"' }],
    [
      "by date",
      { ...LIVE, "last-modified": MODIFIED },
      { "if-none-match": null, "if-modified-since": MODIFIED },
    ],
    [
      "by both",
      { ...LIVE, etag: '"a"', "last-modified": MODIFIED },
      { "if-none-match": '"a"', "if-modified-since": MODIFIED },
    ],
    ["not at all", LIVE, { "if-none-match": null, "if-modified-since": null }],
  ])("%s", async (_sentence, fields, expected) => {
    const gateway = await holding(fields);
    gateway.advance(61);
    await gateway.send("/a");
    for (const [name, value] of Object.entries(expected))
      expect(gateway.sent[1]!.headers.get(name), name).toBe(value);
  });

  it("replaces what the client asked about its own copy, and looks at that afterwards", async () => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer({ ...LIVE, etag: '"a"' }, null, 304));
    const other = await gateway.send("/a", { headers: { "if-none-match": '"mine"' } });
    expect(gateway.sent[1]!.headers.get("if-none-match")).toBe('"a"');
    expect([other.status, other.text]).toEqual([200, "body"]);
    expect(other.cacheStatus).toBe("postern; fwd=stale; fwd-status=304; stored");
    expect(other.result).toBe("revalidated");
    gateway.advance(61);
    expect((await gateway.send("/a", { headers: { "if-none-match": '"a"' } })).status).toBe(304);
  });

  it("answers 304 from the new response, too, when that is what the client has", async () => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer({ ...LIVE, etag: '"b"', "content-length": "3" }, "new"));
    expect((await gateway.send("/a", { headers: { "if-none-match": '"b"' } })).status).toBe(304);
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it("leaves the client's question alone when nothing is stored", async () => {
    const gateway = new Gateway().answers(() => answer({ etag: '"a"' }, null, 304));
    const seen = await gateway.send("/a", { headers: { "if-none-match": '"a"' } });
    expect(gateway.sent[0]!.headers.get("if-none-match")).toBe('"a"');
    expect(seen.status).toBe(304);
    expect((await gateway.send("/a")).result).toBe("miss");
  });

  it("leaves the edits of the request as they were", async () => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer({}, null, 304));
    const { response, exchange } = gateway.begin("/a");
    await response;
    expect(exchange.requestEdits).toEqual([]);
  });

  it("no-cache is stored, and asked about before each use (section 5.2.2.4)", async () => {
    const gateway = await holding({ "cache-control": "no-cache, max-age=60", etag: '"a"' });
    gateway.answers(() => answer({}, null, 304));
    expect((await gateway.send("/a")).text).toBe("body");
    expect((await gateway.send("/a")).text).toBe("body");
    expect(gateway.sent.map(({ headers }) => headers.get("if-none-match"))).toEqual([null, '"a"', '"a"']);
  });
});

describe("what a 304 does to what is stored (RFC 9111 sections 3.2 and 4.3.4)", () => {
  const refreshed = async (first: Fields, second: Fields) => {
    const gateway = await holding({ ...LIVE, etag: '"a"', ...first });
    gateway.advance(61);
    gateway.answers(() => answer(second, null, 304));
    const now = await gateway.send("/a");
    const later = await gateway.send("/a");
    return { gateway, now, later };
  };

  it.each([
    "test-header",
    "content-foo",
    "content-type",
    "content-location",
    "x-frame-options",
    "clear-site-data",
  ])("%s is replaced", async (name) => {
    const { now, later } = await refreshed(
      { [name]: "old" },
      { [name]: "new", "cache-control": "max-age=60" },
    );
    expect([now.headers.get(name), later.headers.get(name)]).toEqual(["new", "new"]);
    expect(later.result).toBe("hit");
  });

  it.each(["content-encoding", "content-range"])("%s stays: it says how to read the bytes", async (name) => {
    const { later } = await refreshed({ [name]: "old" }, { [name]: "new" });
    expect(later.headers.get(name)).toBe("old");
  });

  it("what it omits stays", async () => {
    const { now, later } = await refreshed({ "x-a": "old" }, {});
    expect([now.headers.get("x-a"), later.headers.get("x-a")]).toEqual(["old", "old"]);
    expect([now.text, later.text]).toEqual(["body", "body"]);
  });

  it("fields of the connection stay out", async () => {
    const { now } = await refreshed({}, { connection: "x-a", "x-a": "1" });
    expect([now.headers.has("connection"), now.headers.has("x-a")]).toEqual([false, false]);
  });

  it("age begins anew", async () => {
    const { gateway, now } = await refreshed({}, { "cache-control": "max-age=10" });
    expect(now.headers.get("age")).toBe("0");
    gateway.advance(9);
    expect((await gateway.send("/a")).cacheStatus).toBe("postern; hit; ttl=1; detail=isolate");
  });

  it("another strong tag is not about what is stored: it is fetched whole", async () => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(
      () => answer({ etag: '"b"' }, null, 304),
      () => answer({ ...LIVE, etag: '"b"' }, "new"),
    );
    expect((await gateway.send("/a")).text).toBe("new");
    expect(gateway.sent[2]!.headers.has("if-none-match")).toBe(false);
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it.each<[string, Fields]>([
    ["no-store", { "cache-control": "no-store" }],
    ["private", { "cache-control": "private" }],
    ["Set-Cookie", { ...LIVE, "set-cookie": "a=b" }],
  ])("one that forbids storing answers its client and ends the entry: %s", async (_sentence, fields) => {
    const { gateway, now } = await refreshed({}, fields);
    expect([now.status, now.text]).toEqual([200, "body"]);
    expect(now.headers.get("set-cookie")).toBe((fields as Record<string, string>)["set-cookie"] ?? null);
    await gateway.send("/a");
    expect(gateway.sent.at(-1)!.headers.has("if-none-match")).toBe(false);
  });
});

describe("what another answer does to what was stale", () => {
  it("a full response takes its place", async () => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer({ ...LIVE, etag: '"b"' }, "new"));
    expect((await gateway.send("/a")).cacheStatus).toBe("postern; fwd=stale; stored");
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it.each([
    [404, false],
    [206, false],
    [500, true],
    [429, true],
  ])("a %i that cannot be stored leaves it in place: %s", async (status, kept) => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer({ "cache-control": "no-store" }, "other", status));
    expect((await gateway.send("/a")).status).toBe(status);
    await gateway.send("/a");
    expect(gateway.sent.at(-1)!.headers.has("if-none-match")).toBe(kept);
  });
});

describe("HEAD (RFC 9111 section 4.3.5, RFC 9110 section 9.3.2)", () => {
  const head = { method: "HEAD" };

  it("is answered from what a GET stored", async () => {
    const gateway = await holding({ ...LIVE, "x-a": "1" });
    const seen = await gateway.send("/a", head);
    expect([seen.status, seen.text, seen.headers.get("x-a")]).toEqual([200, "", "1"]);
    expect(seen.headers.get("content-length")).toBe("4");
    expect(gateway.sent).toHaveLength(1);
  });

  it("and its own answer is not stored", async () => {
    const gateway = new Gateway().answers(() => answer(LIVE, null));
    await gateway.send("/a", head);
    expect((await gateway.send("/a", head)).result).toBe("miss");
    expect((await gateway.send("/a")).result).toBe("miss");
  });

  it("goes on as HEAD when what is stored is stale, and brings that up to date where it matches", async () => {
    const gateway = await holding({ ...LIVE, "x-a": "1", "x-b": "1", etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer({ ...LIVE, "x-a": "2", etag: '"a"', "content-length": "4" }, null));
    await gateway.send("/a", head);
    expect(gateway.sent[1]!.method).toBe("HEAD");
    const seen = await gateway.send("/a");
    expect([seen.result, seen.text]).toEqual(["hit", "body"]);
    expect([seen.headers.get("x-a"), seen.headers.get("x-b")]).toEqual(["2", "1"]);
  });

  it.each<[string, Fields]>([
    ["the tag", { ...LIVE, etag: '"b"' }],
    ["the length", { ...LIVE, etag: '"a"', "content-length": "5" }],
  ])("and ends it where %s is another", async (_sentence, fields) => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer(fields, null));
    await gateway.send("/a", head);
    await gateway.send("/a");
    expect(gateway.sent[2]!.headers.has("if-none-match")).toBe(false);
  });

  it("is answered by a 304 to a HEAD as by one to a GET", async () => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    gateway.advance(61);
    gateway.answers(() => answer(LIVE, null, 304));
    expect((await gateway.send("/a", head)).status).toBe(200);
    expect((await gateway.send("/a")).result).toBe("hit");
  });
});
