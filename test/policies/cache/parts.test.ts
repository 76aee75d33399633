import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { singleRange } from "../../../src/lib/http/byte-ranges.ts";
import { answer, FakeEdge, type Fields, Gateway, type RequestOptions } from "./harness.ts";

const LIVE = { "cache-control": "max-age=60" };
const TAGGED = { ...LIVE, etag: '"a"' };
const WHOLE = "0123456789";

const asking = (range: string, more: RequestOptions = {}): RequestOptions => ({
  ...more,
  headers: { range, ...(more.headers as Record<string, string>) },
});

const part = (
  first: number,
  last: number,
  fields: Fields = LIVE,
  total: string | number = WHOLE.length,
): Response =>
  answer(
    { ...(fields as Record<string, string>), "content-range": `bytes ${first}-${last}/${total}` },
    WHOLE.slice(first, last + 1),
    206,
  );

/** A gateway that got bytes 2 to 5 of ten. */
const holding = async (stored: () => Response = () => part(2, 5), step = {}): Promise<Gateway> => {
  const gateway = new Gateway(step).answers(stored);
  await gateway.send("/a", asking("bytes=2-5"));
  return gateway.answers(() => answer({}, "anew"));
};

describe("a stored part (RFC 9111 section 3.3)", () => {
  it.each<[string, string, string]>([
    ["bytes=2-5", "2345", "bytes 2-5/10"],
    ["bytes=2-2", "2", "bytes 2-2/10"],
    ["bytes=4-5", "45", "bytes 4-5/10"],
  ])("answers %s, which lies within it", async (range, text, contentRange) => {
    const gateway = await holding();
    const seen = await gateway.send("/a", asking(range));
    expect([seen.status, seen.text, seen.headers.get("content-range")]).toEqual([206, text, contentRange]);
    expect([seen.result, seen.headers.get("age"), gateway.sent.length]).toEqual(["hit", "0", 1]);
  });

  it.each<[string, RequestOptions]>([
    ["the whole", {}],
    ["HEAD", { method: "HEAD" }],
    ["HEAD of a range", asking("bytes=2-3", { method: "HEAD" })],
    ["a range before it", asking("bytes=0-1")],
    ["a range that begins before it", asking("bytes=1-3")],
    ["a range that ends after it", asking("bytes=3-6")],
    ["a range without an end", asking("bytes=3-")],
    ["the last bytes", asking("bytes=-2")],
    ["two ranges", asking("bytes=2-2,4-4")],
    ["another unit", asking("lines=2-3")],
    ["a range under a condition of its own", asking("bytes=2-3", { headers: { "if-none-match": '"a"' } })],
    ["a range of another version", asking("bytes=2-3", { headers: { "if-range": '"b"' } })],
  ])("does not answer %s", async (_sentence, options) => {
    const gateway = await holding(() => part(2, 5, TAGGED));
    const seen = await gateway.send("/a", options);
    expect([seen.result, gateway.sent.length]).toEqual(["miss", 2]);
    expect(seen.cacheStatus).toMatch(/^postern; fwd=partial/);
    expect(gateway.sent[1]!.headers.get("range")).toBe(new Headers(options.headers).get("range"));
  });

  it("answers a range of the very version that If-Range names", async () => {
    const gateway = await holding(() => part(2, 5, TAGGED));
    const seen = await gateway.send("/a", asking("bytes=2-3", { headers: { "if-range": '"a"' } }));
    expect([seen.result, seen.text]).toEqual(["hit", "23"]);
  });

  it.each([
    ["bytes=-4", "bytes=-2", "89"],
    ["bytes=6-9", "bytes=-2", "89"],
    ["bytes=-4", "bytes=7-", "789"],
  ])("that reaches the end, %s, answers %s", async (first, second, text) => {
    const gateway = new Gateway().answers(() => part(6, 9));
    await gateway.send("/a", asking(first));
    expect((await gateway.send("/a", asking(second))).text).toBe(text);
    expect(gateway.sent.length).toBe(1);
  });

  it.each([
    ["bytes=-5", "bytes=-2", "67", "hit"],
    ["bytes=-5", "bytes=5-6", "56", "hit"],
    ["bytes=5-", "bytes=5-6", "56", "hit"],
    ["bytes=5-", "bytes=-2", "anew", "miss"],
  ])(
    "shorter than it says, got by %s, answers %s only as far as that can be known",
    async (first, second, text, result) => {
      const short = { ...LIVE, "content-range": "bytes 5-9/10" };
      const gateway = new Gateway().answers(
        () => answer(short, "567", 206),
        () => answer({}, "anew"),
      );
      await gateway.send("/a", asking(first));
      const seen = await gateway.send("/a", asking(second));
      expect([seen.text, seen.result]).toEqual([text, result]);
    },
  );

  it("is not used when it is stale, and not asked about", async () => {
    const gateway = await holding(() => part(2, 5, TAGGED));
    gateway.advance(61);
    expect((await gateway.send("/a", asking("bytes=2-5"))).cacheStatus).toMatch(/^postern; fwd=stale/);
    expect(gateway.sent[1]!.headers.has("if-none-match")).toBe(false);
  });

  it("is forgotten with its target", async () => {
    const gateway = await holding();
    await gateway.send("/a", { method: "DELETE" });
    expect((await gateway.send("/a", asking("bytes=2-5"))).result).toBe("miss");
  });

  it("gives way to the whole", async () => {
    const gateway = await holding();
    gateway.answers(() => answer(LIVE, WHOLE));
    await gateway.send("/a");
    expect((await gateway.send("/a", asking("bytes=0-1"))).text).toBe("01");
    expect((await gateway.send("/a")).text).toBe(WHOLE);
    expect(gateway.sent.length).toBe(2);
  });

  it("does not take the place of a whole that could not be used", async () => {
    const gateway = new Gateway().answers(() => answer(TAGGED, WHOLE));
    await gateway.send("/a");
    gateway.advance(61);
    gateway.answers(() => part(2, 5, { ...LIVE, etag: '"b"' }));
    expect((await gateway.send("/a", asking("bytes=2-5"))).text).toBe("2345");
    expect((await gateway.send("/a", asking("bytes=2-5"))).result).toBe("miss");
  });

  it("lies in the data centre's cache like any entry", async () => {
    const edge = new FakeEdge();
    const gateway = new Gateway({ tiers: ["edge"] }, { edge }).answers(() => part(2, 5));
    await gateway.send("/a", asking("bytes=2-5"));
    const seen = await gateway.send("/a", asking("bytes=3-4"));
    expect([seen.result, seen.text]).toEqual(["hit", "34"]);
  });

  it.each<[string, () => Response, RequestOptions]>([
    ["nobody asked for", () => part(2, 5), {}],
    ["has no Content-Range", () => answer(LIVE, "2345", 206), asking("bytes=2-5")],
    ["has an unknown total", () => part(2, 5, LIVE, "*"), asking("bytes=2-5")],
    ["has a Content-Range that cannot be", () => part(2, 5, LIVE, 5), asking("bytes=2-5")],
    ["is coded", () => part(2, 5, { ...LIVE, "content-encoding": "x-other" }), asking("bytes=2-5")],
    ["is private", () => part(2, 5, { "cache-control": "private, max-age=60" }), asking("bytes=2-5")],
    ["sets a cookie", () => part(2, 5, { ...LIVE, "set-cookie": "a=b" }), asking("bytes=2-5")],
  ])("is not kept where it %s", async (_sentence, stored, options) => {
    const gateway = new Gateway().answers(stored);
    await gateway.send("/a", options);
    expect((await gateway.send("/a", asking("bytes=2-5"))).result).toBe("miss");
  });
});

describe("parts of one version are joined (RFC 9111 section 3.4)", () => {
  const joining = async (one: () => Response, other: () => Response, step = {}): Promise<Gateway> => {
    const gateway = new Gateway(step).answers(one, other, () => answer({}, "anew"));
    await gateway.send("/a", asking("bytes=0-8"));
    await gateway.send("/a", asking("bytes=0-9"));
    return gateway;
  };

  it.each<[string, boolean, () => Response, () => Response, object?]>([
    ["touch", true, () => part(2, 4, TAGGED), () => part(5, 7, TAGGED)],
    ["overlap", true, () => part(2, 5, TAGGED), () => part(4, 7, TAGGED)],
    ["come in any order", true, () => part(5, 7, TAGGED), () => part(2, 4, TAGGED)],
    ["lie apart", false, () => part(2, 3, TAGGED), () => part(5, 7, TAGGED)],
    ["have no validator", false, () => part(2, 4), () => part(5, 7)],
    [
      "have a weak one",
      false,
      () => part(2, 4, { ...LIVE, etag: 'W/"a"' }),
      () => part(5, 7, { ...LIVE, etag: 'W/"a"' }),
    ],
    ["are of two versions", false, () => part(2, 4, TAGGED), () => part(5, 7, { ...LIVE, etag: '"b"' })],
    ["differ in what the whole is", false, () => part(2, 4, TAGGED), () => part(5, 7, TAGGED, 11)],
    [
      "are larger than maxBody together",
      false,
      () => part(2, 4, TAGGED),
      () => part(5, 7, TAGGED),
      { maxBody: 5 },
    ],
    [
      "are shorter than they say",
      false,
      () => answer({ ...TAGGED, "content-range": "bytes 2-4/10" }, "23", 206),
      () => part(5, 7, TAGGED),
    ],
  ])("where they %s: %s", async (_sentence, joined, one, other, step) => {
    const gateway = await joining(one, other, step);
    const seen = await gateway.send("/a", asking("bytes=3-6"));
    expect([seen.result, seen.text]).toEqual(joined ? ["hit", "3456"] : ["miss", "anew"]);
  });

  it("and where nothing is missing, they are the whole, with the newer fields", async () => {
    const gateway = await joining(
      () => part(0, 4, { ...TAGGED, a: "1", b: "1" }),
      () => part(5, 9, { ...TAGGED, a: "2" }),
    );
    const seen = await gateway.send("/a");
    expect([seen.result, seen.status, seen.text]).toEqual(["hit", 200, WHOLE]);
    expect(["a", "b", "content-range"].map((name) => seen.headers.get(name))).toEqual(["2", "1", null]);
  });

  it("whatever is asked in whatever order, every answer is what the origin would have said", async () => {
    const ranges = fc.oneof(
      fc
        .tuple(fc.nat(19), fc.nat(22))
        .map(([one, other]) => `bytes=${Math.min(one, other)}-${Math.max(one, other)}`),
      fc.nat(19).map((first) => `bytes=${first}-`),
      fc.integer({ min: 1, max: 22 }).map((length) => `bytes=-${length}`),
      fc.constant(undefined),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(ranges, { maxLength: 12 }), async (asked) => {
        const whole = "abcdefghijklmnopqrst";
        const gateway = new Gateway();
        const right = (field: string | null): readonly [number, string, string | null] => {
          const range = field === null ? undefined : singleRange(field, whole.length);
          if (typeof range !== "object") return [200, whole, null];
          const { first, last } = range;
          return [206, whole.slice(first, last + 1), `bytes ${first}-${last}/${whole.length}`];
        };
        gateway.origin = ({ headers }) => {
          const [status, text, contentRange] = right(headers.get("range"));
          return answer(
            { ...TAGGED, ...(contentRange !== null && { "content-range": contentRange }) },
            text,
            status,
          );
        };
        for (const range of asked) {
          const seen = await gateway.send("/a", range === undefined ? {} : asking(range));
          expect([seen.status, seen.text, seen.headers.get("content-range")]).toEqual(right(range ?? null));
        }
      }),
      { numRuns: 300 },
    );
  });
});
