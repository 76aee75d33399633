import { describe, expect, it } from "vitest";
import { Invalidations } from "../../../src/policies/cache/invalidations.ts";
import { answer, caller, FakeEdge, type Fields, Gateway, type RequestOptions, settled } from "./harness.ts";

const LIVE = { "cache-control": "max-age=600" };

const holding = async (
  targets: readonly string[],
  step = {},
  options: RequestOptions = {},
): Promise<Gateway> => {
  const gateway = new Gateway({ tiers: ["isolate", "edge"], ...step }, { edge: new FakeEdge() }).answers(() =>
    answer(LIVE),
  );
  for (const target of targets) await gateway.send(target, options);
  return gateway;
};

const isKept = async (gateway: Gateway, target: string, options: RequestOptions = {}): Promise<boolean> =>
  (await gateway.send(target, options)).result === "hit";

describe("an unsafe request ends what is stored for its target (RFC 9111 section 4.4)", () => {
  it.each<[string, number, boolean]>([
    ["POST", 200, false],
    ["PUT", 204, false],
    ["DELETE", 200, false],
    ["PATCH", 303, false],
    ["M-SEARCH", 200, false],
    ["POST", 400, true],
    ["POST", 500, true],
    ["OPTIONS", 200, true],
    ["QUERY", 200, true],
  ])("%s with %i keeps it: %s", async (method, status, kept) => {
    const gateway = await holding(["/a"]);
    gateway.answers(() => answer({}, null, status));
    await gateway.send("/a", { method });
    expect(await isKept(gateway, "/a")).toBe(kept);
  });

  it.each<[string, string, boolean]>([
    ["a path", "/b", false],
    ["a reference", "b", false],
    ["a path that is not normal", "/x/../%62", false],
    ["a whole URL", "https://api.example.com/b", false],
    ["a whole URL with the port that it has anyway", "https://api.example.com:443/b", false],
    ["another host", "https://other.example.com/b", true],
    ["another scheme", "http://api.example.com/b", true],
    ["another port", "https://api.example.com:8443/b", true],
    ["another path", "/c", true],
    ["what is no reference", "https://[", true],
  ])(
    "and for what Location and Content-Location name, when they name %s",
    async (_sentence, location, kept) => {
      for (const name of ["location", "content-location"]) {
        const gateway = await holding(["/a", "/b"]);
        gateway.answers(() => answer({ [name]: location }, null, 201));
        await gateway.send("/a", { method: "POST" });
        expect(await isKept(gateway, "/b"), name).toBe(kept);
      }
    },
  );

  it("with every variant of it", async () => {
    const gateway = new Gateway({ tiers: ["isolate", "edge"] }, { edge: new FakeEdge() }).answers(() =>
      answer({ ...LIVE, vary: "Foo" }),
    );
    for (const foo of ["1", "2"]) await gateway.send("/a", { headers: { foo } });
    await gateway.send("/a", { method: "POST" });
    await gateway.send("/a", { headers: { foo: "1" } });
    expect(await isKept(gateway, "/a", { headers: { foo: "1" } })).toBe(true);
    expect(await isKept(gateway, "/a", { headers: { foo: "2" } })).toBe(false);
  });

  it("the caller's own and what all share, not what another caller has", async () => {
    const a = { identity: caller("a") };
    const b = { identity: caller("b") };
    const gateway = await holding(["/a"], { perCaller: true }, a);
    await gateway.send("/a", b);
    await gateway.send("/a");
    await gateway.send("/a", { method: "POST", ...a });
    expect([
      await isKept(gateway, "/a", a),
      await isKept(gateway, "/a"),
      await isKept(gateway, "/a", b),
    ]).toEqual([false, false, true]);
  });

  it("a target that declares other parameters when it is read", async () => {
    const gateway = await holding(["/a?page=2"], { query: ["page"] });
    gateway.answers(() => answer({ location: "/a?page=2&x=1" }, null, 201));
    await gateway.send("/b", { method: "POST" }, { ...gateway.step, query: ["x"] });
    expect(await isKept(gateway, "/a?page=2")).toBe(true);
    gateway.answers(() => answer({ location: "/a?page=2" }, null, 201));
    await gateway.send("/b", { method: "POST" }, { ...gateway.step, query: [] });
    expect(await isKept(gateway, "/a?page=2")).toBe(false);
  });

  it("what was asked for before is not stored after it", async () => {
    const gateway = new Gateway();
    const slow = Promise.withResolvers<Response>();
    gateway.origin = () => slow.promise;
    const { response, exchange } = gateway.begin("/a");
    gateway.answers(() => answer({}, null, 204));
    await gateway.send("/a", { method: "PUT" });
    slow.resolve(answer(LIVE, "old"));
    expect(await (await response).text()).toBe("old");
    await settled(exchange.deferred);
    gateway.answers(() => answer(LIVE, "new"));
    expect((await gateway.send("/a")).text).toBe("new");
    expect((await gateway.send("/a")).result).toBe("hit");
  });

  it.each<[string, RequestOptions]>([
    ["POST", { method: "POST", body: "x" }],
    ["OPTIONS", { method: "OPTIONS" }],
  ])("the answer to %s is what the origin gave, and is not stored", async (_method, options) => {
    const gateway = new Gateway();
    const given = answer(LIVE);
    gateway.origin = () => given;
    const { response, exchange } = gateway.begin("/a", options);
    expect(await response).toBe(given);
    expect([exchange.answerEdits, exchange.deferred, exchange.cacheResult]).toEqual([[], [], undefined]);
    gateway.answers(() => answer({} as Fields, "other"));
    expect((await gateway.send("/a")).text).toBe("other");
  });
});

it("invalidations that are no longer known one by one count for every key", () => {
  const known = new Invalidations();
  const mark = known.mark();
  known.add("a");
  expect([known.since("a", mark), known.since("b", mark), known.since("a", known.mark())]).toEqual([
    true,
    false,
    false,
  ]);
  for (let index = 0; index < 5000; index++) known.add(`k${index}`);
  expect([known.since("a", mark), known.since("b", mark), known.since("b", known.mark())]).toEqual([
    true,
    true,
    false,
  ]);
});

describe("a route without a cache of its own", () => {
  it("forgets what its requests change, and stores nothing itself", async () => {
    const gateway = await holding(["/a"]);
    gateway.answers(() => answer(LIVE));
    const writes = { ...gateway.step, forgetOnly: true };
    for (const _ of ["the first time", "the second"])
      expect((await gateway.send("/b", {}, writes)).cacheStatus).toBe("");
    expect(await isKept(gateway, "/a")).toBe(true);
    await gateway.send("/a", { method: "POST" }, writes);
    expect(await isKept(gateway, "/a")).toBe(false);
  });
});
