import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IsolatePurges } from "../../../src/adapters/memory/purges.ts";
import { type Purges, tagScope } from "../../../src/core/purge.ts";
import { fakePorts } from "../../support/ports.ts";
import { Crowd, LIVE, texts } from "./crowd.ts";
import { answer, caller, FakeEdge, type Fields, Gateway, type RequestOptions } from "./harness.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("requests for the same at once", () => {
  it("are one request to the upstream, and each says so", async () => {
    const gateway = new Crowd();
    const asked = [gateway.ask(), gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(1);
    await gateway.answer();
    const [one, two, three] = await Promise.all(asked);
    expect(gateway.sent).toHaveLength(1);
    expect([one!.cacheStatus, one!.result]).toEqual(["postern; fwd=miss; stored", "miss"]);
    for (const seen of [two!, three!]) {
      expect(seen.text).toBe("body");
      expect(seen.cacheStatus).toBe("postern; fwd=miss; fwd-status=200; collapsed");
      expect(seen.result).toBe("collapsed");
      expect(seen.headers.get("age")).toBe("0");
    }
    expect(gateway.counted).toContain("postern_cache_total{collapsed,none}");
  });

  it("about an entry that has ended are one revalidation", async () => {
    const gateway = new Crowd();
    const first = gateway.ask();
    await gateway.answer({ "cache-control": "max-age=10, must-revalidate", etag: '"a"' }, "old");
    await first;
    gateway.advance(20);
    const asked = [gateway.ask(), gateway.ask()];
    await gateway.answer({ "cache-control": "max-age=10, must-revalidate", etag: '"a"' }, null, 304);
    const [one, two] = await Promise.all(asked);
    expect([one!.text, two!.text, gateway.sent.length]).toEqual(["old", "old", 2]);
    expect(two!.cacheStatus).toBe("postern; fwd=stale; fwd-status=304; collapsed");
  });

  it("each get what they asked for of the answer", async () => {
    const gateway = new Crowd();
    const asked = [
      gateway.ask(),
      gateway.ask({ headers: { range: "bytes=1-2" } }),
      gateway.ask({ headers: { "if-none-match": '"a"' } }),
    ];
    await gateway.answer({ ...LIVE, etag: '"a"' });
    const seen = await Promise.all(asked);
    expect(seen.map(({ status, text }) => [status, text])).toEqual([
      [200, "body"],
      [206, "od"],
      [304, ""],
    ]);
    expect(gateway.sent).toHaveLength(1);
  });

  it.each<[string, RequestOptions, RequestOptions]>([
    ["callers", { identity: caller("a") }, { identity: caller("b") }],
    ["a caller and nobody", { identity: caller("a") }, {}],
    ["routes", { route: "shop.one" }, { route: "shop.two" }],
    ["lanes", { lane: "one" }, { lane: "two" }],
  ])("of different %s never wait for each other", async (_what, one, two) => {
    const gateway = new Crowd({ perCaller: true });
    const asked = [gateway.ask(one), gateway.ask(two)];
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "one");
    await gateway.answer(LIVE, "two");
    expect(await texts(asked)).toEqual(["one", "two"]);
  });

  it("do not wait where the policy says so", async () => {
    const gateway = new Crowd({ coalesce: false });
    const asked = [gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "one");
    await gateway.answer(LIVE, "two");
    expect(await texts(asked)).toEqual(["one", "two"]);
  });

  it.each<[string, RequestOptions, number]>([
    ["HEAD", { method: "HEAD" }, 2],
    ["no-cache", { headers: { "cache-control": "no-cache" } }, 2],
    ["max-age", { headers: { "cache-control": "max-age=5" } }, 2],
    ["no-store", { headers: { "cache-control": "no-store" } }, 2],
    ["If-Match", { headers: { "if-match": '"a"' } }, 2],
    ["max-stale", { headers: { "cache-control": "max-stale=5" } }, 1],
    ["only-if-cached", { headers: { "cache-control": "only-if-cached" } }, 1],
  ])("%s: whether one that asks otherwise waits", async (_what, options, sent) => {
    const gateway = new Crowd({ clientDirectives: true });
    const asked = [gateway.ask(), gateway.ask(options)];
    expect(gateway.open).toBe(sent);
    while (gateway.open > 0) await gateway.answer();
    await Promise.all(asked);
  });

  it.each<[string, Fields]>([
    ["a range", { range: "bytes=0-1" }],
    ["If-None-Match", { "if-none-match": '"z"' }],
    ["If-Modified-Since", { "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }],
  ])("nobody waits for who asks with %s where nothing is stored", async (_what, headers) => {
    const gateway = new Crowd();
    const asked = [gateway.ask({ headers }), gateway.ask()];
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "one");
    await gateway.answer(LIVE, "two");
    expect(await texts(asked)).toEqual(["one", "two"]);
  });

  it("who asks with a condition may ask for all about an entry", async () => {
    const gateway = new Crowd();
    const first = gateway.ask();
    await gateway.answer({ "cache-control": "max-age=1", etag: '"a"' });
    await first;
    gateway.advance(5);
    const asked = [gateway.ask({ headers: { "if-none-match": '"z"' } }), gateway.ask()];
    expect(gateway.open).toBe(1);
    await gateway.answer({ ...LIVE, etag: '"a"' }, null, 304);
    expect(await texts(asked)).toEqual(["body", "body"]);
  });
});

describe("variants", () => {
  it("who waited for another variant goes on by itself, and others of its own wait for it", async () => {
    const gateway = new Crowd();
    const of = (language: string) => gateway.ask({ headers: { "accept-language": language } });
    const asked = [of("de"), of("en"), of("en"), of("de")];
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "de");
    expect(gateway.open).toBe(1);
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "en");
    expect(await texts(asked)).toEqual(["de", "en", "en", "de"]);
  });

  it("where it is known what they differ by, they do not wait for each other", async () => {
    const gateway = new Crowd();
    const of = (language: string) => gateway.ask({ headers: { "accept-language": language } });
    const first = of("fr");
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "fr");
    await first;
    const asked = [of("de"), of("en")];
    expect(gateway.open).toBe(2);
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "de");
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "en");
    expect(await texts(asked)).toEqual(["de", "en"]);
  });
});

describe("how long a request waits", () => {
  it("five seconds; then it goes by itself, and newcomers wait for it", async () => {
    const gateway = new Crowd();
    const leader = gateway.ask();
    const waiting = gateway.ask();
    await gateway.wait(4999);
    expect(gateway.open).toBe(1);
    await gateway.wait(1);
    expect(gateway.open).toBe(2);
    const newcomer = gateway.ask();
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "one");
    await gateway.answer(LIVE, "two");
    expect(await texts([leader, waiting, newcomer])).toEqual(["one", "two", "two"]);
    expect((await waiting).cacheStatus).toBe("postern; fwd=miss; stored; collapsed=?0");
  });

  it("five seconds in all, whatever it waits for", async () => {
    const gateway = new Crowd();
    const of = (language: string) => gateway.ask({ headers: { "accept-language": language } });
    const asked = [of("de"), of("en"), of("en")];
    await gateway.wait(3000);
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "de");
    expect(gateway.open).toBe(1);
    await gateway.wait(2000);
    expect(gateway.open).toBe(2);
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "en 1");
    await gateway.answer({ ...LIVE, vary: "accept-language" }, "en 2");
    expect(await texts(asked)).toEqual(["de", "en 1", "en 2"]);
  });

  it("nobody waits for one that began half a minute ago: it is lost", async () => {
    const gateway = new Crowd();
    const lost = gateway.ask();
    await gateway.wait(30_000);
    const next = gateway.ask();
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "lost");
    await gateway.answer(LIVE, "next");
    expect(await texts([lost, next])).toEqual(["lost", "next"]);
  });

  it("a leader that fails by a mistake of ours lets the others go on", async () => {
    const gateway = new Crowd();
    const asked = gateway.origin;
    gateway.origin = () => Promise.reject(new Error("boom"));
    const leader = gateway.ask();
    gateway.origin = asked;
    const waiting = [gateway.ask(), gateway.ask()];
    await expect(leader).rejects.toThrow("boom");
    await gateway.wait(0);
    expect(gateway.open).toBe(1);
    await gateway.answer();
    expect(await texts(waiting)).toEqual(["body", "body"]);
  });
});

describe("what answers nobody else", () => {
  it.each<[string, Fields, number]>([
    ["no-store", { "cache-control": "no-store" }, 200],
    ["private", { "cache-control": "private, max-age=60" }, 200],
    ["Set-Cookie", { ...LIVE, "set-cookie": "a=1" }, 200],
    ["no lifetime", {}, 200],
    ["Vary: *", { ...LIVE, vary: "*" }, 200],
    ["too large", { ...LIVE, "content-length": "2000000" }, 200],
    ["a status that is never stored", LIVE, 421],
    ["no-cache, stored as it may be", { "cache-control": "no-cache", etag: '"a"' }, 200],
    ["no lifetime, stored as it may be", { "cache-control": "max-age=0", etag: '"a"' }, 200],
  ])("%s: all go at once, and for a minute nobody waits", async (_what, fields, status) => {
    const gateway = new Crowd();
    const asked = [gateway.ask(), gateway.ask(), gateway.ask()];
    await gateway.answer(fields, "1", status);
    expect(gateway.open).toBe(2);
    await gateway.answer(fields, "2", status);
    await gateway.answer(fields, "3", status);
    await Promise.all(asked);
    expect((await asked[1]!).cacheStatus).toContain("collapsed=?0");
    await gateway.wait(59_000);
    const later = [gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(2);
    await gateway.answer(fields, "4", status);
    await gateway.answer(fields, "5", status);
    await Promise.all(later);
    await gateway.wait(61_000);
    const last = [gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(1);
    await gateway.answer(fields, "6", status);
    await gateway.answer(fields, "7", status);
    await Promise.all(last);
  });

  it("an answer that serves others takes the mark away", async () => {
    const gateway = new Crowd();
    const first = gateway.ask();
    await gateway.answer({ "cache-control": "no-store" });
    await first;
    const second = gateway.ask();
    await gateway.answer({ "cache-control": "max-age=1" });
    await second;
    gateway.advance(5);
    const asked = [gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(1);
    await gateway.answer();
    expect(await texts(asked)).toEqual(["body", "body"]);
  });

  it("a body that is too large is known by its length, or when so much of it has come", async () => {
    const gateway = new Crowd({ maxBody: 10 });
    const asked = [gateway.ask(), gateway.ask(), gateway.ask()];
    await gateway.answer(LIVE, "x".repeat(20));
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "y".repeat(20));
    await gateway.answer(LIVE, "z".repeat(20));
    expect(await texts(asked)).toEqual(["x".repeat(20), "y".repeat(20), "z".repeat(20)]);
  });
});

describe("an upstream that fails", () => {
  it.each([500, 502, 503, 504, 429, 408])(
    "%i: another request asks for all who wait, and when that fails too, no more do",
    async (status) => {
      const gateway = new Crowd();
      const asked = Array.from({ length: 10 }, () => gateway.ask());
      await gateway.answer({}, "one", status);
      expect(gateway.open).toBe(1);
      await gateway.answer({}, "two", status);
      expect(gateway.open).toBe(1);
      await gateway.answer({}, "three", status);
      const seen = await Promise.all(asked);
      expect(gateway.sent).toHaveLength(3);
      expect(seen.slice(0, 3).map(({ text }) => text)).toEqual(["one", "two", "three"]);
      for (const { status: answered, problemCode, headers } of seen.slice(3)) {
        expect([answered, problemCode]).toEqual([503, "upstream-failing"]);
        expect(headers.get("retry-after")).toBe("1");
      }
    },
  );

  it("the failure of one request is not that of the others", async () => {
    const gateway = new Crowd();
    const asked = Array.from({ length: 5 }, () => gateway.ask());
    await gateway.answer({}, "mine alone", 500);
    await gateway.answer();
    expect(await texts(asked)).toEqual(["mine alone", "body", "body", "body", "body"]);
  });

  it("is over with the flight: who comes later asks anew", async () => {
    const gateway = new Crowd();
    const first = gateway.ask();
    await gateway.answer({}, "broken", 500);
    await first;
    const asked = [gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(1);
    await gateway.answer();
    expect(await texts(asked)).toEqual(["body", "body"]);
  });

  it("all get what is stored while that is allowed, and after it 504", async () => {
    const gateway = new Crowd();
    const first = gateway.ask();
    await gateway.answer({ "cache-control": "max-age=1, stale-if-error=10" }, "old");
    await first;
    gateway.advance(5);
    const asked = [gateway.ask(), gateway.ask(), gateway.ask()];
    await gateway.answer({}, "broken", 503);
    expect(await texts(asked)).toEqual(["old", "old", "old"]);
    expect((await asked[1]!).cacheStatus).toBe("postern; hit; ttl=-4; detail=isolate");
    expect(gateway.sent).toHaveLength(2);
    gateway.advance(20);
    const later = Array.from({ length: 5 }, () => gateway.ask());
    while (gateway.open > 0) await gateway.answer({}, "broken", 503);
    const statuses = (await Promise.all(later)).map(({ status }) => status);
    expect(statuses).toEqual([503, 503, 503, 504, 504]);
  });
});

describe("what was changed or purged while it was on its way", () => {
  it("is not for who asks after a change", async () => {
    const gateway = new Crowd();
    const before = [gateway.ask(), gateway.ask()];
    await gateway.ask({ method: "POST", body: "x" });
    const after = [gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "old");
    await gateway.answer(LIVE, "new");
    expect(await texts([...before, ...after])).toEqual(["old", "old", "new", "new"]);
    expect((await gateway.ask()).text).toBe("new");
  });

  it("is not for who asks after a purge", async () => {
    let last = 1;
    const purges: Purges = {
      get last() {
        return last;
      },
      lastOf: () => last,
      catchUp: () => undefined,
      purge: async () => true,
    };
    const gateway = new Crowd({}, { over: { purges } });
    const before = [gateway.ask(), gateway.ask()];
    last = 2;
    const after = [gateway.ask(), gateway.ask()];
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "old");
    await gateway.answer(LIVE, "new");
    expect(await texts([...before, ...after])).toEqual(["old", "old", "new", "new"]);
  });

  it("is for who asks after a purge of something else", async () => {
    const ports = fakePorts();
    const purges = new IsolatePurges(ports.clock);
    const gateway = new Crowd({ tags: [["b"]] }, { over: { purges } });
    const asked = [gateway.ask()];
    await purges.purge([tagScope("a")]);
    asked.push(gateway.ask());
    expect(gateway.open).toBe(1);
    await purges.purge([tagScope("b")]);
    asked.push(gateway.ask());
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "old");
    await gateway.answer(LIVE, "new");
    expect(await texts(asked)).toEqual(["old", "old", "new"]);
  });
});

describe("a body that comes without an end", () => {
  it("nobody waits for it who comes when somebody has waited in vain", async () => {
    const gateway = new Crowd();
    const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
    gateway.origin = () =>
      new Response(
        new ReadableStream({
          start: (controller) => {
            streams.push(controller);
            controller.enqueue(new Uint8Array(10));
          },
        }),
        { headers: LIVE },
      );
    const first = [gateway.ask(), gateway.ask()];
    await gateway.wait(5000);
    expect(gateway.sent).toHaveLength(2);
    const later = [gateway.ask(), gateway.ask()];
    await gateway.wait(0);
    expect(gateway.sent).toHaveLength(4);
    for (const stream of streams) stream.close();
    expect((await Promise.all([...first, ...later])).map(({ status }) => status)).toEqual([
      200, 200, 200, 200,
    ]);
    expect((await gateway.ask()).result).toBe("hit");
  });

  it.each([
    ["for a client", 1000],
    ["to bring an entry up to date", 2000],
  ])("is read for half a minute at most, %s", async (_what, advance) => {
    const gateway = new Crowd();
    let cancelled = false;
    const endless = () =>
      answer(
        { "cache-control": "max-age=1, stale-while-revalidate=60" },
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(10)),
          cancel: () => void (cancelled = true),
        }) as never,
      );
    gateway.answers(
      ...(advance === 2000
        ? [() => answer({ "cache-control": "max-age=1, stale-while-revalidate=60" })]
        : []),
      endless,
    );
    if (advance === 2000) await gateway.ask();
    await gateway.wait(advance);
    const { response } = gateway.begin("/a");
    const seen = await response;
    await gateway.wait(29_999);
    expect(cancelled).toBe(false);
    if (advance === 1000) void seen.body!.cancel();
    await gateway.wait(1);
    expect(cancelled).toBe(true);
    gateway.answers(() => answer(LIVE, "new"));
    expect((await gateway.ask()).text).toBe("new");
  });

  it("an upstream that is only slow is waited for again", async () => {
    const gateway = new Crowd();
    const first = [gateway.ask(), gateway.ask()];
    await gateway.wait(5000);
    expect(gateway.open).toBe(2);
    const later = gateway.ask();
    expect(gateway.open).toBe(2);
    await gateway.answer(LIVE, "one");
    await gateway.answer(LIVE, "two");
    expect(await texts([...first, later])).toEqual(["one", "two", "two"]);
  });
});

describe("who has a copy, and asks about that alone", () => {
  const MINE = { headers: { "if-none-match": '"a"' } };
  const SAME = { ...LIVE, etag: '"a"' };

  it("is the second one, it asks for all, and the others wait for that", async () => {
    const gateway = new Crowd();
    const asked = Array.from({ length: 10 }, () => gateway.ask(MINE));
    expect(gateway.sent.map(({ headers }) => headers.get("if-none-match"))).toEqual(['"a"', null]);
    await gateway.answer(SAME, null, 304);
    await gateway.answer(SAME);
    for (const { status, text, headers } of await Promise.all(asked))
      expect([status, text, headers.get("etag")]).toEqual([304, "", '"a"']);
    expect((await gateway.ask()).text).toBe("body");
    expect(gateway.sent).toHaveLength(2);
  });

  it("gets all where its copy is old", async () => {
    const gateway = new Crowd();
    const asked = [gateway.ask(MINE), gateway.ask(MINE), gateway.ask(MINE)];
    await gateway.answer({ ...LIVE, etag: '"b"' }, "new");
    await gateway.answer({ ...LIVE, etag: '"b"' }, "new");
    expect((await Promise.all(asked)).map(({ status, text }) => `${status} ${text}`)).toEqual([
      "200 new",
      "200 new",
      "200 new",
    ]);
  });

  it("is asked for so no more when a minute is over", async () => {
    const gateway = new Crowd();
    for (const open of [1, 1]) {
      const asked = gateway.ask(MINE);
      expect(gateway.open).toBe(open);
      await gateway.answer(SAME, null, 304);
      await asked;
      await gateway.wait(61_000);
    }
    expect(gateway.sent.map(({ headers }) => headers.get("if-none-match"))).toEqual(['"a"', '"a"']);
  });

  it.each<[string, Fields, string]>([
    ["is not stored", { "cache-control": "no-store", etag: '"a"' }, "body"],
    ["is too large", SAME, "x".repeat(2000)],
    ["is too large, by its length", { ...SAME, "content-length": "2000" }, "x".repeat(2000)],
  ])("where the answer %s, each asks for itself from then on", async (_why, fields, body) => {
    const gateway = new Crowd({ maxBody: 1000 });
    const first = [gateway.ask(MINE), gateway.ask(MINE)];
    await gateway.answer(fields, null, 304);
    await gateway.answer(fields, body);
    await Promise.all(first);
    const later = [gateway.ask(MINE), gateway.ask(MINE)];
    expect(gateway.sent.slice(2).map(({ headers }) => headers.get("if-none-match"))).toEqual(['"a"', '"a"']);
    while (gateway.open > 0) await gateway.answer(fields, null, 304);
    expect((await Promise.all(later)).map(({ status }) => status)).toEqual([304, 304]);
  });

  it.each<[string, Fields, number]>([
    ["a large body is read for the cache alone", { ...SAME, "content-length": "200000" }, 200_000],
    ["a body of unknown length, too", SAME, 4],
    ["one that is too large is not read", { ...SAME, "content-length": "2000000" }, 2_000_000],
  ])("%s", async (_what, fields, size) => {
    const gateway = new Crowd();
    const asked = [gateway.ask(MINE), gateway.ask(MINE)];
    await gateway.answer(SAME, null, 304);
    await gateway.answer(fields, "x".repeat(size));
    expect((await Promise.all(asked)).map(({ status, text }) => [status, text.length])).toEqual([
      [304, 0],
      [304, 0],
    ]);
    if (size > 1024 * 1024) return;
    expect((await gateway.ask()).text).toHaveLength(size);
    expect(gateway.sent).toHaveLength(2);
  });
});

describe("the tiers outside of the isolate", () => {
  it.each<[string, readonly ("isolate" | "edge")[]]>([
    ["edge", ["edge"]],
    ["isolate and edge", ["isolate", "edge"]],
  ])("%s: one request looks there for all, and what it finds answers all", async (_what, tiers) => {
    const edge = new FakeEdge();
    const one = new Crowd({ tiers }, { edge });
    const first = [one.ask(), one.ask(), one.ask()];
    await one.wait(0);
    expect([edge.gets, one.open]).toEqual([1, 1]);
    await one.answer();
    expect(await texts(first)).toEqual(["body", "body", "body"]);
    const other = new Crowd({ tiers }, { ports: one.ports });
    edge.gets = 0;
    const seen = await Promise.all([other.ask(), other.ask(), other.ask()]);
    expect([edge.gets, other.sent.length]).toEqual([1, 0]);
    for (const { cacheStatus } of seen) expect(cacheStatus).toBe("postern; hit; ttl=600; detail=edge");
    expect(seen.map(({ result }) => result)).toEqual(["hit", "hit", "hit"]);
  });
});

describe("whoever asks together", () => {
  const request = fc.record({
    id: fc.constantFrom("a", "b", ""),
    language: fc.constantFrom("de", "en"),
    path: fc.constantFrom("/x", "/y"),
    afterMs: fc.nat(4000),
  });

  it("gets the answer to a request of its own kind, and the upstream gets no two of a kind at a time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 12 }), fc.boolean(), async (requests, storable) => {
        const gateway = new Gateway({ perCaller: true });
        const underway = new Map<string, number>();
        let most = 0;
        gateway.origin = async (sent, exchange) => {
          const kind = `${exchange.identity?.id ?? ""} ${sent.headers.get("accept-language")} ${sent.path}`;
          underway.set(kind, (underway.get(kind) ?? 0) + 1);
          most = Math.max(most, underway.get(kind)!);
          await new Promise((resolve) => setTimeout(resolve, 1000));
          underway.set(kind, underway.get(kind)! - 1);
          const lifetime = storable ? "max-age=2" : "no-store";
          return answer({ "cache-control": lifetime, vary: "accept-language" }, kind);
        };
        const asked = requests.map(async ({ id, language, path, afterMs }) => {
          await new Promise((resolve) => setTimeout(resolve, afterMs));
          const identity = id === "" ? {} : { identity: caller(id) };
          const seen = await gateway.send(path, { headers: { "accept-language": language }, ...identity });
          expect(seen.text).toBe(`${id} ${language} ${path}`);
        });
        for (let ms = 0; ms < 20_000; ms += 100) {
          gateway.ports.clock.advance(100);
          await vi.advanceTimersByTimeAsync(100);
        }
        await Promise.all(asked);
        if (storable) expect(most).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });
});
