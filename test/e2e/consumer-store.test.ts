import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeRedis, startRedis, TOKEN } from "../support/redis-rest.ts";
import { run, type Served, serve, writeWorkspace } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";

// Keys of consumers in Redis: made, used, listed and revoked while the gateway runs.

let redis: FakeRedis;
let stage: Stage;
let gateway: Served;
let workspace: Awaited<ReturnType<typeof writeWorkspace>>;
let secrets: readonly string[];

beforeAll(async () => {
  redis = await startRedis();
  stage = await startStage();
  secrets = ["--var", `REDIS_URL=${redis.url}`, "--var", `REDIS_TOKEN=${TOKEN}`];
  workspace = await writeWorkspace({
    files: {
      "gateway.yaml": `
gateway: { name: stored, hosts: { public: 127.0.0.1 }, clientIp: connection, stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } }, consumers: redis } }
plans: { gold: { rate: 1000/1m } }
consumers: { acme: { plan: gold, attributes: { tenant: acme } }, small: { plan: gold } }
upstreams: { stage: { targets: { only: { url: "${stage.url}", network: private } } } }
apis:
  shop:
    upstream: stage
    policies:
      apiKey: { forward: { x-consumer: name, x-tenant: attributes.tenant } }
      rateLimit: { limits: [{ name: plan, rate: plan, key: identity }] }
    routes: { any: { match: { path: /key } } }
`,
    },
  });
  gateway = await serve({ folders: workspace, args: secrets });
});

afterAll(async () => {
  expect(await gateway?.stop()).toBe(0);
  await stage?.stop();
  await redis?.stop();
  await rm(workspace.folder, { recursive: true, force: true });
});

const postern = (...args: string[]) => run(["key", ...args, "--policies", workspace.policies, ...secrets]);

/** Makes a key of a consumer with the command. */
const make = async (
  consumer: string,
  ...more: string[]
): Promise<{ key: string; id: string; sha256: string }> => {
  const { code, stdout, stderr } = await postern("new", consumer, "--format", "json", ...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout) as { key: string; id: string; sha256: string };
};

const ask = async (key: string): Promise<{ status: number; code: unknown }> => {
  const response = await fetch(`${gateway.url}/key`, { headers: { "x-api-key": key } });
  const text = await response.text();
  return {
    status: response.status,
    code: text === "" ? undefined : (JSON.parse(text) as { code: unknown }).code,
  };
};

describe("a key in Redis", () => {
  it("is good once it is made, and brings its consumer along; the store never sees the key", async () => {
    const { key, id, sha256 } = await make("acme");
    expect(id).toBe("k1");
    expect(await ask(key)).toEqual({ status: 200, code: undefined });
    const fields = new Map(stage.last().fields);
    expect([fields.get("x-consumer"), fields.get("x-tenant")]).toEqual(["acme", "acme"]);
    expect(JSON.stringify(redis.asked)).toContain(sha256);
    expect(JSON.stringify(redis.asked)).not.toContain(key);
  });

  it("is asked for once, however often it comes", async () => {
    const { key, sha256 } = await make("acme");
    redis.delayMs = 50;
    const together = await Promise.all(Array.from({ length: 20 }, () => ask(key)));
    redis.delayMs = 0;
    await ask(key);
    expect(together.every(({ status }) => status === 200)).toBe(true);
    expect(redis.asked.filter(([name, at]) => name === "get" && at!.endsWith(sha256))).toHaveLength(1);
  });

  it("is refused when it is over, or nobody's", async () => {
    const { key } = await make("acme", "--expires", "2020-01-01");
    expect(await ask(key)).toEqual({ status: 401, code: "key-expired" });
    expect(await ask("a-key-of-nobody-0123456789")).toEqual({ status: 401, code: "key-unknown" });
  });

  it("is listed and revoked by the command", async () => {
    const { key, id } = await make("small", "--prefix", "shop");
    expect(key).toMatch(/^postern_shop_/);
    const listed = await postern("list", "small");
    expect(listed.stdout).toMatch(/^consumer +id .*\nsmall +k1 +[0-9a-f]{8}… +gold +- +good +redis\n$/);
    expect((await postern("revoke", "small", id)).stdout).toContain(
      "from Redis. It is refused within a minute.",
    );
    expect((await postern("list", "small")).stdout).toBe("There are no keys.\n");
    expect(await ask(key)).toEqual({ status: 401, code: "key-unknown" });
    expect(await postern("revoke", "small", id)).toMatchObject({ code: 2 });
  });

  it.each([
    ["of a consumer whom the policies do not describe", ["new", "gone"], 'There is no consumer "gone".'],
    ["of an id that there is", ["new", "acme", "--id", "k1"], '"acme" has a key "k1" already.'],
  ])("is not made: %s", async (_, args, message) => {
    const { code, stdout, stderr } = await postern(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("is not made where Redis does not let us in", async () => {
    const args = ["--policies", workspace.policies, "--var", `REDIS_URL=${redis.url}`];
    const wrong = await run(["key", "list", ...args, "--var", "REDIS_TOKEN=wrong"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("Redis does not answer") });
    const without = await run(["key", "list", ...args]);
    expect(without.stderr).toContain("REDIS_TOKEN is not set");
  });
});

it("while Redis is away, keys that were just used are good, and of others nobody can say", async () => {
  const [used, fresh] = [await make("acme"), await make("acme")];
  expect((await ask(used.key)).status).toBe(200);
  redis.status = 500;
  expect(await ask(used.key)).toEqual({ status: 200, code: undefined });
  expect(await ask(fresh.key)).toEqual({ status: 503, code: "consumers-unavailable" });
  redis.status = undefined;
  await until("the gateway asks again", async () => (await ask(fresh.key)).status === 200);
  redis.delayMs = 5000;
  const slow = await strangeKey();
  const begun = Date.now();
  expect((await ask(slow)).status).toBe(503);
  expect(Date.now() - begun).toBeLessThan(2000);
  redis.delayMs = 0;
});

/** A well-formed key that nobody has asked for. */
const strangeKey = async (): Promise<string> => {
  const { stdout } = await run(["key", "new"]);
  return stdout.split("\n")[0]!;
};
