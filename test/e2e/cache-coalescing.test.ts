import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RedisOverHttp, startRedisOverHttp } from "../support/redis/rest.ts";
import { describeWithRedis } from "../support/redis/server.ts";
import { type Served, serve } from "../support/served.ts";
import { type Handle, type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { dial, requestText } from "./wire.ts";

// Many who ask for the same at once, against the production bundle on plain workerd.

const CACHES = {
  plain: "{ tiers: [isolate] }",
  lenient: "{ tiers: [isolate], staleIfError: 1m }",
  window: "{ tiers: [isolate], staleIfError: 2s }",
  each: "{ tiers: [isolate], coalesce: false }",
} as const;

const files = (stage: Stage, caches: Readonly<Record<string, string>>, more = "") => ({
  "a.yaml": `
gateway: { name: crowd, hosts: { public: 127.0.0.1 }${more} }
upstreams: { stage: { targets: { only: { url: "${stage.url}", network: private } }, timeout: 20s } }
apis:
  crowd:
    public: true
    upstream: stage
    routes:
${Object.entries(caches)
  .map(([name, cache]) => `      ${name}: { match: { pathPrefix: /${name} }, policies: { cache: ${cache} } }`)
  .join("\n")}
`,
});

interface Seen {
  readonly status: number;
  readonly text: string;
  readonly cache: string;
  readonly tookMs: number;
}

const ask = async (url: string, headers: Record<string, string> = {}): Promise<Seen> => {
  const began = performance.now();
  const response = await fetch(url, { headers });
  const text = await response.text();
  const cache = response.headers.get("cache-status") ?? "";
  return { status: response.status, text, cache, tookMs: performance.now() - began };
};

const crowd = (
  size: number,
  url: string,
  headers?: (index: number) => Record<string, string>,
): Promise<Seen[]> => Promise.all(Array.from({ length: size }, (_, index) => ask(url, headers?.(index))));

/** How often each came. */
const counted = (values: readonly (string | number)[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

/** Answers after a while, each time with another number in the body. */
const slow = (afterMs: number, fields: Record<string, string>, status = 200): Handle => {
  let number = 0;
  return (request, response) => {
    const own = ++number;
    // Its Date counts whole seconds: of a lifetime of one second, that may leave nothing.
    response.sendDate = false;
    setTimeout(() => {
      const same = fields.etag !== undefined && request.headers["if-none-match"] === fields.etag;
      response.writeHead(same ? 304 : status, fields).end(same ? undefined : `answer ${own}`);
    }, afterMs);
  };
};

let stage: Stage;
let served: Served;
let turn = 0;
let path: string;

/** Hangs up. */
const down: Handle = (request) => void request.socket.destroy();

/** What the stage was asked for under the path of this test. */
const asked = (): number => stage.asked.filter((line) => line.endsWith(path)).length;

beforeAll(async () => {
  stage = await startStage();
  served = await serve({ files: files(stage, CACHES) });
}, 120_000);
afterAll(async () => {
  expect(await served.stop()).toBe(0);
  await stage.stop();
});
beforeEach(() => {
  path = `/plain/${++turn}`;
});

describe("many who ask at once for what is not stored", () => {
  it("500 clients of one cold key get the answer to one request", async () => {
    stage.on(path, slow(500, { "cache-control": "max-age=600" }));
    const answers = await crowd(500, served.url + path);
    expect(asked()).toBe(1);
    expect(counted(answers.map(({ text }) => text))).toEqual({ "answer 1": 500 });
    const collapsed = answers.filter(({ cache }) => cache === "postern; fwd=miss; fwd-status=200; collapsed");
    expect(collapsed.length).toBeGreaterThan(400);
  });

  it("500 clients of an entry that has ended get what one revalidation says", async () => {
    const headers = { "cache-control": "max-age=1, must-revalidate", etag: '"a"' };
    stage.on(path, slow(500, headers));
    expect((await ask(served.url + path)).text).toBe("answer 1");
    stage.on(path, down);
    await until("it has ended", async () => (await ask(served.url + path)).status === 504);
    const before = asked();
    stage.on(path, slow(500, { ...headers, "cache-control": "max-age=600, must-revalidate" }));
    const answers = await crowd(500, served.url + path);
    expect(asked() - before).toBe(1);
    expect(counted(answers.map(({ text }) => text))).toEqual({ "answer 1": 500 });
  });

  it("each gets what it asked for of the answer", async () => {
    stage.on(path, slow(500, { "cache-control": "max-age=600", etag: '"a"' }));
    const leader = ask(served.url + path);
    await until("it was asked", () => asked() === 1);
    const [whole, part, same] = await Promise.all([
      ask(served.url + path),
      ask(served.url + path, { range: "bytes=0-2" }),
      ask(served.url + path, { "if-none-match": '"a"' }),
    ]);
    expect([await leader, whole, part, same].map(({ status, text }) => [status, text])).toEqual([
      [200, "answer 1"],
      [200, "answer 1"],
      [206, "ans"],
      [304, ""],
    ]);
    expect(asked()).toBe(1);
  });

  it("a body that comes in pieces is waited for, too", async () => {
    stage.on(path, (_request, response) => {
      response.writeHead(200, { "cache-control": "max-age=600" });
      for (let piece = 0; piece < 10; piece++)
        setTimeout(() => response.write("x".repeat(50_000)), piece * 50);
      setTimeout(() => response.end(), 600);
    });
    const answers = await crowd(50, served.url + path);
    expect(asked()).toBe(1);
    expect(counted(answers.map(({ text }) => text.length))).toEqual({ 500000: 50 });
  });

  it("variants do not mix", async () => {
    stage.on(path, (request, response) => {
      const language = request.headers["accept-language"];
      setTimeout(
        () =>
          response.writeHead(200, { "cache-control": "max-age=600", vary: "accept-language" }).end(language),
        200,
      );
    });
    const languages = ["de", "en", "fr"];
    const answers = await crowd(90, served.url + path, (index) => ({
      "accept-language": languages[index % 3]!,
    }));
    expect(answers.map(({ text }, index) => text === languages[index % 3])).not.toContain(false);
    expect(asked()).toBe(3);
  });

  it("where the policy says so, each goes to the upstream", async () => {
    path = `/each/${turn}`;
    stage.on(path, slow(200, { "cache-control": "max-age=600" }));
    await crowd(20, served.url + path);
    expect(asked()).toBe(20);
  });
});

describe("a leader whose client leaves", () => {
  it.each([
    ["before the header", true, 100_000],
    ["before a small body", false, 1000],
    ["in the middle of a large body", false, 100_000],
  ])("%s: the others get the answer to its request", async (_when, holdsHeader, size) => {
    const left = Promise.withResolvers<void>();
    stage.on(path, async (_request, response) => {
      if (holdsHeader) await left.promise;
      response.writeHead(200, { "cache-control": "max-age=600", "content-length": String(size + 3) });
      response.write("x".repeat(size));
      await left.promise;
      response.end("end");
    });
    const leader = await dial(served.port);
    leader.send(requestText(`GET ${path}`, [], "", `127.0.0.1:${served.port}`));
    await until("it was asked", () => asked() === 1);
    const others = crowd(50, served.url + path);
    // Sent after them, and answered: they have come.
    stage.on(`${path}/after`, slow(0, {}));
    await ask(`${served.url}${path}/after`);
    leader.socket.destroy();
    await new Promise((resolve) => leader.socket.once("close", resolve));
    left.resolve();
    const answers = await others;
    expect(counted(answers.map(({ text }) => text.length))).toEqual({ [size + 3]: 50 });
    expect(asked()).toBe(1);
    for (const { tookMs } of answers) expect(tookMs).toBeLessThan(4000);
  });
});

describe("what nobody should wait for", () => {
  it("an answer that is not stored: all go at once, and those who come soon after do not wait either", async () => {
    stage.on(path, slow(500, { "cache-control": "no-store" }));
    const began = performance.now();
    const answers = await crowd(50, served.url + path);
    const tookMs = performance.now() - began;
    expect(new Set(answers.map(({ text }) => text)).size).toBe(50);
    // One after the other would take 25 seconds.
    expect(tookMs).toBeLessThan(2 * 500 + 1500);
    const later = performance.now();
    await crowd(50, served.url + path);
    expect(performance.now() - later).toBeLessThan(500 + 1000);
  });

  it("an upstream that is silent: after five seconds each goes by itself", async () => {
    let first = true;
    stage.on(path, (_request, response) => {
      if (!first) response.writeHead(200, { "cache-control": "max-age=600" }).end("late");
      first = false;
    });
    const leader = await dial(served.port);
    leader.send(requestText(`GET ${path}`, [], "", `127.0.0.1:${served.port}`));
    await until("it was asked", () => asked() === 1);
    const answers = await crowd(5, served.url + path);
    leader.socket.destroy();
    expect(counted(answers.map(({ text }) => text))).toEqual({ late: 5 });
    for (const { tookMs } of answers) {
      expect(tookMs).toBeGreaterThan(4500);
      expect(tookMs).toBeLessThan(7000);
    }
  }, 20_000);
});

describe("an upstream that fails", () => {
  it("is not asked by all who wait", async () => {
    stage.on(path, slow(300, {}, 500));
    const answers = await crowd(100, served.url + path);
    expect(asked()).toBe(3);
    expect(counted(answers.map(({ status }) => status))).toEqual({ 500: 3, 503: 97 });
  });

  it("all get what is stored, while that is allowed", async () => {
    path = `/lenient/${turn}`;
    stage.on(path, slow(0, { "cache-control": "max-age=1" }));
    await ask(served.url + path);
    stage.on(path, slow(0, {}, 503));
    await until("it has ended", async () => (await ask(served.url + path)).cache.includes("fwd=stale"));
    const before = asked();
    stage.on(path, slow(300, {}, 503));
    const answers = await crowd(100, served.url + path);
    expect(counted(answers.map(({ status, text }) => `${status} ${text}`))).toEqual({ "200 answer 1": 100 });
    expect(asked() - before).toBe(1);
  });
});

describe("an entry that is asked for all the time", () => {
  it("is refreshed before it ends, and nobody waits for that", async () => {
    stage.on(path, slow(300, { "cache-control": "max-age=3" }));
    const first = await ask(served.url + path);
    const untilMs = performance.now() + 6000;
    const later: Seen[] = [];
    const client = async (): Promise<void> => {
      while (performance.now() < untilMs) {
        later.push(await ask(served.url + path));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    expect(first.cache).toContain("fwd=miss");
    expect(asked()).toBeGreaterThanOrEqual(3);
    // At the end of an entry all eight would wait.
    expect(later.filter(({ cache }) => cache.includes("fwd=")).length).toBeLessThan(8);
  }, 20_000);
});

describe("an origin that is down", () => {
  it("what is stored answers for the stated time, and then 504", async () => {
    path = `/window/${turn}`;
    stage.on(path, slow(0, { "cache-control": "max-age=1", etag: '"a"' }));
    await ask(served.url + path);
    stage.on(path, down);
    let during: Seen | undefined;
    await until("it has ended", async () => {
      during = await ask(served.url + path);
      return during.cache.includes("fwd=stale");
    });
    expect([during?.status, during?.text]).toEqual([200, "answer 1"]);
    await until("its window is over", async () => (await ask(served.url + path)).status !== 200);
    const after = await crowd(20, served.url + path);
    expect(counted(after.map(({ status }) => status))).toEqual({ 504: 20 });
    expect(after.filter(({ cache }) => cache.startsWith("postern; fwd=stale")).length).toBeGreaterThan(0);
    stage.on(path, slow(0, { "cache-control": "max-age=60", etag: '"a"' }));
    expect((await ask(served.url + path)).text).toBe("answer 1");
  });

  it("what must be revalidated is 504 at once", async () => {
    path = `/lenient/${turn}`;
    stage.on(path, slow(0, { "cache-control": "max-age=1, must-revalidate" }));
    await ask(served.url + path);
    stage.on(path, down);
    const statuses = new Set<number>();
    await until("it has ended", async () => {
      const { status } = await ask(served.url + path);
      statuses.add(status);
      return status !== 200;
    });
    expect([...statuses]).toEqual([200, 504]);
  });
});

describeWithRedis("two gateways with one Redis", () => {
  let redis: RedisOverHttp;
  const gateways: Served[] = [];

  beforeAll(async () => {
    redis = await startRedisOverHttp();
    const more = ", stores: { redis: { url: { env: REDIS_URL }, token: { env: REDIS_TOKEN } } }";
    const words = {
      files: files(stage, { shared: "{ tiers: [isolate, redis] }" }, more),
      args: ["--var", `REDIS_URL=${redis.url}`, "--var", `REDIS_TOKEN=${redis.token}`],
    };
    gateways.push(await serve(words), await serve(words));
  }, 120_000);
  afterAll(async () => {
    for (const gateway of gateways) await gateway.stop();
    await redis?.stop();
  });
  beforeEach(() => {
    path = `/shared/${turn}`;
    redis.failure = undefined;
  });

  const both = async (size: number): Promise<Seen[]> =>
    (await Promise.all(gateways.map(({ url }) => crowd(size, url + path)))).flat();

  it("100 clients of each get the answer to one request, or at most to two", async () => {
    stage.on(path, slow(500, { "cache-control": "max-age=600" }));
    const answers = await both(100);
    expect(answers.map(({ status }) => status)).not.toContain(503);
    expect(asked()).toBeGreaterThanOrEqual(1);
    expect(asked()).toBeLessThanOrEqual(2);
  });

  it("what is not stored is known to both", async () => {
    stage.on(path, slow(500, { "cache-control": "no-store" }));
    const began = performance.now();
    await both(20);
    expect(asked()).toBe(40);
    expect(performance.now() - began).toBeLessThan(3 * 500 + 1500);
  });

  it("where Redis is away, each gateway asks once", async () => {
    redis.failure = { kind: "away" };
    stage.on(path, slow(500, { "cache-control": "max-age=600" }));
    const answers = await both(50);
    expect(asked()).toBe(2);
    for (const { tookMs } of answers) expect(tookMs).toBeLessThan(500 + 2000);
  });
});
