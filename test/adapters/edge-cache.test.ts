import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { edgeCache } from "../../src/adapters/cloudflare/edge-cache.ts";
import { FakeClock } from "../support/ports.ts";

afterEach(() => vi.unstubAllGlobals());

/** The Cache API of a test: by URL, as the platform has it. */
class Platform {
  readonly entries = new Map<string, Response>();
  calls = 0;
  failing = false;
  /** Look-ups are answered after so long. */
  delayMs = 0;
  #begin(): void {
    this.calls++;
    if (this.failing) throw new Error("No Cache was configured");
  }
  async match(url: string): Promise<Response | undefined> {
    this.#begin();
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    return this.entries.get(new URL(url).href)?.clone();
  }
  async put(url: string, response: Response): Promise<void> {
    this.#begin();
    if (response.headers.has("vary") || response.headers.has("set-cookie")) throw new TypeError("refused");
    this.entries.set(new URL(url).href, response);
  }
  async delete(url: string): Promise<boolean> {
    this.#begin();
    return this.entries.delete(new URL(url).href);
  }
}

const on = (platform: Platform, clock = new FakeClock()) => {
  vi.stubGlobal("caches", { default: platform });
  return edgeCache(clock)!;
};

describe("the data centre's cache as a place to put bytes", () => {
  it("gives back what was put, until it is deleted", async () => {
    const cache = on(new Platform());
    expect(await cache.get("a")).toBeUndefined();
    await cache.put("a", new Response("body", { headers: { "x-a": "1" } }), 60_000);
    const found = (await cache.get("a"))!;
    expect([await found.text(), found.headers.get("x-a")]).toEqual(["body", "1"]);
    await cache.delete("a");
    expect(await cache.get("a")).toBeUndefined();
  });

  it("tells the platform how long to keep it, and nothing that it would act on", async () => {
    const platform = new Platform();
    const headers = { vary: "accept", "set-cookie": "a=b", expires: "0", "cache-control": "private" };
    await on(platform).put("a", new Response("body", { headers }), 61_500);
    const [stored] = platform.entries.values();
    expect([...stored!.headers.keys()].sort()).toEqual(["cache-control", "content-type"]);
    expect(stored!.headers.get("cache-control")).toBe("public, max-age=61");
  });

  it("does not put what would be gone at once", async () => {
    const platform = new Platform();
    await on(platform).put("a", new Response("body"), 999);
    expect(platform.calls).toBe(0);
  });

  it("keeps different keys apart, short and long, whatever they hold", async () => {
    const key = fc.oneof(
      fc.string({ unit: "binary", maxLength: 12 }),
      fc.string({ unit: fc.constantFrom(".", "/", "%", "#", "?", "a", "\u0000"), maxLength: 4 }),
      fc.string({ unit: "binary", maxLength: 4 }).map((end) => "x".repeat(3000) + end),
    );
    const platform = new Platform();
    const cache = on(platform);
    await fc.assert(
      fc.asyncProperty(key, key, async (one, other) => {
        platform.entries.clear();
        await cache.put(one, new Response("body"), 60_000);
        expect((await cache.get(one)) !== undefined).toBe(one.isWellFormed());
        if (one !== other) expect(await cache.get(other)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it("has nothing under a key that UTF-8 could not tell from another", async () => {
    const cache = on(new Platform());
    await cache.put("a\ufffd", new Response("body"), 60_000);
    expect(await cache.get("a\ud800")).toBeUndefined();
  });
});

describe("where the platform has no cache of the data centre", () => {
  it("there is none without the API", () => {
    vi.stubGlobal("caches", undefined);
    expect(edgeCache(new FakeClock())).toBeUndefined();
  });

  it("there is none without the default cache", () => {
    vi.stubGlobal("caches", { open: () => undefined });
    expect(edgeCache(new FakeClock())).toBeUndefined();
  });

  it("there is none where asking for it throws", () => {
    const caches = Object.defineProperty({}, "default", {
      get: () => {
        throw new Error("No Cache was configured");
      },
    });
    vi.stubGlobal("caches", caches);
    expect(edgeCache(new FakeClock())).toBeUndefined();
  });

  it("after a first call that fails it is empty for ever, and is not asked again", async () => {
    const platform = new Platform();
    platform.failing = true;
    const cache = on(platform);
    expect(await cache.get("a")).toBeUndefined();
    platform.failing = false;
    await cache.put("a", new Response("body"), 60_000);
    await cache.delete("a");
    expect(await cache.get("a")).toBeUndefined();
    expect(platform.calls).toBe(1);
  });

  it("once it has worked, a failure is only that call's", async () => {
    const platform = new Platform();
    const cache = on(platform);
    await cache.put("a", new Response("body"), 60_000);
    platform.failing = true;
    expect(await cache.get("a")).toBeUndefined();
    await cache.put("b", new Response("body"), 60_000);
    await cache.delete("a");
    platform.failing = false;
    expect(await cache.get("a")).toBeDefined();
  });
});

describe("a platform that does not answer in time", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("keeps nobody for longer, and is spared for a while after three times in turn", async () => {
    const platform = new Platform();
    const clock = new FakeClock();
    const cache = on(platform, clock);
    const found = async (): Promise<[found: boolean, tookMs: number]> => {
      const beganMs = Date.now();
      const looking = cache
        .get("a")
        .then((response) => [response !== undefined, Date.now() - beganMs] as const);
      await vi.runAllTimersAsync();
      return [...(await looking)];
    };
    await cache.put("a", new Response("body"), 60_000);
    platform.delayMs = 199;
    expect(await found()).toEqual([true, 199]);
    platform.delayMs = 8000;
    for (let time = 0; time < 3; time++) expect(await found()).toEqual([false, 200]);
    expect(await found()).toEqual([false, 0]);
    platform.delayMs = 0;
    expect(await found()).toEqual([false, 0]);
    clock.advance(2000);
    expect(await found()).toEqual([true, 0]);
  });

  it("is not taken for one that has none when it begins so", async () => {
    const platform = new Platform();
    const cache = on(platform);
    platform.delayMs = 8000;
    const looking = cache.get("a");
    await vi.runAllTimersAsync();
    expect(await looking).toBeUndefined();
    platform.delayMs = 0;
    await cache.put("a", new Response("body"), 60_000);
    expect(await (await cache.get("a"))!.text()).toBe("body");
    expect(vi.getTimerCount()).toBe(0);
  });
});
