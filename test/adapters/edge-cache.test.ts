import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { edgeCache } from "../../src/adapters/cloudflare/edge-cache.ts";

afterEach(() => vi.unstubAllGlobals());

/** The Cache API of a test: by URL, as the platform has it. */
class Platform {
  readonly entries = new Map<string, Response>();
  calls = 0;
  failing = false;
  #begin(): void {
    this.calls++;
    if (this.failing) throw new Error("No Cache was configured");
  }
  async match(url: string): Promise<Response | undefined> {
    this.#begin();
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

const on = (platform: Platform) => {
  vi.stubGlobal("caches", { default: platform });
  return edgeCache()!;
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
    expect(edgeCache()).toBeUndefined();
  });

  it("there is none without the default cache", () => {
    vi.stubGlobal("caches", { open: () => undefined });
    expect(edgeCache()).toBeUndefined();
  });

  it("there is none where asking for it throws", () => {
    const caches = Object.defineProperty({}, "default", {
      get: () => {
        throw new Error("No Cache was configured");
      },
    });
    vi.stubGlobal("caches", caches);
    expect(edgeCache()).toBeUndefined();
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
