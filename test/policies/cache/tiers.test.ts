import { describe, expect, it } from "vitest";
import { fakePorts } from "../../support/ports.ts";
import { answer, caller, FakeEdge, type Fields, Gateway, KEPT_WHOLE } from "./harness.ts";

const LIVE = { "cache-control": "max-age=600" };
const BOTH = { tiers: ["isolate", "edge"] } as const;

/** Two isolates of one data centre. */
const neighbors = (step = {}) => {
  const edge = new FakeEdge();
  const one = new Gateway({ ...BOTH, ...step }, { edge });
  const other = new Gateway({ ...BOTH, ...step }, { edge, ports: one.ports });
  return { edge, one, other };
};

describe("the tiers isolate and edge", () => {
  it("what one isolate stored, another finds in the data centre, and then in its own memory", async () => {
    const { edge, one, other } = neighbors();
    one.answers(() => answer({ ...LIVE, age: "5", "x-a": "é", etag: '"a"' }, "stored", 410));
    await one.send("/a");
    one.advance(10);
    const first = await other.send("/a");
    expect([first.status, first.text, first.result]).toEqual([410, "stored", "hit"]);
    expect([first.headers.get("x-a"), first.headers.get("age")]).toEqual(["é", "15"]);
    expect(first.cacheStatus).toBe("postern; hit; ttl=585; detail=edge");
    const gets = edge.gets;
    expect((await other.send("/a")).cacheStatus).toBe("postern; hit; ttl=585; detail=isolate");
    expect([edge.gets, other.sent.length]).toEqual([gets, 0]);
  });

  it.each(KEPT_WHOLE)(
    "%s comes back from the data centre as it was",
    async (_sentence, fields, body, status) => {
      const { one, other } = neighbors({ perCaller: true });
      one.answers(() => answer(fields, body, status));
      const options = { identity: caller("a") };
      await one.send("/a", options);
      const near = await one.send("/a", options);
      const far = await other.send("/a", options);
      expect(other.sent).toHaveLength(0);
      expect([far.status, far.text]).toEqual([near.status, near.text]);
      const fieldsOf = (headers: Headers) => [...headers].filter(([name]) => name !== "cache-status");
      expect(fieldsOf(far.headers)).toEqual(fieldsOf(near.headers));
    },
  );

  it("asks the data centre before it asks the origin about what is stale", async () => {
    const { one, other } = neighbors();
    one.answers(
      () => answer({ "cache-control": "max-age=10", etag: '"a"' }, "old"),
      () => answer({ ...LIVE, etag: '"b"' }, "new"),
    );
    await one.send("/a");
    await other.send("/a");
    one.advance(20);
    await one.send("/a");
    expect((await other.send("/a")).text).toBe("new");
    expect([one.sent.length, other.sent.length]).toEqual([2, 0]);
  });

  it("does not put what the data centre has from earlier in the place of what the isolate has from later", async () => {
    const { edge, one } = neighbors();
    one.answers(
      () => answer({ "cache-control": "max-age=10", etag: '"a"' }, "old"),
      () => answer({ "cache-control": "max-age=10", etag: '"b"' }, "new"),
    );
    await one.send("/a");
    const before = [...edge.entries];
    one.advance(20);
    await one.send("/a");
    edge.entries.clear();
    for (const [key, value] of before) edge.entries.set(key, value);
    one.advance(20);
    one.answers(() => answer({}, "failed", 503));
    await one.send("/a");
    await one.send("/a");
    expect(one.sent.slice(2).map(({ headers }) => headers.get("if-none-match"))).toEqual(['"b"', '"b"']);
  });

  it("with edge alone nothing is kept in the isolate", async () => {
    const edge = new FakeEdge();
    const gateway = new Gateway({ tiers: ["edge"] }, { edge }).answers(() =>
      answer({ ...LIVE, vary: "foo" }),
    );
    await gateway.send("/a");
    expect((await gateway.send("/a")).cacheStatus).toContain("detail=edge");
    edge.entries.clear();
    expect((await gateway.send("/a")).result).toBe("miss");
  });

  it("with isolate alone nothing is put into the data centre", async () => {
    const edge = new FakeEdge();
    const gateway = new Gateway({ tiers: ["isolate"] }, { edge }).answers(() => answer(LIVE));
    await gateway.send("/a");
    expect([edge.entries.size, edge.gets]).toEqual([0, 0]);
  });

  it("where the platform has no cache of the data centre, the isolate's memory serves", async () => {
    const gateway = new Gateway({ tiers: ["edge"] }, { ports: fakePorts() }).answers(() => answer(LIVE));
    await gateway.send("/a");
    expect((await gateway.send("/a")).cacheStatus).toContain("detail=isolate");
  });

  it("the client does not wait for the data centre to have stored", async () => {
    const edge = new FakeEdge();
    edge.put = () => new Promise(() => undefined);
    const gateway = new Gateway(BOTH, { edge }).answers(() => answer({ ...LIVE, "content-length": "4" }));
    expect(await (await gateway.begin("/a").response).text()).toBe("body");
  });

  it("says for how long an entry is worth keeping: fresh, stale in its window, or to be asked about", async () => {
    const lifetimes = async (fields: Fields): Promise<number[]> => {
      const edge = new FakeEdge();
      await new Gateway(BOTH, { edge }).answers(() => answer(fields)).send("/a");
      return [...edge.entries.values()].map(({ ttlMs }) => ttlMs / 1000);
    };
    expect(await lifetimes({ "cache-control": "max-age=60", age: "10" })).toEqual([50]);
    expect(await lifetimes({ "cache-control": "max-age=60, stale-while-revalidate=30" })).toEqual([90]);
    expect(await lifetimes({ "cache-control": "max-age=60", etag: '"a"' })).toEqual([60 + 86_400]);
  });

  it.each<[string, (headers: [string, string][]) => [string, string][]]>([
    ["without metadata", () => []],
    ["with metadata that is no JSON", () => [["postern-entry", "{"]]],
    [
      "with a body that is not whole",
      (headers) => headers.map(([name, value]) => [name, value.replace('"length":4', '"length":5')]),
    ],
  ])("an entry %s is none", async (_sentence, change) => {
    const { edge, one, other } = neighbors();
    one.answers(() => answer(LIVE));
    other.answers(() => answer(LIVE, "fetched"));
    await one.send("/a");
    for (const stored of edge.entries.values()) stored.headers = change(stored.headers);
    expect((await other.send("/a")).text).toBe("fetched");
  });

  it("an entry with more metadata than a platform takes is kept in the isolate only", async () => {
    const { edge, one } = neighbors();
    one.answers(() => answer({ ...LIVE, "x-large": "x".repeat(20_000) }));
    await one.send("/a");
    expect([edge.entries.size, (await one.send("/a")).result]).toEqual([0, "hit"]);
  });

  it("variants are found by another isolate, and all go together", async () => {
    const { one, other } = neighbors();
    one.answers(
      () => answer({ ...LIVE, vary: "foo" }, "1"),
      () => answer({ ...LIVE, vary: "foo, bar" }, "2"),
    );
    const [first, second] = [{ headers: { foo: "1" } }, { headers: { foo: "2" } }];
    await one.send("/a", first);
    await one.send("/a", second);
    expect((await other.send("/a", second)).text).toBe("2");
    await one.send("/a", { method: "DELETE" });
    other.answers(() => answer(LIVE, "fetched"));
    const third = new Gateway(BOTH, { edge: other.ports.edgeCache!, ports: other.ports }).answers(() =>
      answer(LIVE, "fetched"),
    );
    for (const options of [first, second]) expect((await third.send("/a", options)).text).toBe("fetched");
  });

  it("what was invalidated while the data centre was looking is not used", async () => {
    const { edge, one, other } = neighbors();
    one.answers(() => answer(LIVE, "old"));
    await one.send("/a");
    const found = await edge.get([...edge.entries.keys()][0]!);
    const look = Promise.withResolvers<Response | undefined>();
    edge.get = () => look.promise;
    other.answers(() => answer(LIVE, "new"));
    const { response } = other.begin("/a");
    await other.send("/a", { method: "PUT" });
    look.resolve(found);
    expect(await (await response).text()).toBe("new");
  });
});
