import { describe, expect, it } from "vitest";
import { answer, type Fields, Gateway } from "./harness.ts";

const MODIFIED = "Wed, 31 Dec 2025 00:00:00 GMT";
const LIVE = { "cache-control": "max-age=60" };

const holding = async (fields: Fields = LIVE, body = "0123456789"): Promise<Gateway> => {
  const gateway = new Gateway().answers(() => answer(fields, body));
  await gateway.send("/a");
  return gateway;
};

describe("a range of a complete stored response (RFC 9110 section 14)", () => {
  it.each<[string, number, string, string | null]>([
    ["bytes=0-1", 206, "01", "bytes 0-1/10"],
    ["bytes=1-", 206, "123456789", "bytes 1-9/10"],
    ["bytes=-1", 206, "9", "bytes 9-9/10"],
    ["bytes=8-20", 206, "89", "bytes 8-9/10"],
    ["bytes=0-9", 206, "0123456789", "bytes 0-9/10"],
    ["bytes=10-", 416, "", "bytes */10"],
    ["bytes=0-1,4-5", 200, "0123456789", null],
    ["bytes=5-4", 200, "0123456789", null],
    ["lines=1-2", 200, "0123456789", null],
  ])("%s: %i %s", async (range, status, text, contentRange) => {
    const gateway = await holding();
    const seen = await gateway.send("/a", { headers: { range } });
    expect([seen.status, seen.text, seen.headers.get("content-range")]).toEqual([status, text, contentRange]);
    expect([seen.result, gateway.sent.length]).toEqual(["hit", 1]);
  });

  it.each<[string, boolean, Fields, string]>([
    ["the same strong tag", true, { ...LIVE, etag: '"a"' }, '"a"'],
    ["another tag", false, { ...LIVE, etag: '"a"' }, '"b"'],
    ["a weak tag", false, { ...LIVE, etag: 'W/"a"' }, 'W/"a"'],
    ["a tag of what has none", false, LIVE, '"a"'],
    ["the same date", true, { ...LIVE, "last-modified": MODIFIED }, MODIFIED],
    ["another date", false, { ...LIVE, "last-modified": MODIFIED }, "Wed, 31 Dec 2025 00:00:01 GMT"],
    [
      "a date that is not strong",
      false,
      { ...LIVE, "last-modified": MODIFIED, date: MODIFIED, "cache-control": "max-age=999999" },
      MODIFIED,
    ],
  ])("If-Range with %s: %s", async (_sentence, partial, fields, condition) => {
    const gateway = await holding(fields);
    const seen = await gateway.send("/a", { headers: { range: "bytes=0-1", "if-range": condition } });
    expect(seen.status).toBe(partial ? 206 : 200);
  });

  it("is not asked of HEAD", async () => {
    const gateway = await holding();
    expect((await gateway.send("/a", { method: "HEAD", headers: { range: "bytes=0-1" } })).status).toBe(200);
  });

  it("is not cut out of a coded body, where ranges count the coded bytes", async () => {
    const gateway = await holding({ ...LIVE, "content-encoding": "x-other" });
    expect((await gateway.send("/a", { headers: { range: "bytes=0-1" } })).status).toBe(200);
  });

  it("comes after the question whether the client's copy is good (RFC 9110 section 13.2.2)", async () => {
    const gateway = await holding({ ...LIVE, etag: '"a"' });
    expect(
      (await gateway.send("/a", { headers: { range: "bytes=0-1", "if-none-match": '"a"' } })).status,
    ).toBe(304);
  });

  it("is not cut out of an error", async () => {
    const gateway = new Gateway().answers(() => answer(LIVE, "gone", 410));
    await gateway.send("/a");
    expect((await gateway.send("/a", { headers: { range: "bytes=0-1" } })).status).toBe(410);
  });
});

describe("a range of what is not stored", () => {
  it("goes on to the origin, whose part is not stored", async () => {
    const fields = { ...LIVE, "content-range": "bytes 0-1/10" };
    const gateway = new Gateway().answers(
      () => answer(fields, "01", 206),
      () => answer(LIVE, "0123456789"),
    );
    const seen = await gateway.send("/a", { headers: { range: "bytes=0-1" } });
    expect([seen.status, seen.text, gateway.sent[0]!.headers.get("range")]).toEqual([206, "01", "bytes=0-1"]);
    expect((await gateway.send("/a")).text).toBe("0123456789");
  });

  it("a whole response to it is stored as such", async () => {
    const gateway = await holding();
    expect((await gateway.send("/a")).result).toBe("hit");
  });

  it("416 is not stored for those who ask for the whole", async () => {
    const gateway = new Gateway().answers(
      () => answer(LIVE, "no", 416),
      () => answer(LIVE),
    );
    await gateway.send("/a", { headers: { range: "bytes=99-" } });
    expect((await gateway.send("/a")).status).toBe(200);
  });
});
