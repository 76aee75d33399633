import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { bundleWorker } from "../../src/adapters/node/bundle.ts";
import { configText } from "../../src/adapters/node/workerd.ts";
import { LOOK_UP_MS } from "../../src/adapters/upstash/store.ts";
import { compiledApis, planOf } from "../support/compiling.ts";
import { type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";
import { freePort } from "../support/served.ts";
import { ROOT } from "./project.ts";
import { until } from "./until.ts";

const WORKERD = path.join(ROOT, "node_modules/workerd/bin/workerd");

describeWithRedis("the ports to Redis on plain workerd, where Redis has a private address", () => {
  let redis: RedisOverHttp;
  let folder: string;
  let origin: string;
  let running: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const port = await freePort();
    const secrets = { REDIS_URL: redis.url, REDIS_TOKEN: redis.token };
    const config = path.join(folder, "workerd.capnp");
    const plan = planOf(compiledApis(""));
    const worker = path.join(folder, "worker.js");
    const bindings = { ORDERS: "127.0.0.1:9" };
    await writeFile(config, configText({ plan, worker, host: "127.0.0.1", port, secrets, bindings }));
    const named = Object.entries(secrets).map(([name, value]) => [`POSTERN_SECRET_${name}`, value]);
    running = spawn(WORKERD, ["serve", config], {
      stdio: "inherit",
      env: { ...process.env, ...Object.fromEntries(named) },
    });
    origin = `http://127.0.0.1:${port}`;
    const answers = () =>
      fetch(`${origin}/__postern/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    await until("it answers", answers);
  };

  const stop = async (): Promise<void> => {
    if (running === undefined || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running!.once("exit", resolve));
    running.kill("SIGKILL");
    await gone;
    running = undefined;
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "postern-redis-worker-"));
    await bundleWorker(path.join(import.meta.dirname, "redis-worker.ts"), path.join(folder, "worker.js"));
    redis = await startRedisOverHttp();
  });
  beforeEach(async () => {
    await stop();
    redis.failure = undefined;
    await redis.command("FLUSHALL");
    await start();
  });
  afterAll(async () => {
    await stop();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (key: string, method = "GET", body?: Uint8Array<ArrayBuffer>): Promise<Response> =>
    fetch(`${origin}/${key}`, { method, ...(body && { body }) });

  const put = async (key: string, body: Uint8Array<ArrayBuffer>): Promise<void> => {
    await ask(key, "PUT", body);
    await until("the value is in Redis", async () => (await redis.command("DBSIZE")) !== 0);
  };

  it("gives back the very bytes or nothing, to many requests at once", async () => {
    const bytes = Uint8Array.from({ length: 40_000 }, (_, index) => index * 7);
    await put("a", bytes);
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask("a")));
    // On a busy machine, some of so many are not there in time.
    const found = answers.filter(({ status }) => status === 200);
    expect(found.length).toBeGreaterThan(0);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(100 - found.length);
    for (const answer of found) expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
    await ask("a", "DELETE");
    expect((await ask("a")).status).toBe(404);
  });

  it.each([
    ["never answers", { kind: "silent" }],
    ["is slow", { kind: "slow", delayMs: 400 }],
    ["is away", { kind: "away" }],
  ] as const)(
    "where Redis %s, a request has waited for its budget, three have been in vain, and then none waits",
    async (_, failure) => {
      await put("a", new Uint8Array([1]));
      expect((await ask("a")).status).toBe(200);
      redis.failure = failure;
      const before = redis.requests;
      for (let time = 0; time < 3; time++) {
        const began = performance.now();
        expect((await ask("a")).status).toBe(404);
        expect(performance.now() - began).toBeLessThan(LOOK_UP_MS + 150);
      }
      expect(redis.requests - before).toBe(3);
      for (let time = 0; time < 20; time++) expect((await ask("a")).status).toBe(404);
      expect(redis.requests - before).toBe(3);
      redis.failure = undefined;
      await until("it is asked again", async () => (await ask("a")).status === 200);
    },
  );

  it("a client that goes away in the middle of a look-up harms nobody else", async () => {
    await put("a", new Uint8Array([1]));
    redis.failure = { kind: "slow", delayMs: 30 };
    const gone = Array.from({ length: 20 }, () =>
      fetch(`${origin}/a`, { signal: AbortSignal.timeout(10) }).catch(() => undefined),
    );
    await Promise.all(gone);
    redis.failure = undefined;
    expect((await ask("a")).status).toBe(200);
  });

  it("of a hundred requests at once exactly so many pass as the limit has", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask("a", "POST")));
    const passed = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    expect([passed.length, refused.length]).toEqual([20, 80]);
  });
});
