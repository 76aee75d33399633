import { describe, expect, it } from "vitest";
import { answer, type Fields, Gateway } from "./harness.ts";

describe("request directives where clientDirectives is set (RFC 9111 section 5.2.1)", () => {
  /** Ten seconds after it was stored. */
  const asked = async (stored: Fields, request: Fields, on = true) => {
    const gateway = new Gateway({ clientDirectives: on }).answers(() => answer(stored));
    await gateway.send("/a");
    gateway.advance(10);
    gateway.answers(() => answer({ "cache-control": "max-age=60" }, "new"));
    return { gateway, seen: await gateway.send("/a", { headers: request }) };
  };
  const live = { "cache-control": "max-age=60" };

  it.each<[string, string, string, Fields, Fields]>([
    ["max-age that it is within", "body", "hit", live, { "cache-control": "max-age=10" }],
    ["max-age that it is beyond", "new", "miss", live, { "cache-control": "max-age=9" }],
    ["max-age=0", "new", "miss", live, { "cache-control": "max-age=0" }],
    ["min-fresh that it has", "body", "hit", live, { "cache-control": "min-fresh=50" }],
    ["min-fresh that it has not", "new", "miss", live, { "cache-control": "min-fresh=51" }],
    ["no-cache", "new", "miss", live, { "cache-control": "no-cache" }],
    ["no-store", "new", "bypass", live, { "cache-control": "no-store" }],
    ["Pragma: no-cache", "new", "miss", live, { pragma: "no-cache" }],
    [
      "Pragma beside Cache-Control",
      "body",
      "hit",
      live,
      { pragma: "no-cache", "cache-control": "max-age=20" },
    ],
    ["an unknown one", "body", "hit", live, { "cache-control": "foo" }],
    [
      "max-stale that it is within",
      "body",
      "stale",
      { "cache-control": "max-age=5" },
      { "cache-control": "max-stale=5" },
    ],
    [
      "max-stale that it is beyond",
      "new",
      "miss",
      { "cache-control": "max-age=5" },
      { "cache-control": "max-stale=4" },
    ],
    ["any max-stale", "body", "stale", { "cache-control": "max-age=5" }, { "cache-control": "max-stale" }],
    [
      "max-stale against must-revalidate",
      "new",
      "miss",
      { "cache-control": "max-age=5, must-revalidate" },
      { "cache-control": "max-stale" },
    ],
    [
      "max-stale against no-cache",
      "new",
      "miss",
      { "cache-control": "no-cache", etag: '"a"' },
      { "cache-control": "max-stale" },
    ],
    [
      "no-cache against a window",
      "new",
      "miss",
      { "cache-control": "max-age=5, stale-while-revalidate=60" },
      { "cache-control": "no-cache" },
    ],
    ["only-if-cached, and it is", "body", "hit", live, { "cache-control": "only-if-cached" }],
  ])("%s: %s, %s", async (_sentence, text, result, stored, request) => {
    const { seen } = await asked(stored, request);
    expect([seen.text, seen.result]).toEqual([text, result]);
  });

  it("says that the request, not the entry, was why it went on", async () => {
    const { seen } = await asked(live, { "cache-control": "no-cache" });
    expect(seen.cacheStatus).toBe("postern; fwd=request; stored");
  });

  it("no-cache asks about the entry", async () => {
    const { gateway } = await asked({ ...live, etag: '"a"' }, { "cache-control": "no-cache" });
    expect(gateway.sent[1]!.headers.get("if-none-match")).toBe('"a"');
  });

  it("no-store leaves the answer out", async () => {
    const gateway = new Gateway({ clientDirectives: true }).answers(() => answer(live));
    await gateway.send("/a", { headers: { "cache-control": "no-store" } });
    expect((await gateway.send("/a")).result).toBe("miss");
  });

  it("only-if-cached is 504 where nothing is (section 5.2.1.7)", async () => {
    const gateway = new Gateway({ clientDirectives: true });
    const seen = await gateway.send("/a", { headers: { "cache-control": "only-if-cached" } });
    expect([seen.status, seen.problemCode, gateway.sent.length]).toEqual([504, "not-cached", 0]);
  });

  it("stale-if-error of the request holds for its time (RFC 5861 section 4)", async () => {
    const gateway = new Gateway({ clientDirectives: true }).answers(() =>
      answer({ "cache-control": "max-age=5", etag: '"a"' }),
    );
    await gateway.send("/a");
    gateway.advance(10);
    gateway.answers(() => answer({}, "broken", 500));
    expect((await gateway.send("/a", { headers: { "cache-control": "stale-if-error=4" } })).status).toBe(500);
    expect((await gateway.send("/a", { headers: { "cache-control": "stale-if-error=5" } })).status).toBe(200);
  });

  it.each(["no-cache", "no-store", "max-age=0", "only-if-cached"])(
    "%s is ignored otherwise",
    async (directive) => {
      const { seen } = await asked(live, { "cache-control": directive }, false);
      expect(seen.result).toBe("hit");
    },
  );

  it("and only-if-cached does not keep anybody from the origin otherwise", async () => {
    const gateway = new Gateway();
    expect((await gateway.send("/a", { headers: { "cache-control": "only-if-cached" } })).status).toBe(200);
  });
});
