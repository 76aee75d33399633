import { rm } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";
import { run, type Served, serve, writeWorkspace } from "../support/served.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";

// Purges of a running gateway, in its production bundle on plain workerd: by the control route, the command and the policy.

const TOKEN = "a-token-that-purges";
const CONTROL = "a-token-that-shows";
const HOST = "127.0.0.1";

/** How often the stage was asked, which is in each of its answers; so two answers are the same only if one was stored. */
let stage: Stage;
let asked = 0;

const policies = (stores = "", routes = ""): string => `
gateway:
  name: purging
  hosts: { public: ${HOST} }
  clientIp: connection
  control: { token: { env: CONTROL_TOKEN }, purgeToken: { env: PURGE_TOKEN } }
  ${stores}
upstreams: { stage: { targets: { only: { url: "${stage.url}", network: private } } } }
apis:
  shop:
    public: true
    upstream: stage
    policies: { cache: { ttl: 10m } }
    routes:
      any: { match: { pathPrefix: /, methods: [GET] } }
      order: { match: { path: "/orders/{id}", methods: [GET] }, policies: { cache: { ttl: 10m, tags: [orders, "order:{params.id}"] } } }
      write: { match: { path: "/orders/{id}", methods: [POST, DELETE] }, policies: { purge: { tags: ["order:{params.id}"], urls: ["/lists/{params.id}?by=date"], prefixes: ["/views/{params.id}"] } } }
      ${routes}
      batch: { match: { path: /batch, methods: [POST] }, policies: { purge: { tagsFrom: { body: /items, as: "order:{value}", max: 2 } } } }
`;

const SECRETS = ["--var", `CONTROL_TOKEN=${CONTROL}`, "--var", `PURGE_TOKEN=${TOKEN}`];

beforeAll(async () => {
  stage = await startStage();
  for (const path of [
    "/vary",
    "/orders",
    "/ordersX",
    "/orders/1",
    "/orders/2",
    "/orders/1/items",
    "/orders/3%2F4",
    "/lists/1",
    "/views/1/a",
    "/views/1",
    "/views/10",
    "/far",
  ])
    stage.on(path, (request, response) => {
      asked++;
      response.setHeader("x-asked", String(asked));
      if (path === "/vary") response.setHeader("vary", "accept-language");
      const status = request.method === "GET" ? 200 : Number(request.headers["x-status"] ?? 201);
      request.resume().once("end", () => response.writeHead(status).end(`answer ${asked}`));
    });
  stage.on("/batch", (request, response) => {
    request.resume().once("end", () => response.writeHead(201).end());
  });
});
afterAll(() => stage.stop());

/** Which answer of the stage a GET brings. */
const get = async (
  { url }: Served,
  path: string,
  fields: Record<string, string> = {},
): Promise<string | null> => {
  const response = await fetch(url + path, { headers: fields });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  return response.headers.get("x-asked");
};

const post = async (served: Served, body: unknown, token = TOKEN) => {
  const response = await fetch(`${served.url}/__postern/purge`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};

describe("a gateway without Redis", () => {
  let gateway: Served;
  let own: string;

  beforeAll(async () => {
    gateway = await serve({ files: { "gateway.yaml": policies() }, args: SECRETS });
    own = `http://${HOST}:${gateway.port}`;
  });
  afterAll(async () => expect(await gateway.stop()).toBe(0));

  it("is told by a warning that its purges stay in one isolate, at each place", async () => {
    expect(gateway.output().match(/warning purge-stays-here/g)).toHaveLength(3);
  });

  const PATHS = [
    "/orders",
    "/ordersX",
    "/orders/1",
    "/orders/2",
    "/orders/1?b=2&a=1",
    "/orders/1/items",
    "/vary",
  ];

  it.each<[string, Record<string, unknown>, readonly string[]]>([
    ["a tag of one", { tags: ["order:1"] }, ["/orders/1", "/orders/1?b=2&a=1"]],
    ["a tag of several", { tags: ["orders"] }, ["/orders/1", "/orders/2", "/orders/1?b=2&a=1"]],
    ["a tag that none has", { tags: ["order"] }, []],
    ["a URL, with whatever query", { urls: ["{own}/orders/1"] }, ["/orders/1", "/orders/1?b=2&a=1"]],
    [
      "a URL in another spelling",
      { urls: ["HTTP://{host}/x/../orders//%31"] },
      ["/orders/1", "/orders/1?b=2&a=1"],
    ],
    ["a URL with a query, in any order", { urls: ["{own}/orders/1?a=1&b=2"] }, ["/orders/1?b=2&a=1"]],
    ["a URL with another query", { urls: ["{own}/orders/1?a=1"] }, []],
    ["a URL of another host", { urls: ["http://other.example.com/orders/1"] }, []],
    [
      "a prefix, by segments",
      { prefixes: ["{own}/orders"] },
      ["/orders", "/orders/1", "/orders/2", "/orders/1?b=2&a=1", "/orders/1/items"],
    ],
    [
      "a prefix with a slash",
      { prefixes: ["{own}/orders/1/"] },
      ["/orders/1", "/orders/1?b=2&a=1", "/orders/1/items"],
    ],
    ["a prefix of the host", { prefixes: ["{own}"] }, PATHS],
    ["a prefix of another host", { prefixes: ["http://other.example.com"] }, []],
    ["everything", { everything: true }, PATHS],
    ["several at once", { tags: ["order:2"], urls: ["{own}/vary"] }, ["/orders/2", "/vary"]],
  ])("purges %s, and nothing else", async (_, wanted, gone) => {
    const before = new Map<string, string | null>();
    for (const path of PATHS) before.set(path, await get(gateway, path));
    for (const path of PATHS) expect([path, await get(gateway, path)]).toEqual([path, before.get(path)]);
    const text = JSON.stringify(wanted).replaceAll("{own}", own).replaceAll("{host}", own.slice(7));
    const answer = await post(gateway, text);
    expect([answer.status, answer.body["everywhere"]]).toEqual([200, false]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const changed: string[] = [];
    for (const path of PATHS) if ((await get(gateway, path)) !== before.get(path)) changed.push(path);
    expect(changed).toEqual(gone);
  });

  it("purges all variants of a URL", async () => {
    const languages = ["de", "en", "fr"].map((language) => ({ "accept-language": language }));
    const ask = () => Promise.all(languages.map((fields) => get(gateway, "/vary", fields)));
    const before = await ask();
    expect(await ask()).toEqual(before);
    expect((await post(gateway, { urls: [`${own}/vary`] })).status).toBe(200);
    const after = await ask();
    for (const [index, answer] of after.entries()) expect(answer).not.toBe(before[index]);
    expect(await ask()).toEqual(after);
  });

  it.each<[string, number, boolean]>([
    ["201", 201, true],
    ["303", 303, true],
    ["422", 422, false],
    ["500", 500, false],
  ])("by its policy purges after a POST that is answered with %s: %s", async (_, status, purges) => {
    const paths = ["/orders/1", "/lists/1?by=date", "/views/1/a", "/views/1"];
    const others = ["/orders/2", "/lists/1?by=name", "/views/10"];
    const ask = () => Promise.all([...paths, ...others].map((path) => get(gateway, path)));
    const before = await ask();
    expect(await ask()).toEqual(before);
    const response = await fetch(`${gateway.url}/orders/1`, {
      method: "POST",
      headers: { "x-status": String(status) },
      redirect: "manual",
    });
    expect(response.status).toBe(status);
    const after = await ask();
    for (const [index] of paths.entries()) expect(after[index] !== before[index]).toBe(purges);
    expect(after.slice(paths.length)).toEqual(before.slice(paths.length));
  });

  it.each<[string, string, readonly boolean[]]>([
    ["a list, as far as it goes", '{"items":[1,"2",3]}', [true, true]],
    ["one value", '{"items":2}', [false, true]],
    ["nothing of that name", '{"other":[1]}', [false, false]],
    ["no JSON", "items", [false, false]],
    ["nothing", "", [false, false]],
  ])("by its policy purges what a body names: %s", async (_, body, gone) => {
    const ask = () => Promise.all(["/orders/1", "/orders/2"].map((path) => get(gateway, path)));
    const before = await ask();
    const response = await fetch(`${gateway.url}/batch`, { method: "POST", ...(body !== "" && { body }) });
    expect(response.status).toBe(201);
    const after = await ask();
    expect(after.map((answer, index) => answer !== before[index])).toEqual(gone);
  });

  it("answers a body that is too large to be read with 413", async () => {
    const response = await fetch(`${gateway.url}/batch`, {
      method: "POST",
      body: "x".repeat(1024 * 1024 + 1),
    });
    expect(response.status).toBe(413);
  });

  const purge = (...args: string[]) =>
    run(["purge", "--gateway", gateway.url, "--token-env", "PURGE", ...args]);

  it("is purged by the command, for people and for machines", async () => {
    const before = await get(gateway, "/orders/1");
    const one = await purge("--var", `PURGE=${TOKEN}`, "--tag", "order:1");
    expect(one).toEqual({
      code: 0,
      stdout:
        "Purged 1 scope in the isolate that answered alone: the gateway names no Redis by which others learn of it.\n",
      stderr: "",
    });
    expect(await get(gateway, "/orders/1")).not.toBe(before);
    const more = ["--tag", "a", "--tag", "b", "--prefix", `${own}/a`, "--url", `${own}/b`, "--everything"];
    const machines = await purge("--var", `PURGE=${TOKEN}`, ...more, "--format", "json");
    expect(machines).toMatchObject({ code: 0, stdout: '{"purged":5,"everywhere":false}\n' });
  });

  it.each<[string, readonly string[], RegExp]>([
    ["without anything to purge", ["--var", `PURGE=${TOKEN}`], /Nothing is said to be purged/],
    ["without a token", ["--everything"], /The token PURGE is not set/],
    [
      "with a wrong token",
      ["--var", "PURGE=wrong", "--everything"],
      /does not purge for this token, or not at all \(405\)/,
    ],
    [
      "with a wrong URL",
      ["--var", `PURGE=${TOKEN}`, "--url", "/orders"],
      /--url \(number 1\): Write an absolute URL/,
    ],
  ])("is not purged by the command %s", async (_, args, message) => {
    const before = await get(gateway, "/orders/1");
    const ran = await purge(...args);
    expect([ran.code, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toMatch(message);
    expect(await get(gateway, "/orders/1")).toBe(before);
  });

  it("the command says when nobody answers", async () => {
    const ran = await run([
      "purge",
      "--gateway",
      "http://127.0.0.1:9",
      "--token-env",
      "PURGE",
      "--var",
      "PURGE=x",
      "--everything",
    ]);
    expect(ran).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("http://127.0.0.1:9 does not answer."),
    });
    const wrong = await run(["purge", "--gateway", "shop", "--token-env", "PURGE", "--everything"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("Write scheme and host") });
  });
});

describeWithRedis("two gateways that share Redis", () => {
  let redis: RedisOverHttp;
  let workspace: Awaited<ReturnType<typeof writeWorkspace>>;
  let gateways: readonly [Served, Served];

  const start = () =>
    serve({
      folders: workspace,
      args: [...SECRETS, "--var", `REDIS_URL=${redis.url}`, "--var", `REDIS_TOKEN=${redis.token}`],
    });

  /** A gateway reads the log with its first request, which waits for 50 ms at most: a busy machine may take longer. */
  const warmUp = async (gateway: Served): Promise<void> => {
    const before = redis.requests;
    await get(gateway, "/vary");
    await until("it has asked for the log", () => redis.requests > before);
    await new Promise((resolve) => setTimeout(resolve, 300));
  };

  beforeAll(async () => {
    redis = await startRedisOverHttp();
    const stores = "stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }";
    const far =
      "far: { match: { path: /far, methods: [GET] }, policies: { cache: { ttl: 10m, tiers: [isolate, redis], tags: [far] } } }";
    workspace = await writeWorkspace({ files: { "gateway.yaml": policies(stores, far) } });
    gateways = [await start(), await start()];
    for (const gateway of gateways) await warmUp(gateway);
  });
  beforeEach(() => {
    redis.failure = undefined;
  });
  afterAll(async () => {
    for (const gateway of gateways ?? []) expect(await gateway.stop()).toBe(0);
    await redis?.stop();
    if (workspace !== undefined) await rm(workspace.folder, { recursive: true, force: true });
  });

  it("compile without a word", () => {
    for (const gateway of gateways) expect(gateway.output()).not.toMatch(/warning|error/);
  });

  it.each<[string, (gateway: Served) => Promise<void>]>([
    [
      "by the control route",
      async (gateway) => {
        const { status, body } = await post(gateway, { tags: ["order:1"] });
        expect([status, body]).toEqual([200, { purged: 1, everywhere: true, within: "5s" }]);
      },
    ],
    [
      "by the policy",
      async ({ url }) => expect((await fetch(`${url}/orders/1`, { method: "POST" })).status).toBe(201),
    ],
  ])("a purge at one %s holds there at once, and at the other within five seconds", async (_, purge) => {
    const [one, other] = gateways;
    const before = await Promise.all([
      get(one, "/orders/1"),
      get(other, "/orders/1"),
      get(other, "/orders/2"),
    ]);
    await purge(one);
    const purgedMs = Date.now();
    expect(await get(one, "/orders/1")).not.toBe(before[0]);
    await until("the other has learned of it", async () => (await get(other, "/orders/1")) !== before[1]);
    expect(Date.now() - purgedMs).toBeLessThan(5500);
    expect(await get(other, "/orders/2")).toBe(before[2]);
  });

  it("what is kept in Redis is gone too, at once where it was purged, and for a gateway that begins after that", async () => {
    const [one, other] = gateways;
    const before = await get(one, "/far");
    await until("it is in Redis", async () => String(await redis.command("KEYS", "*/far*")) !== "");
    const there = await get(other, "/far");
    expect((await post(one, { tags: ["far"] })).status).toBe(200);
    const third = await start();
    await warmUp(third);
    expect(await get(third, "/far")).not.toBe(before);
    expect(await third.stop()).toBe(0);
    expect(await get(one, "/far")).not.toBe(before);
    await until("the other has learned of it", async () => (await get(other, "/far")) !== there);
  });

  it("a gateway that was asked nothing for long does not answer with what was purged meanwhile", async () => {
    const [one, other] = gateways;
    const before = await get(other, "/orders/2");
    expect((await post(one, { tags: ["order:2"] })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 5100));
    // At once, unless the machine is too busy for the 50 ms that the first request waits.
    await until("it has learned of it", async () => (await get(other, "/orders/2")) !== before, 1000);
  });

  it("under steady traffic, each reads the log once in 2.5 seconds, whatever it is asked", async () => {
    const [one] = gateways;
    await get(one, "/orders/1");
    const before = redis.requests;
    const beganMs = Date.now();
    while (Date.now() - beganMs < 3000) await get(one, "/orders/1");
    expect(redis.requests - before).toBeLessThanOrEqual(2);
    expect(redis.requests - before).toBeGreaterThan(0);
  });

  it("while Redis is away a purge holds where it was asked, and the answer and the command say that it does so there alone", async () => {
    const [one] = gateways;
    const before = await get(one, "/orders/1");
    redis.failure = { kind: "away" };
    const { status, body } = await post(one, { tags: ["order:1"] });
    expect([status, body["code"]]).toEqual([503, "purge-not-told"]);
    const after = await get(one, "/orders/1");
    expect(after).not.toBe(before);
    expect(await get(one, "/orders/1")).toBe(after);
    const ran = await run([
      "purge",
      "--gateway",
      one.url,
      "--token-env",
      "P",
      "--var",
      `P=${TOKEN}`,
      "--everything",
    ]);
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining("holds in one isolate alone") });
    expect((await fetch(`${one.url}/orders/1`, { method: "POST" })).status).toBe(201);
    await until("it is logged", () => one.output().includes("the others could not be told"));
    redis.failure = undefined;
    await until("it purges again", async () => (await post(one, { tags: ["order:1"] })).status === 200);
  });

  it("while Redis is silent nobody waits for it, but for a few at first", async () => {
    const [one] = gateways;
    await get(one, "/orders/2");
    await new Promise((resolve) => setTimeout(resolve, 5100));
    redis.failure = { kind: "silent" };
    const waits: number[] = [];
    const untilMs = Date.now() + 4500;
    while (Date.now() < untilMs) {
      const beganMs = performance.now();
      await get(one, "/orders/2");
      waits.push(performance.now() - beganMs);
    }
    expect(Math.max(...waits)).toBeLessThan(400);
    expect(waits.filter((wait) => wait > 45).length).toBeLessThan(waits.length / 20);
  });

  it("when Redis loses its data, what was purged before stays so, and what is purged then is", async () => {
    const [one, other] = gateways;
    redis.failure = undefined;
    await until("it purges", async () => (await post(one, { everything: true })).status === 200);
    await redis.command("FLUSHALL");
    const before = await get(other, "/orders/1");
    expect((await post(one, { tags: ["order:1"] })).status).toBe(200);
    await until("the other has learned of it", async () => (await get(other, "/orders/1")) !== before);
  });
});
