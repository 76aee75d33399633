import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ConsumerKeys, type ConsumersPlan } from "../../src/core/consumer-keys.ts";
import type { ConsumerKeyStore, Defer, StoredKey } from "../../src/core/ports.ts";
import { composeKey } from "../../src/lib/api-key.ts";
import { FakeClock } from "../support/ports.ts";

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");
const key = (seed: number): string => composeKey("test", new Uint8Array(32).fill(seed));

const START = new FakeClock().ms;
const plan: ConsumersPlan = {
  acme: {
    plan: "gold",
    attributes: { tenant: "acme" },
    keys: [
      { id: "k1", sha256: digest(key(1)) },
      { id: "k2", sha256: digest(key(2)), expiresMs: START + 30_000 },
      { id: "k3", sha256: digest(key(3)), expiresMs: START },
    ],
  },
  small: { attributes: {}, keys: [{ id: "k1", sha256: digest(key(4)) }] },
};

const defer: Defer = { waitUntil: () => undefined };

const make = (over = plan, consumerKeys?: ConsumerKeyStore) => {
  const clock = new FakeClock();
  const keys = new ConsumerKeys(over, { clock, consumerKeys });
  const find = async (text: string): Promise<string> => {
    const found = await keys.find(text, defer);
    return typeof found === "string" ? found : found.consumer.name;
  };
  return { clock, keys, find };
};

afterEach(() => vi.restoreAllMocks());

describe("a key", () => {
  it.each([
    ["the first of a consumer", key(1), "acme"],
    ["the second, good at the same time", key(2), "acme"],
    ["one that ended this instant", key(3), "key-expired"],
    ["another consumer's", key(4), "small"],
    ["nobody's", key(5), "key-unknown"],
    ["its digest", digest(key(1)), "key-unknown"],
    ["with a wrong checksum", `${key(1)}0`, "key-malformed"],
    ["nothing", "", "key-malformed"],
    ["a name of JavaScript's own", "__proto__", "key-unknown"],
  ])("%s", async (_, text, wanted) => expect(await make().find(text)).toBe(wanted));

  it("brings its consumer along", async () => {
    expect(await make().keys.find(key(1), defer)).toMatchObject({
      consumer: { name: "acme", plan: "gold", attributes: { tenant: "acme" } },
    });
    const small = await make().keys.find(key(4), defer);
    expect(small).toMatchObject({ consumer: { name: "small", attributes: {} } });
    expect((small as { consumer: object }).consumer).not.toHaveProperty("plan");
  });

  it("that nobody has never passes", async () => {
    const { keys } = make();
    const text = fc.oneof(
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => composeKey("test", bytes)),
      fc.string({ maxLength: 300 }),
      fc.constantFrom(...Object.values(plan).flatMap((it) => it.keys.map(({ sha256 }) => sha256))),
      fc
        .constantFrom(key(1), key(4))
        .chain((good) => fc.nat(good.length).map((at) => `${good.slice(0, at)}x${good.slice(at)}`)),
    );
    const good = new Set([key(1), key(2), key(3), key(4)]);
    await fc.assert(
      fc.asyncProperty(text, async (presented) => {
        fc.pre(!good.has(presented));
        expect(typeof (await keys.find(presented, defer))).toBe("string");
      }),
      { numRuns: 500 },
    );
  });
});

describe("what was looked up", () => {
  it("is known at once for a minute, and then looked up again", async () => {
    const digests = vi.spyOn(crypto.subtle, "digest");
    const { keys, clock, find } = make();
    await find(key(1));
    clock.advance(59_999);
    expect(keys.find(key(1), defer)).toMatchObject({ consumer: { name: "acme" } });
    expect(digests).toHaveBeenCalledTimes(1);
    clock.advance(1);
    expect(keys.find(key(1), defer)).toBeInstanceOf(Promise);
    await find(key(1));
    expect(keys.find(key(1), defer)).not.toBeInstanceOf(Promise);
  });

  it("ends with the key, though the minute is not over", async () => {
    const { clock, find } = make();
    expect(await find(key(2))).toBe("acme");
    clock.advance(29_999);
    expect(await find(key(2))).toBe("acme");
    clock.advance(1);
    expect(await find(key(2))).toBe("key-expired");
  });

  it("costs no digest where it cannot be a key", () => {
    const digests = vi.spyOn(crypto.subtle, "digest");
    for (const text of ["", "k".repeat(257), `${key(1).slice(0, -1)}-`, "a b"])
      expect(make().keys.find(text, defer)).toBe("key-malformed");
    expect(digests).not.toHaveBeenCalled();
  });

  it("is bounded by bytes, the oldest going first", async () => {
    const many = Array.from({ length: 5000 }, (_, index) =>
      composeKey("test", createHash("sha256").update(String(index)).digest()),
    );
    const { keys, find } = make({
      acme: { attributes: {}, keys: many.map((text, index) => ({ id: `k${index}`, sha256: digest(text) })) },
    });
    for (const text of many) await find(text);
    const kept = many.filter((text) => !(keys.find(text, defer) instanceof Promise)).length;
    expect(kept).toBeGreaterThan(1500);
    expect(kept).toBeLessThan(2500);
    expect(keys.find(many.at(-1)!, defer)).not.toBeInstanceOf(Promise);
    expect(keys.find(many[0]!, defer)).toBeInstanceOf(Promise);
  });
});

describe("keys in a store", () => {
  const storeOf = (find: (sha256: string) => Promise<StoredKey | undefined>) => {
    const store = { find: vi.fn(find) };
    return { store, ...make(plan, store) };
  };

  it.each<[string, StoredKey | undefined, string]>([
    ["a consumer's", { consumer: "acme" }, "acme"],
    ["one that is over", { consumer: "acme", expiresMs: START }, "key-expired"],
    ["of a consumer whom the policies do not know", { consumer: "gone" }, "key-unknown"],
    ["of a name of JavaScript's own", { consumer: "__proto__" }, "key-unknown"],
    ["nobody's", undefined, "key-unknown"],
  ])("%s", async (_, stored, wanted) => {
    const { store, find } = storeOf(async () => stored);
    expect(await find(key(7))).toBe(wanted);
    expect(store.find.mock.calls[0]![0]).toBe(digest(key(7)));
  });

  it("are asked for only where the policies do not hold the key, and it can be one", async () => {
    const { store, find } = storeOf(async () => undefined);
    expect(await find(key(1))).toBe("acme");
    expect(await find(`${key(1)}x`)).toBe("key-malformed");
    expect(store.find).not.toHaveBeenCalled();
  });

  it("are good for a minute while the store is away, and then 503", async () => {
    const answers = { isAway: false };
    const { clock, find } = storeOf(async () => {
      if (answers.isAway) throw new Error("away");
      return { consumer: "small" };
    });
    expect(await find(key(7))).toBe("small");
    answers.isAway = true;
    expect(await find(key(8))).toBe("consumers-unavailable");
    clock.advance(59_999);
    expect(await find(key(7))).toBe("small");
    clock.advance(1);
    expect(await find(key(7))).toBe("consumers-unavailable");
  });
});
