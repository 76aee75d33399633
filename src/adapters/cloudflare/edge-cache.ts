import type { Cache, Clock } from "../../core/ports.ts";
import { Circuit } from "../circuit.ts";

/** Keys longer than this as part of a URL are hashed: platforms bound the length of a URL. */
const MOST_CHARACTERS = 2048;

/** Nobody waits for longer, in milliseconds: a platform's cache is near, or it is of no use. */
const LOOK_UP_MS = 200;

/** The Cache API as far as it is used. */
type PlatformCache = Pick<globalThis.Cache, "match" | "put" | "delete">;

/**
 * The data centre's cache (the Cache API) as a place to put bytes under a key; undefined where the platform has none. Never
 * throws and never rejects: plain workerd has the API, but fails on use unless a service is configured for it, and after
 * a first call that fails the cache is empty for ever. Once a call has succeeded, a failure is only that call's. One that does
 * not answer in time is spared for a while.
 */
export const edgeCache = (clock: Clock): Cache | undefined => {
  const platform = platformCache();
  if (platform === undefined) return undefined;
  let state: "untried" | "works" | "absent" = "untried";
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    if (state === "absent") return undefined;
    try {
      const result = await work();
      state = "works";
      return result;
    } catch {
      if (state === "untried") state = "absent";
      return undefined;
    }
  };
  const lookUps = new Circuit(clock);
  const match = async (url: string): Promise<Response | undefined> => {
    const found = await inTime(platform.match(url));
    if (found !== "late") {
      lookUps.succeeded();
      return found;
    }
    lookUps.failed();
    return undefined;
  };
  return {
    get: async (key) =>
      lookUps.admits()
        ? attempt(async () => {
            const url = await urlOf(key);
            return url === undefined ? undefined : await match(url);
          })
        : undefined,
    put: async (key, response, ttlMs) => {
      const seconds = Math.floor(ttlMs / 1000);
      if (seconds < 1) return;
      await attempt(async () => {
        const url = await urlOf(key);
        if (url !== undefined) await platform.put(url, lasting(response, seconds));
      });
    },
    delete: async (key) => {
      await attempt(async () => {
        const url = await urlOf(key);
        if (url !== undefined) await platform.delete(url);
      });
    },
  };
};

/** `caches.default` is of Workers; there are platforms without it, and such where asking for it throws. */
const platformCache = (): PlatformCache | undefined => {
  try {
    return (globalThis as { caches?: { default?: PlatformCache } }).caches?.default;
  } catch {
    return undefined;
  }
};

/** What a look-up brings; one that comes too late is let go. */
const inTime = async (looking: Promise<Response | undefined>): Promise<Response | undefined | "late"> => {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => {
      resolve("late");
      looking.then((response) => response?.body?.cancel()).catch(() => undefined);
    }, LOOK_UP_MS);
  });
  return Promise.race([looking, late]).finally(() => clearTimeout(timer));
};

/** A copy that the platform keeps for so long, and does not look at closer. */
const lasting = (response: Response, seconds: number): Response => {
  const copy = new Response(response.body, response);
  copy.headers.set("cache-control", `public, max-age=${seconds}`);
  for (const name of ["vary", "set-cookie", "expires", "age"]) copy.headers.delete(name);
  return copy;
};

/**
 * A URL for a key, on a host that nobody can own, different for different keys. A key with half a surrogate pair has none:
 * in UTF-8 it would be the same as another.
 */
const urlOf = async (key: string): Promise<string | undefined> => {
  if (!key.isWellFormed()) return undefined;
  const encoded = encodeURIComponent(key);
  if (encoded.length <= MOST_CHARACTERS) return `https://cache.postern.invalid/key=${encoded}`;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `https://cache.postern.invalid/sha256=${hex}`;
};
