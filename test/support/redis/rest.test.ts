import { Redis } from "@upstash/redis/cloudflare";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type RedisOverHttp, startRedisOverHttp } from "./rest.ts";
import { describeWithRedis } from "./server.ts";

/** The SDK as it comes is what a faithful front must serve: its answers in base64, its pipelines, its transactions. */
describeWithRedis("the REST front of tests, asked by the SDK with its own defaults", () => {
  let redis: RedisOverHttp;
  let sdk: Redis;

  beforeAll(async () => {
    redis = await startRedisOverHttp();
    sdk = new Redis({ url: redis.url, token: redis.token });
  });
  beforeEach(() => redis.command("FLUSHALL"));
  afterAll(() => redis?.stop());

  it("texts, numbers, objects and hashes come back as they were", async () => {
    await sdk.set("text", "grüße \u{1f600}\n");
    await sdk.set("object", { a: [1, "2"] });
    await sdk.hset("hash", { one: 1, two: "zwei" });
    expect(await sdk.get("text")).toBe("grüße \u{1f600}\n");
    expect(await sdk.get("object")).toEqual({ a: [1, "2"] });
    expect(await sdk.hgetall("hash")).toEqual({ one: 1, two: "zwei" });
    expect([await sdk.incr("count"), await sdk.get("nothing"), await sdk.del("nothing")]).toEqual([
      1,
      null,
      0,
    ]);
    expect(await sdk.set("text", "other", { nx: true })).toBeNull();
    expect(await sdk.set("text", "other")).toBe("OK");
  });

  it("a pipeline answers each command, a transaction all of them", async () => {
    const pipeline = sdk.pipeline().set("a", "1").get("a").incr("b");
    expect(await pipeline.exec()).toEqual(["OK", 1, 1]);
    expect(await sdk.multi().incr("b").incr("b").exec()).toEqual([2, 3]);
  });

  it("errors are those of Redis", async () => {
    await sdk.set("text", "a");
    await expect(sdk.lpush("text", "b")).rejects.toThrow("WRONGTYPE");
    await expect(sdk.exec(["NO", "SUCH", "COMMAND"])).rejects.toThrow("ERR unknown command");
    await expect(sdk.multi().exec()).rejects.toThrow();
    const results = await sdk.pipeline().lpush("text", "b").get("text").exec({ keepErrors: true });
    expect(results[0]!.error).toContain("WRONGTYPE");
    expect(results[1]!.result).toBe("a");
  });

  it("scripts run as they do there, with the first line that Redis does not know, by text and by digest", async () => {
    const script = sdk.createScript<number[]>(
      "#!lua flags=allow-key-locking\nreturn { tonumber(ARGV[1]) * 2, redis.call('INCR', KEYS[1]) }",
    );
    await expect(script.evalsha(["count"], ["4"])).rejects.toThrow("NOSCRIPT");
    expect(await script.exec(["count"], ["4"])).toEqual([8, 1]);
    expect(await script.evalsha(["count"], ["5"])).toEqual([10, 2]);
  });

  it.each([
    ["without a token", {}, 401],
    ["with a wrong token", { authorization: "Bearer wrong" }, 401],
    ["with the token as a password", { authorization: "Basic YTpi" }, 401],
  ])("nobody is let in %s", async (_, headers, status) => {
    for (const path of ["", "/pipeline", "/multi-exec", "/get/a"]) {
      const answer = await fetch(`${redis.url}${path}`, { method: "POST", headers, body: '["GET","a"]' });
      expect([path, answer.status]).toEqual([path, status]);
      expect(await answer.json()).toEqual({ error: "WRONGPASS invalid or missing auth token" });
    }
  });

  it.each([
    ["POST", "/set/a?EX=100", "value of a body", { result: "OK" }],
    ["GET", "/incr/b", undefined, { result: 1 }],
    ["POST", "", "no command", { error: "ERR failed to parse command" }],
    ["POST", "/pipeline", '["GET","a"]', { error: "ERR failed to parse pipeline request" }],
  ])("%s %s is taken as it is there", async (method, path, body, expected) => {
    const separator = path.includes("?") ? "&" : "?";
    const url = `${redis.url}${path}${separator}_token=${redis.token}`;
    const answer = await fetch(url, { method, ...(body !== undefined && { body }) });
    expect(await answer.json()).toEqual(expected);
    expect(answer.status).toBe("error" in expected ? 400 : 200);
  });

  it("other methods are not", async () => {
    expect((await fetch(redis.url, { method: "DELETE" })).status).toBe(405);
  });
});
