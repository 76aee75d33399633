import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";
import { type Served, serve } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";

const limits = (text: string, more = ""): string =>
  `{ rateLimit: { limits: [{ name: it, rate: 30/1h, key: host, store: redis${text} }]${more} } }`;

describeWithRedis("two processes of one gateway that count in one Redis", () => {
  let redis: RedisOverHttp;
  let stage: Stage;
  let gateways: readonly Served[] = [];

  const policies = (): string => `
gateway: { name: counted, hosts: { public: 127.0.0.1 }, clientIp: connection, stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } } }
plans: { anonymous: { rate: 30/1h } }
issuers: { jobs: { issuer: jobs, audiences: [shop], algorithms: [HS256], secret: { env: SECRET }, plan: anonymous } }
upstreams: { stage: { targets: { only: { url: "${stage.url}", network: private } } } }
apis:
  open:
    public: true
    upstream: stage
    routes:
      sliding: { match: { path: /sliding }, policies: ${limits("")} }
      fixed: { match: { path: /fixed }, policies: ${limits(", algorithm: fixedWindow")} }
      bucket: { match: { path: /bucket }, policies: ${limits(", algorithm: tokenBucket")} }
      quota: { match: { path: /quota }, policies: { quota: { limits: [{ name: it, quota: 30/year, key: host, store: redis }] } } }
      memory: { match: { path: /memory }, policies: ${limits("")} }
      open: { match: { path: /open }, policies: ${limits("", ", onStoreFailure: allow")} }
      closed: { match: { path: /closed }, policies: ${limits("", ", onStoreFailure: refuse")} }
  closed:
    upstream: stage
    policies: { jwt: {}, identity: { any: [jwt, anonymous] } }
    routes:
      plan: { match: { path: /plan }, policies: { rateLimit: { limits: [{ name: plan, rate: plan, key: identity, store: redis }] } } }
      guessing: { match: { path: /guessing }, policies: { rateLimit: { limits: [{ name: guessing, rate: 3/1h, key: ip, count: auth-failures, store: redis }] } } }
`;

  beforeAll(async () => {
    redis = await startRedisOverHttp();
    stage = await startStage();
    const vars = { REDIS_URL: redis.url, REDIS_TOKEN: redis.token, SECRET: "s".repeat(32) };
    const args = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}=${value}`]);
    const files = { "gateway.yaml": policies() };
    gateways = await Promise.all([serve({ files, args }), serve({ files, args })]);
  });
  beforeEach(async () => {
    redis.failure = undefined;
    await redis.command("FLUSHALL");
    await until("both count in Redis again", async () => {
      const before = redis.requests;
      await Promise.all(gateways.map(({ url }) => fetch(`${url}/sliding`)));
      return redis.requests - before === 2;
    });
    await redis.command("FLUSHALL");
  });
  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await stage?.stop();
    await redis?.stop();
  });

  /** So many requests at once, to one process and the other by turns: how often each status came. */
  const atOnce = async (
    count: number,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Record<string, number>> => {
    const answers = await Promise.all(
      Array.from({ length: count }, (_, index) => fetch(`${gateways[index % 2]!.url}${path}`, { headers })),
    );
    const statuses: Record<string, number> = {};
    for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
    return statuses;
  };

  it.each(["/sliding", "/fixed", "/bucket", "/plan", "/quota"])(
    "let exactly as many of a hundred requests at once pass as the limit has (S34): %s",
    async (path) => {
      const before = stage.asked.length;
      expect(await atOnce(100, path)).toEqual({ 200: 30, 429: 70 });
      expect(stage.asked.length - before).toBe(30);
    },
  );

  it("lock who guesses out of both", async () => {
    const wrong = { authorization: "Bearer wrong" };
    for (const gateway of [0, 1, 0])
      expect((await fetch(`${gateways[gateway]!.url}/guessing`, { headers: wrong })).status).toBe(401);
    await until("the third is charged", async () => (await atOnce(2, "/guessing"))["429"] === 2);
  });

  it.each([
    ["each counts for itself", "/memory", { 200: 60, 429: 40 }],
    ["the limit does not hold where it says so", "/open", { 200: 100 }],
    ["nobody passes where it says so", "/closed", { 503: 100 }],
  ] as const)("while Redis is away, %s", async (_, path, statuses) => {
    redis.failure = { kind: "away" };
    expect(await atOnce(100, path)).toEqual(statuses);
  });

  it("while Redis is silent, a request waits for half a second, and soon none does", async () => {
    redis.failure = { kind: "silent" };
    expect(await atOnce(6, "/memory")).not.toHaveProperty("503");
    const began = performance.now();
    await atOnce(10, "/open");
    expect(performance.now() - began).toBeLessThan(400);
  });
});
