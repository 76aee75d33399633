import { rm } from "node:fs/promises";
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Failure, type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";
import { type Served, serve, writeWorkspace } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";

/** What a request may take whatever Redis does: a look-up and a lease of 50 ms each, and a very busy machine. */
const BUDGET_MS = 1000;

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly cacheStatus: string;
  readonly ms: number;
}

/** Asks under one name, which `fetch` would not let us choose: the processes differ in their ports. */
const ask = (
  gateway: Served,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    const fields = { host: "api.example.com", ...headers };
    const sent = request(`${gateway.url}${path}`, { headers: fields, method }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.once("error", reject).once("end", () =>
        resolve({
          status: response.statusCode!,
          text,
          cacheStatus: String(response.headers["cache-status"] ?? ""),
          ms: performance.now() - began,
        }),
      );
    });
    sent.once("error", reject).end();
  });

describeWithRedis("a cache in Redis, on plain workerd", () => {
  let redis: RedisOverHttp;
  let stage: Stage;
  let workspace: Awaited<ReturnType<typeof writeWorkspace>>;
  /** Three processes: two of one gateway, and one that has the wrong token. */
  let one: Served;
  let other: Served;
  let refused: Served;
  let paths = 0;

  /** A path that nobody has asked for yet. */
  const anew = (): string => {
    const path = `/p${++paths}.`;
    let times = 0;
    stage.on(path, (request, response) => {
      const fields = { "cache-control": "max-age=600", ...(request.headers["x-vary"] && { vary: "x-vary" }) };
      response.writeHead(200, fields).end(`answer ${++times}`);
    });
    return path;
  };
  const keysOf = async (path: string): Promise<readonly string[]> =>
    (await redis.command("KEYS", `*${path}*`)) as readonly string[];
  const store = async (path: string, headers: Record<string, string> = {}): Promise<void> => {
    await ask(one, path, headers);
    const count = headers["x-vary"] === undefined ? 1 : 2;
    await until("it is in Redis", async () => (await values(path)).length >= count);
  };
  /** Keys of entries and indices, without leases. */
  const values = async (path: string): Promise<readonly string[]> =>
    (await keysOf(path)).filter((key) => /:cache:[GV]/.test(key));
  const asked = (path: string): number => stage.asked.filter((it) => it === `GET ${path}`).length;
  /** What the other process finds in Redis. On a busy machine a look-up may take too long, and then another path is tried. */
  const foundByOther = async (
    candidates: () => Promise<string>,
    headers: Record<string, string> = {},
  ): Promise<{ path: string; found: Answer }> => {
    for (let time = 0; time < 10; time++) {
      const path = await candidates();
      const found = await ask(other, path, headers);
      if (found.cacheStatus.includes("detail=redis")) return { path, found };
    }
    throw new Error("nothing was found in Redis");
  };
  const stored = async (headers?: Record<string, string>): Promise<string> => {
    const path = anew();
    await store(path, headers);
    return path;
  };
  /** After failures, Redis is spared for a while. */
  const wellAgain = (): Promise<void> =>
    until("both use Redis", async () => {
      for (const [first, second] of [
        [one, other],
        [other, one],
      ] as const) {
        const path = anew();
        await ask(first, path);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (!(await ask(second, path)).cacheStatus.includes("detail=redis")) return false;
      }
      return true;
    });

  beforeAll(async () => {
    redis = await startRedisOverHttp();
    stage = await startStage();
    workspace = await writeWorkspace({
      files: {
        "gateway.yaml": `
gateway: { name: stored, hosts: { public: api.example.com }, clientIp: connection, stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } } }
upstreams: { stage: { targets: { only: { url: "${stage.url}", network: private } } } }
apis: { shop: { public: true, upstream: stage, policies: { cache: { tiers: [redis, isolate] } }, routes: { any: { match: { pathPrefix: / } } } } }
`,
      },
    });
    const start = (token: string): Promise<Served> =>
      serve({
        folders: workspace,
        args: ["--var", `REDIS_URL=${redis.url}`, "--var", `REDIS_TOKEN=${token}`],
      });
    one = await start(redis.token);
    other = await start(redis.token);
    refused = await start("another-token");
  });
  beforeEach(async () => {
    redis.failure = undefined;
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await redis.command("FLUSHALL");
    await wellAgain();
  });
  afterAll(async () => {
    for (const gateway of [one, other, refused]) expect(await gateway?.stop()).toBe(0);
    await stage?.stop();
    await redis?.stop();
    if (workspace !== undefined) await rm(workspace.folder, { recursive: true, force: true });
  });

  it("what one process stored, another finds, and then has it itself", async () => {
    const { path, found } = await foundByOther(stored);
    expect([found.status, found.text]).toEqual([200, "answer 1"]);
    expect(found.cacheStatus).toMatch(/^postern; hit; ttl=\d+; detail=redis$/);
    const { requests } = redis;
    expect((await ask(other, path)).cacheStatus).toContain("detail=isolate");
    expect([asked(path), redis.requests]).toEqual([1, requests]);
  });

  it("variants are told apart", async () => {
    const { path, found } = await foundByOther(() => stored({ "x-vary": "a" }), { "x-vary": "a" });
    expect(found.text).toBe("answer 1");
    expect((await ask(other, path, { "x-vary": "b" })).text).toBe("answer 2");
  });

  it("a change of the resource takes it out of Redis", async () => {
    const path = anew();
    await store(path);
    await ask(one, path, {}, "DELETE");
    await until("it is gone", async () => (await values(path)).length === 0);
    expect((await ask(other, path)).text).toBe("answer 3");
  });

  it.each<[string, Failure]>([
    ["is away", { kind: "away" }],
    ["never answers", { kind: "silent" }],
    ["is slow", { kind: "slow", delayMs: 1500 }],
    ["is replaced by a page", { kind: "rubbish", status: 200, body: "<html>" }],
    ["is replaced by a page that says it fails", { kind: "rubbish", status: 503, body: "no" }],
    ["answers what is no answer", { kind: "rubbish", status: 200, body: "[]" }],
    ["answers a number", { kind: "rubbish", status: 200, body: '{"result":1}' }],
    ["answers a text that is no base64", { kind: "rubbish", status: 200, body: '{"result":"***"}' }],
    ["answers bytes that are no entry", { kind: "rubbish", status: 200, body: '{"result":"AQAAAAB7fQ=="}' }],
    [
      "is overloaded",
      { kind: "rubbish", status: 429, body: '{"error":"ERR max daily request limit exceeded"}' },
    ],
  ])(
    "where Redis %s, requests are served from the origin, in time, and then from the isolate",
    async (_, failure) => {
      redis.failure = failure;
      for (let time = 0; time < 5; time++) {
        const path = anew();
        const first = await ask(one, path);
        expect([first.status, first.text]).toEqual([200, "answer 1"]);
        expect(first.ms).toBeLessThan(BUDGET_MS);
        const again = await ask(one, path);
        expect([again.text, again.cacheStatus.includes("detail=isolate")]).toEqual(["answer 1", true]);
        const changed = await ask(one, path, {}, "PUT");
        expect([changed.status, changed.ms < BUDGET_MS]).toEqual([200, true]);
      }
    },
  );

  it("where the token is wrong, requests are served from the origin, in time", async () => {
    for (let time = 0; time < 5; time++) {
      const path = anew();
      const first = await ask(refused, path);
      expect([first.status, first.text, first.ms < BUDGET_MS]).toEqual([200, "answer 1", true]);
      expect((await ask(refused, path)).cacheStatus).toContain("detail=isolate");
      expect(await keysOf(path)).toEqual([]);
    }
  });

  it("where Redis is full, what it has is found, and all else is served from the origin", async () => {
    const before = [await stored(), await stored(), await stored(), await stored(), await stored()];
    await redis.command("CONFIG", "SET", "maxmemory", "1mb");
    await redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
    for (let time = 0; time < 8; time++) {
      const full = anew();
      const first = await ask(other, full);
      expect([first.status, first.text, first.ms < BUDGET_MS]).toEqual([200, "answer 1", true]);
      expect(await values(full)).toEqual([]);
    }
    await foundByOther(async () => before.shift()!);
  });

  it.each<[string, (key: string) => Promise<unknown>]>([
    ["a list", async (key) => [await redis.command("DEL", key), await redis.command("LPUSH", key, "a")]],
    ["a text that is no base64", (key) => redis.command("SET", key, "***")],
    [
      "bytes that are no entry",
      (key) => redis.command("SET", key, Buffer.from("something").toString("base64")),
    ],
    [
      "an entry of another version",
      async (key) => {
        const bytes = Buffer.from((await redis.command("GET", key)) as string, "base64");
        bytes[0]! += 1;
        return redis.command("SET", key, bytes.toString("base64"));
      },
    ],
    [
      "an entry that was cut off",
      async (key) => {
        const bytes = Buffer.from((await redis.command("GET", key)) as string, "base64");
        return redis.command("SET", key, bytes.subarray(0, -1).toString("base64"));
      },
    ],
  ])("where %s is under its key, a request is served from the origin", async (_, spoil) => {
    for (const headers of [{}, { "x-vary": "a" }] as Record<string, string>[]) {
      const path = anew();
      await store(path, headers);
      for (const key of await values(path)) await spoil(key);
      const served = await ask(other, path, headers);
      expect([served.status, served.text, served.ms < BUDGET_MS]).toEqual([200, "answer 2", true]);
    }
    expect((await redis.command("PING")) as string).toBe("PONG");
  });
});
