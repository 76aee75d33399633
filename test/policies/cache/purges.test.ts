import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EVERYTHING, pathScope, prefixScope, queryScope, tagScope } from "../../../src/core/purge.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { FakeClock } from "../../support/ports.ts";
import { FakePurges } from "../../support/purges.ts";
import { answer, caller, FakeEdge, Gateway, settled } from "./harness.ts";

const LIVE = { "cache-control": "max-age=600" };
const HOST = "api.example.com";
const TIERS = [["isolate"], ["edge"], ["redis"], ["isolate", "edge", "redis"]] as const;

/** A gateway whose entries can be purged, and others that share what is outside of its isolate, and its purges. */
const purgeable = (step: object = {}) => {
  const clock = new FakeClock();
  const purges = new FakePurges();
  const edgeCache = new FakeEdge();
  const over = { clock, purges, edgeCache, store: new MemoryStore(clock) };
  const another = () => new Gateway(step, { over }).answers(() => answer(LIVE, "new"));
  return { purges, clock, gateway: new Gateway(step, { over }).answers(() => answer(LIVE, "old")), another };
};

/** Waits until the origin was asked so many times. */
const asked = async ({ sent }: Gateway, times: number): Promise<void> => {
  for (let turn = 0; sent.length < times && turn < 100; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  expect(sent).toHaveLength(times);
};

it.each([
  ["user:ann@example.com", "user:ann%40example.com", true],
  ["ü", "%C3%BC", true],
  ["100%", "100%25", true],
  ["%2C", "%252C", true],
  ["a%zz", "a%25zz", true],
  ["%C3", "%C3%BC", false],
  ["a", "A", false],
  ["a b", "a+b", false],
])("whoever purges by the tag %s means that of %s: %s", (written, escaped, same) => {
  expect(tagScope(written) === tagScope(escaped)).toBe(same);
});

describe.each(TIERS.map((tiers) => [tiers.join(", "), tiers] as const))(
  "a purge, with %s",
  (_name, tiers) => {
    it.each<[string, string, object]>([
      ["of everything", EVERYTHING, {}],
      ["of its path", pathScope(HOST, "/a/b"), {}],
      ["of its path and query", queryScope(HOST, "/a/b", "x=1&y=2"), {}],
      ["of what is below a path", prefixScope(HOST, "/a"), {}],
      ["of a tag", tagScope("orders"), { tags: [["orders"]] }],
      [
        "of a tag with a parameter",
        tagScope("user:4%2C2"),
        { tags: [["user:", { from: "params", name: "id" }]] },
      ],
      [
        "of a tag with a parameter as it is",
        tagScope("user:4,2"),
        { tags: [["user:", { from: "params", name: "id" }]] },
      ],
    ])("%s takes an entry away, for good, and its successor stays", async (_sentence, scope, step) => {
      const { purges, gateway, another } = purgeable({ ...step, tiers });
      const target = "/a/b?y=2&x=1";
      const options = { params: { id: "4,2" } };
      await gateway.send(target, options);
      expect((await gateway.send(target, options)).result).toBe("hit");
      await purges.purge([scope]);
      gateway.answers(() => answer(LIVE, "new"));
      const fetched = await gateway.send(target, options);
      expect([fetched.text, fetched.result]).toEqual(["new", "miss"]);
      expect((await gateway.send(target, options)).result).toBe("hit");
      if (tiers[0] !== "isolate" || tiers.length > 1)
        expect((await another().send(target, options)).result).toBe("hit");
    });

    it.each<[string, string]>([
      ["another path", pathScope(HOST, "/a")],
      ["another host", pathScope("example.com", "/a/b")],
      ["another query", queryScope(HOST, "/a/b", "x=1")],
      ["what is below another path", prefixScope(HOST, "/a/bc")],
      ["another tag", tagScope("order")],
    ])("of %s leaves an entry in place", async (_sentence, scope) => {
      const { purges, gateway } = purgeable({ tiers, tags: [["orders"]] });
      await gateway.send("/a/b?y=2&x=1");
      await purges.purge([scope]);
      expect((await gateway.send("/a/b?y=2&x=1")).result).toBe("hit");
    });

    it("takes away every variant, and every caller's entry", async () => {
      const { purges, gateway, another } = purgeable({ tiers, perCaller: true });
      gateway.origin = () => answer({ ...LIVE, vary: "foo" }, "old");
      const each = ["1", "2"].flatMap((foo) =>
        ["a", "b"].map((id) => ({ headers: { foo }, identity: caller(id) })),
      );
      for (const options of each) await gateway.send("/a", options);
      await purges.purge([pathScope(HOST, "/a")]);
      for (const options of each) expect((await another().send("/a", options)).text).toBe("new");
      gateway.answers(() => answer(LIVE, "new"));
      for (const options of each) expect((await gateway.send("/a", options)).text).toBe("new");
    });

    it.each([
      ["whole, with its length", {}, 0],
      ["a variant", { vary: "foo" }, 0],
      ["a large one", {}, 100_000],
    ])("under a concurrent fill leaves nothing behind: %s", async (_sentence, fields, more) => {
      const { purges, gateway, another } = purgeable({ tiers });
      const body = "old".padEnd(3 + more);
      const length = { "content-length": String(body.length) };
      const open = Promise.withResolvers<Response>();
      gateway.origin = () => open.promise;
      const { response, exchange } = gateway.begin("/a");
      await asked(gateway, 1);
      await purges.purge([EVERYTHING]);
      open.resolve(answer({ ...LIVE, ...length, ...fields }, body));
      expect((await (await response).text()).trim()).toBe("old");
      await settled(exchange.deferred);
      gateway.answers(() => answer(LIVE, "new"));
      expect((await gateway.send("/a")).text).toBe("new");
      expect((await another().send("/a")).text).toBe("new");
    });

    it("under a fill whose writes are on their way leaves nothing behind", async () => {
      const { purges, gateway, another } = purgeable({ tiers });
      const { response, exchange } = gateway.begin("/a");
      await (await response).text();
      await purges.purge([EVERYTHING]);
      await settled(exchange.deferred);
      gateway.answers(() => answer(LIVE, "new"));
      expect((await gateway.send("/a")).text).toBe("new");
      expect((await another().send("/a")).text).toBe("new");
    });

    it.each(["before", "during"])(
      "what was purged %s a revalidation is not brought back by a 304",
      async (when) => {
        const { purges, clock, gateway } = purgeable({ tiers });
        const tagged = { "cache-control": "max-age=10", etag: '"a"' };
        gateway.answers(() => answer(tagged, "old"));
        await gateway.send("/a");
        clock.advance(20_000);
        if (when === "before") await purges.purge([EVERYTHING]);
        gateway.origin = async ({ headers }) => {
          if (!headers.has("if-none-match")) return answer({ ...LIVE, etag: '"b"' }, "new");
          await purges.purge([EVERYTHING]);
          return answer({ ...LIVE, etag: '"a"' }, null, 304);
        };
        await gateway.send("/a");
        expect((await gateway.send("/a")).text).toBe("new");
      },
    );

    it("what was purged during a refresh in the background does not come back", async () => {
      const { purges, clock, gateway } = purgeable({ tiers });
      gateway.answers(() =>
        answer({ "cache-control": "max-age=10, stale-while-revalidate=60", etag: '"a"' }, "old"),
      );
      await gateway.send("/a");
      clock.advance(20_000);
      const open = Promise.withResolvers<Response>();
      gateway.origin = () => open.promise;
      const { response, exchange } = gateway.begin("/a");
      expect(await (await response).text()).toBe("old");
      await asked(gateway, 2);
      await purges.purge([EVERYTHING]);
      open.resolve(answer({ ...LIVE, etag: '"a"' }, null, 304));
      await settled(exchange.deferred);
      gateway.answers(() => answer(LIVE, "new"));
      expect((await gateway.send("/a")).text).toBe("new");
    });

    it("what a 304 freshened keeps its tags", async () => {
      const { purges, clock, gateway } = purgeable({ tiers, tags: [[{ from: "identity", name: "id" }]] });
      gateway.answers(
        () => answer({ "cache-control": "max-age=10", etag: '"a"' }, "old"),
        () => answer({ ...LIVE, etag: '"a"' }, null, 304),
      );
      await gateway.send("/a", { identity: caller("one") });
      clock.advance(20_000);
      await gateway.send("/a", { identity: caller("two") });
      await purges.purge([tagScope("two")]);
      expect((await gateway.send("/a")).result).toBe("hit");
      await purges.purge([tagScope("one")]);
      gateway.answers(() => answer(LIVE, "new"));
      expect((await gateway.send("/a")).text).toBe("new");
    });
  },
);

describe("entries and purges", () => {
  it("what is purged between its look-up and the question about it is not brought back by a 304", async () => {
    const { purges, clock, gateway } = purgeable({ tiers: ["isolate", "edge"] });
    gateway.answers(() => answer({ "cache-control": "max-age=10", etag: '"a"' }, "old"));
    await gateway.send("/a");
    clock.advance(20_000);
    const { edgeCache } = gateway.ports;
    const open = Promise.withResolvers<undefined>();
    const { get } = edgeCache!;
    edgeCache!.get = () => open.promise;
    const { response, exchange } = gateway.begin("/a");
    await purges.purge([EVERYTHING]);
    gateway.answers(() => answer({ ...LIVE, etag: '"a"' }, null, 304));
    open.resolve(undefined);
    await response;
    await settled(exchange.deferred);
    edgeCache!.get = get;
    gateway.answers(() => answer(LIVE, "new"));
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it("the answer to a POST is as of when it was asked for", async () => {
    const { purges, gateway } = purgeable();
    gateway.origin = async () => {
      await purges.purge([EVERYTHING]);
      return answer({ ...LIVE, "content-location": "/a" }, "old");
    };
    await gateway.send("/a", { method: "POST" });
    gateway.answers(() => answer(LIVE, "new"));
    expect((await gateway.send("/a")).text).toBe("new");
  });

  it("what was purged while it was on its way is not stored at all", async () => {
    const { purges, gateway } = purgeable({ tiers: ["edge"] });
    gateway.origin = async () => {
      await purges.purge([EVERYTHING]);
      return answer(LIVE);
    };
    await gateway.send("/a");
    expect((gateway.ports.edgeCache as FakeEdge).entries.size).toBe(0);
  });

  it("a request waits for what it has to know of purges, and is answered after that", async () => {
    const { purges, gateway } = purgeable();
    await gateway.send("/a");
    const known = Promise.withResolvers<void>();
    purges.pending = known.promise;
    const { response } = gateway.begin("/a");
    expect(response).toBeInstanceOf(Promise);
    await purges.purge([EVERYTHING]);
    gateway.answers(() => answer(LIVE, "new"));
    known.resolve();
    expect(await (await response).text()).toBe("new");
  });

  it("each request asks once what is new; a hit in the isolate is answered without waiting", async () => {
    const { purges, gateway } = purgeable();
    await gateway.send("/a");
    purges.asked = 0;
    const { response } = gateway.begin("/a");
    expect(response).toBeInstanceOf(Response);
    expect(purges.asked).toBe(1);
  });

  it("scopes are looked at once for each purge, and not for each hit", async () => {
    const { purges, gateway } = purgeable();
    await gateway.send("/a");
    for (let time = 0; time < 5; time++) await gateway.send("/a");
    expect(purges.looked).toBe(0);
    await purges.purge([pathScope(HOST, "/b")]);
    for (let time = 0; time < 5; time++) await gateway.send("/a");
    expect(purges.looked).toBe(1);
  });

  it("an entry from before there were purges is none: nothing tells what it is about", async () => {
    const edgeCache = new FakeEdge();
    const tiers = ["edge"] as const;
    await new Gateway({ tiers }, { over: { edgeCache } }).answers(() => answer(LIVE)).send("/a");
    const gateway = new Gateway({ tiers }, { over: { edgeCache, purges: new FakePurges() } });
    expect((await gateway.answers(() => answer(LIVE)).send("/a")).result).toBe("miss");
  });

  it("where nothing can be purged, entries carry nothing of it", async () => {
    const edgeCache = new FakeEdge();
    const gateway = new Gateway({ tiers: ["edge"], tags: [["a"]] }, { over: { edgeCache } });
    await gateway.answers(() => answer(LIVE)).send("/a");
    expect(JSON.stringify([...edgeCache.entries.values()])).not.toContain("labels");
  });

  it("empty tags and such as are too long are left out, and one that comes twice is there once", async () => {
    const edgeCache = new FakeEdge();
    const tags = [
      ["a"],
      ["a"],
      [{ from: "params", name: "none" }],
      [{ from: "params", name: "id" }],
    ] as const;
    const gateway = new Gateway({ tiers: ["edge"], tags }, { over: { edgeCache, purges: new FakePurges() } });
    gateway.answers(() => answer(LIVE));
    await gateway.send("/a", { params: { id: "x".repeat(257) } });
    await gateway.send("/b", { params: { id: "x".repeat(256) } });
    const kept = [...edgeCache.entries.values()].map(({ headers }) => {
      const json = headers.find(([name]) => name === "postern-entry")![1];
      return (JSON.parse(json) as { labels: { tags: string[] } }).labels.tags;
    });
    expect(kept).toEqual([["a"], ["a", "x".repeat(256)]]);
  });

  it("in whatever order fills, purges and look-ups come, nothing from before a purge is answered with", async () => {
    const step = fc.record({
      what: fc.constantFrom("ask", "purge", "open"),
      path: fc.constantFrom("/a", "/b"),
      isolate: fc.nat(1),
      scope: fc.constantFrom(EVERYTHING, pathScope(HOST, "/a"), prefixScope(HOST, "/b"), tagScope("t")),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.constantFrom(...TIERS), async (steps, tiers) => {
        const { purges, gateway, another } = purgeable({ tiers, tags: [["t"]] });
        const isolates = [gateway, another()];
        const held: (() => void)[] = [];
        const work: Promise<unknown>[] = [];
        // What the origin answers is how many purges there were when it was asked.
        for (const isolate of isolates)
          isolate.origin = () => {
            const response = answer(LIVE, String(purges.last));
            return new Promise((resolve) => held.push(() => resolve(response)));
          };
        const purgedAt = new Map<string, number>();
        for (const { what, path, isolate, scope } of steps) {
          if (what === "open") held.shift()?.();
          else if (what === "purge") {
            await purges.purge([scope]);
            for (const each of ["/a", "/b"])
              if (scope === EVERYTHING || scope === tagScope("t") || scope.endsWith(each))
                purgedAt.set(each, purges.last);
          } else {
            const least = purgedAt.get(path) ?? 0;
            const { response, exchange } = isolates[isolate]!.begin(path);
            const seen = Promise.resolve(response)
              .then((it) => it.text())
              .then((text) => expect(Number(text)).toBeGreaterThanOrEqual(least));
            work.push(
              seen,
              seen.then(() => settled(exchange.deferred)),
            );
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        const rest = setInterval(() => held.shift()?.(), 0);
        await Promise.all(work).finally(() => clearInterval(rest));
      }),
      { numRuns: 100 },
    );
  });
});
