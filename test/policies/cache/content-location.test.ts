import { describe, expect, it } from "vitest";
import { answer, caller, type Fields, Gateway, type RequestOptions } from "./harness.ts";

const HERE = { "cache-control": "max-age=60", "content-location": "/a" };

const posted = async (
  fields: Fields = HERE,
  options: RequestOptions = {},
  step = {},
  status = 200,
): Promise<Gateway> => {
  const gateway = new Gateway(step).answers(() => answer(fields, "new", status));
  await gateway.send("/a", { method: "POST", body: "x", ...options });
  return gateway.answers(() => answer({}, "asked"));
};

describe("the answer to a POST is kept for the GETs that follow (RFC 9110 section 9.3.3)", () => {
  it("where it is said to be the target's own representation, and for how long", async () => {
    const gateway = await posted();
    const seen = await gateway.send("/a");
    expect([seen.result, seen.text, gateway.sent.length]).toEqual(["hit", "new", 1]);
  });

  it("takes the place of what was stored, and says so", async () => {
    const gateway = new Gateway().answers(() => answer(HERE, "old"));
    await gateway.send("/a");
    gateway.answers(() => answer(HERE, "new"));
    const change = await gateway.send("/a", { method: "POST", body: "x" });
    expect(change.cacheStatus).toBe("postern; fwd=method; stored");
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it.each<[string, Fields, RequestOptions?, object?, number?]>([
    ["it does not say where it belongs", { "cache-control": "max-age=60" }],
    ["it belongs elsewhere", { ...HERE, "content-location": "/b" }],
    ["it belongs to another query", { ...HERE, "content-location": "/a?x=1" }],
    ["it belongs to another origin", { ...HERE, "content-location": "https://other.example.com/a" }],
    ["only the policy gives it a lifetime", { "content-location": "/a" }, {}, { ttlMs: 60_000 }],
    ["only heuristics would", { "content-location": "/a", "last-modified": "Wed, 31 Dec 2025 00:00:00 GMT" }],
    ["it must not be stored", { ...HERE, "cache-control": "no-store, max-age=60" }],
    ["it is private", { ...HERE, "cache-control": "private, max-age=60" }],
    ["it sets a cookie", { ...HERE, "set-cookie": "a=b" }],
    ["it failed", HERE, {}, {}, 400],
    ["the method was PUT", HERE, { method: "PUT" }],
    ["the request was conditional", HERE, { headers: { "if-none-match": '"a"' } }],
    ["the request asked for a range", HERE, { headers: { range: "bytes=0-1" } }],
    ["the request was authorized", HERE, { headers: { authorization: "Bearer x" } }],
    [
      "a heeded client forbids it",
      HERE,
      { headers: { "cache-control": "no-store" } },
      { clientDirectives: true },
    ],
  ])("but not where %s", async (_sentence, fields, options, step, status) => {
    const gateway = await posted(fields, options, step, status);
    expect((await gateway.send("/a")).text).toBe("asked");
  });

  it("not where the upstream saw parameters that are no part of the key", async () => {
    const gateway = new Gateway({ query: ["page"] }).answers(() =>
      answer({ ...HERE, "content-location": "/a?x=1" }, "new"),
    );
    await gateway.send("/a?x=1", { method: "POST", body: "x" });
    gateway.answers(() => answer({}, "asked"));
    expect((await gateway.send("/a?x=1")).text).toBe("asked");
  });

  it("not by a route that stores nothing", async () => {
    const gateway = new Gateway().answers(() => answer({ ...HERE, "content-length": "0" }, null));
    const forgetting = { ...gateway.step, forgetOnly: true };
    expect((await gateway.send("/a", { method: "POST", body: "x" }, forgetting)).cacheStatus).toBe("");
    expect((await gateway.send("/a")).result).toBe("miss");
  });

  it("for the caller alone whose it is", async () => {
    const gateway = await posted(HERE, { identity: caller("one") }, { perCaller: true });
    expect((await gateway.send("/a", { identity: caller("two") })).text).toBe("asked");
    expect((await gateway.send("/a", { identity: caller("one") })).text).toBe("new");
  });
});
