import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CacheService, startCacheService } from "../support/cache-service.ts";
import { type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";

// Many who ask at once, in each tier: for what has ended, and while a purge goes by. On plain workerd, with a cache behind the
// Cache API, and a real Redis.

const TIERS = ["isolate", "edge", "redis", "isolate, edge, redis"] as const;
const folder = (tiers: string): string => `/${tiers.replaceAll(", ", "-")}`;
const CONTROL = "control-token-of-the-tests";
const PURGE = "purge-token-of-the-tests";

let stage: Stage;
let edge: CacheService;
let redis: RedisOverHttp;
let served: Served;

interface Seen {
  readonly text: string;
  readonly cache: string;
}

const ask = async (path: string): Promise<Seen> => {
  const response = await fetch(served.url + path);
  return { text: await response.text(), cache: response.headers.get("cache-status") ?? "" };
};

const crowd = (size: number, path: string): Promise<Seen[]> =>
  Promise.all(Array.from({ length: size }, () => ask(path)));

const asked = (path: string): number => stage.asked.filter((line) => line === `GET ${path}`).length;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeWithRedis("a crowd", () => {
  beforeAll(async () => {
    stage = await startStage();
    edge = await startCacheService();
    redis = await startRedisOverHttp();
    const route = (tiers: string): string =>
      `${folder(tiers).slice(1)}: { match: { pathPrefix: ${folder(tiers)} }, policies: { cache: { tiers: [${tiers}] } } }`;
    const vars = { REDIS_URL: redis.url, REDIS_TOKEN: redis.token, CONTROL, PURGE };
    served = await serve({
      files: {
        "a.yaml": `
gateway:
  name: crowd
  hosts: { public: 127.0.0.1 }
  clientIp: connection
  stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }
  control: { token: { env: CONTROL }, purgeToken: { env: PURGE } }
upstreams: { stage: { targets: { only: { url: "${stage.url}", network: private } }, timeout: 20s } }
apis: { crowd: { public: true, upstream: stage, routes: { ${TIERS.map(route).join(", ")} } } }
`,
      },
      args: [
        ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}=${value}`]),
        ...["--edge-cache", edge.address],
      ],
    });
  }, 120_000);
  afterAll(async () => {
    expect(await served?.stop()).toBe(0);
    await Promise.all([stage?.stop(), edge?.stop(), redis?.stop()]);
  });

  describe.each(TIERS)("with the tiers %s", (tiers) => {
    it("of 500 that come when an entry has ended gets what was stored, and one refresh is made", async () => {
      const path = `${folder(tiers)}/ended`;
      let number = 0;
      stage.on(path, (_request, response) => {
        const own = ++number;
        const control = own === 1 ? "max-age=1, stale-while-revalidate=600" : "max-age=600";
        setTimeout(() => response.writeHead(200, { "cache-control": control }).end(`answer ${own}`), 300);
      });
      expect((await ask(path)).text).toBe("answer 1");
      await pause(1500);
      const seen = await crowd(500, path);
      // A look-up in Redis that takes longer than 50 ms is none, and then all get the new answer to one request.
      const mayMiss = tiers === "redis" && seen[0]!.text === "answer 2";
      expect(new Set(seen.map(({ text }) => text))).toEqual(new Set([mayMiss ? "answer 2" : "answer 1"]));
      await until("the new answer is there", async () => (await ask(path)).text === "answer 2");
      expect(asked(path)).toBeLessThanOrEqual(tiers === "redis" ? 3 : 2);
    });

    it("whose answers are on their way when all is purged leaves nothing behind", async () => {
      const paths = Array.from({ length: 20 }, (_, index) => `${folder(tiers)}/filled/${index}`);
      let version = 1;
      let held: (() => void)[] | undefined = [];
      for (const path of paths)
        stage.on(path, (_request, response: ServerResponse) => {
          const body = `version ${version}`;
          response.writeHead(200, { "cache-control": "max-age=600", "content-length": body.length });
          // The head has gone out, and the body follows after the purge.
          response.flushHeaders();
          if (held === undefined) response.end(body);
          else held.push(() => response.end(body));
        });
      const early = Promise.all(paths.map((path) => crowd(5, path)));
      await until(
        "the origin was asked for each",
        () => new Set(stage.asked.filter((line) => line.includes(`${folder(tiers)}/filled/`))).size === 20,
      );
      version = 2;
      const purged = await fetch(`${served.url}/__postern/purge`, {
        method: "POST",
        headers: { authorization: `Bearer ${PURGE}` },
        body: JSON.stringify({ prefixes: [served.url + folder(tiers)] }),
      });
      expect(purged.status).toBe(200);
      const release = held;
      held = undefined;
      for (const end of release) end();
      const old = (await early).flat().map(({ text }) => text);
      expect(new Set(old)).toEqual(new Set(["version 1"]));
      // What came too late may still be on its way into a store.
      await pause(300);
      for (let round = 0; round < 2; round++) {
        const after = await Promise.all(paths.map((path) => ask(path)));
        expect(new Set(after.map(({ text }) => text))).toEqual(new Set(["version 2"]));
      }
      // The control: what was asked for after the purge is stored.
      const found = await Promise.all(paths.map((path) => ask(path)));
      expect(found.filter(({ cache }) => cache.includes("hit")).length).toBeGreaterThan(15);
    });
  });
});
