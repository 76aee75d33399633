import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { redisKeys, SharedKeys } from "../../src/adapters/upstash/consumer-keys.ts";
import type { StoredKey } from "../../src/core/ports.ts";
import { FakeClock } from "../support/ports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A store whose answers a test gives one by one. */
const world = () => {
  const clock = new FakeClock();
  const questions: { sha256: string; answer: (key?: StoredKey) => void; fail: () => void }[] = [];
  const keys = new SharedKeys(
    (sha256) =>
      new Promise((resolve, reject) =>
        questions.push({ sha256, answer: resolve, fail: () => reject(new Error("away")) }),
      ),
    clock,
  );
  const find = (sha256 = "a"): Promise<string> =>
    keys.find(sha256, { waitUntil: () => undefined }).then(
      (found) => found?.consumer ?? "nobody",
      () => "away",
    );
  return { clock, questions, find };
};

const ACME = { consumer: "acme" };

describe("keys in a store", () => {
  it("are asked for once by many at the same time, and by each digest", async () => {
    const { questions, find } = world();
    const found = Promise.all([find("a"), find("a"), find("b"), find("a")]);
    expect(questions.map(({ sha256 }) => sha256)).toEqual(["a", "b"]);
    questions[0]!.answer(ACME);
    questions[1]!.answer();
    expect(await found).toEqual(["acme", "acme", "nobody", "acme"]);
  });

  it("are asked for again by the next: who remembers them is the caller", async () => {
    const { questions, find } = world();
    const first = find();
    questions[0]!.answer(ACME);
    await first;
    const second = find();
    questions[1]!.answer({ consumer: "small" });
    expect(await second).toBe("small");
  });

  it("of nobody are known as such for ten seconds", async () => {
    const { clock, questions, find } = world();
    const first = find();
    questions[0]!.answer();
    expect(await first).toBe("nobody");
    clock.advance(9_999);
    expect(await find()).toBe("nobody");
    expect(questions).toHaveLength(1);
    clock.advance(1);
    const later = find();
    questions[1]!.answer(ACME);
    expect(await later).toBe("acme");
  });

  it("are away for all who wait, and for a second for all others", async () => {
    const { clock, questions, find } = world();
    const both = Promise.all([find(), find()]);
    questions[0]!.fail();
    expect(await both).toEqual(["away", "away"]);
    clock.advance(999);
    expect(await find("b")).toBe("away");
    expect(questions).toHaveLength(1);
    clock.advance(1);
    const later = find("b");
    questions[1]!.answer(ACME);
    expect(await later).toBe("acme");
  });

  it("are asked for anew when the request that asked was lost", async () => {
    const { clock, questions, find } = world();
    const lost = find();
    clock.advance(1000);
    const next = find();
    expect(questions).toHaveLength(2);
    questions[1]!.answer(ACME);
    expect(await next).toBe("acme");
    await vi.advanceTimersByTimeAsync(1000);
    expect(await lost).toBe("away");
  });

  it("of nobody are forgotten, the oldest first, when there are many", async () => {
    const { questions, find } = world();
    for (let index = 0; index < 1001; index++) {
      const found = find(String(index));
      questions.at(-1)!.answer();
      await found;
    }
    expect(await find("1")).toBe("nobody");
    expect(questions).toHaveLength(1001);
    void find("0");
    expect(questions).toHaveLength(1002);
  });
});

describe("Redis", () => {
  const findIn = async (text: unknown) => {
    const names: string[] = [];
    const get = async (name: string): Promise<unknown> => {
      names.push(name);
      return text;
    };
    const keys = redisKeys("shop", get, new FakeClock());
    return { found: await keys.find("abc", { waitUntil: () => undefined }), names };
  };

  it("is asked under the gateway's own name", async () => {
    const { found, names } = await findIn(JSON.stringify({ consumer: "acme", expiresMs: 5 }));
    expect(found).toEqual({ consumer: "acme", expiresMs: 5 });
    expect(names).toEqual(["postern:shop:key:abc"]);
  });

  it("knows nobody where it has nothing", async () => expect((await findIn(null)).found).toBeUndefined());

  it.each<[string, string]>([
    ["what is no record", "{}"],
    ["what is no JSON", "acme"],
    ["a record that ends at no time", '{"consumer":"acme","expiresMs":"soon"}'],
  ])("lets nobody in where it holds %s", (_, text) => expect(findIn(text)).rejects.toThrow());
});
