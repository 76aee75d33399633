import { describe, expect, it } from "vitest";
import { answer, Gateway } from "./harness.ts";

const OLD = "Thu, 01 Jan 2026 00:00:00 GMT";
const OLDER = "Wed, 31 Dec 2025 00:00:00 GMT";
const LIVE = { "cache-control": "max-age=60" };

describe("a 304 without a tag speaks of what has the same Last-Modified (RFC 9111 section 4.3.4)", () => {
  it.each<[string, Record<string, string>, Record<string, string>, boolean]>([
    ["the same", { "last-modified": OLD }, { "last-modified": OLD }, true],
    ["none", { "last-modified": OLD }, {}, true],
    ["none, of what has a tag", { etag: '"a"' }, {}, true],
    ["another", { "last-modified": OLD }, { "last-modified": OLDER }, false],
    ["one that what is stored does not have", { etag: '"a"' }, { "last-modified": OLD }, false],
    [
      "another, beside the same tag",
      { etag: '"a"', "last-modified": OLD },
      { etag: '"a"', "last-modified": OLDER },
      true,
    ],
  ])("%s", async (_, stored, said, speaks) => {
    const gateway = new Gateway().answers(
      () => answer({ ...LIVE, ...stored }, "old"),
      () => answer({ ...LIVE, ...said }, null, 304),
      () => answer(LIVE, "new"),
    );
    await gateway.send("/a");
    gateway.advance(61);
    expect((await gateway.send("/a")).text).toBe(speaks ? "old" : "new");
    expect(gateway.sent).toHaveLength(speaks ? 2 : 3);
  });
});
