import { env, evictDurableObject, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import type { HealthCheckPlan, UpstreamPlan } from "../../../src/core/upstream-plan.ts";
import { world } from "./worker.ts";

const CHECK: HealthCheckPlan = {
  path: "/healthz",
  intervalMs: 60_000,
  timeoutMs: 1000,
  unhealthyAfter: 2,
  healthyAfter: 2,
  statuses: [200, 299],
};

const upstream = (targets: readonly string[], healthCheck?: HealthCheckPlan): UpstreamPlan => ({
  balancer: { name: "roundRobin" },
  timeoutMs: 1000,
  targets: targets.map((name) => ({ name, weight: 1, origin: `http://${name}.example.com`, basePath: "" })),
  ...(healthCheck && { healthCheck }),
});

const object = () => env.POSTERN_HEALTH.getByName("orders");
const read = () => object().read("orders");

/** The alarm as it is set in the store; null for none. */
const alarmAt = () => runInDurableObject(object(), (_, { storage }) => storage.getAlarm());

/** Runs the alarm before its time. */
const round = () => runDurableObjectAlarm(object());

const asked = (): string[] => world.asked.splice(0).map((host) => host.replace(".example.com", ""));

beforeEach(async () => {
  await reset();
  world.upstreams = { orders: upstream(["a", "b"], CHECK) };
  world.statuses = { "a.example.com": 200, "b.example.com": 200, "c.example.com": 200 };
  world.asked = [];
});

/** Until the alarm that the first reading sets at once has run. */
const firstRound = async (): Promise<void> => {
  await read();
  for (let tries = 0; tries < 200 && Object.keys(await read()).length === 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
};

describe("an object", () => {
  it("knows nothing when it is first asked, and begins the checks", async () => {
    expect(await read()).toEqual({});
    await firstRound();
    expect(await read()).toEqual({ a: true, b: true });
    expect(asked()).toEqual(["a", "b"]);
  });

  it("checks once an interval, however often it is read", async () => {
    await firstRound();
    const before = await alarmAt();
    for (let time = 0; time < 50; time++) await read();
    expect(await alarmAt()).toBe(before);
    expect(before! - Date.now()).toBeGreaterThan(CHECK.intervalMs - 5000);
    expect(before! - Date.now()).toBeLessThanOrEqual(CHECK.intervalMs);
    expect(asked()).toEqual(["a", "b"]);
  });

  it("sets the next round with each, and nobody need ask for it", async () => {
    await firstRound();
    for (let time = 0; time < 3; time++) expect(await round()).toBe(true);
    expect(asked()).toEqual(["a", "b", "a", "b", "a", "b", "a", "b"]);
  });

  it("takes a target out and back in", async () => {
    await firstRound();
    const course: boolean[] = [];
    for (const status of [500, 500, 500, 200, 200]) {
      world.statuses["b.example.com"] = status;
      await round();
      course.push((await read())["b"]!);
    }
    expect(course).toEqual([true, false, false, false, true]);
  });

  it("knows after its eviction what it knew before, and keeps its alarm", async () => {
    await firstRound();
    delete world.statuses["b.example.com"];
    await round();
    const before = await alarmAt();
    await evictDurableObject(object());
    expect(await alarmAt()).toBe(before);
    await round();
    await evictDurableObject(object());
    expect(await read()).toEqual({ a: true, b: false });
  });

  it("stops when nobody asked for five minutes, and resumes with the next reading, by what it knew", async () => {
    await firstRound();
    world.statuses["b.example.com"] = 500;
    await round();
    await round();
    await asLongAgo(299_000);
    expect(await round()).toBe(true);
    expect(await alarmAt()).not.toBeNull();
    asked();
    await asLongAgo(300_000);
    expect(await round()).toBe(true);
    expect(asked()).toEqual([]);
    expect(await alarmAt()).toBeNull();
    expect(await read()).toEqual({ a: true, b: false });
    await expect.poll(asked).toEqual(["a", "b"]);
    expect(await alarmAt()).not.toBeNull();
  });

  it("goes on for three intervals where that is longer", async () => {
    world.upstreams["orders"] = upstream(["a"], { ...CHECK, intervalMs: 600_000 });
    await firstRound();
    await asLongAgo(1_799_000);
    await round();
    expect(await alarmAt()).not.toBeNull();
    await asLongAgo(1_800_000);
    await round();
    expect(await alarmAt()).toBeNull();
  });

  it("remembers to the minute when it was asked: readings are no writes", async () => {
    await firstRound();
    const askedMs = () => runInDurableObject(object(), (_, { storage }) => storage.get<number>("askedMs"));
    await asLongAgo(59_000);
    const before = await askedMs();
    await read();
    expect(await askedMs()).toBe(before);
    await asLongAgo(60_000);
    await read();
    expect(Date.now() - (await askedMs())!).toBeLessThan(5000);
  });

  it("has only the targets of the plan after a deployment", async () => {
    await firstRound();
    world.statuses["b.example.com"] = 500;
    await round();
    await round();
    world.upstreams = { orders: upstream(["b", "c"], CHECK) };
    await evictDurableObject(object());
    await round();
    expect(await read()).toEqual({ b: false, c: true });
  });

  it.each([
    ["the upstream", {}],
    ["its health check", { orders: upstream(["a", "b"]) }],
  ])("forgets everything, and stops, where the plan has lost %s", async (_, upstreams) => {
    await firstRound();
    world.upstreams = upstreams;
    await evictDurableObject(object());
    asked();
    await round();
    expect(asked()).toEqual([]);
    expect(await alarmAt()).toBeNull();
    const stored = await runInDurableObject(object(), async (_, { storage }) => [
      ...(await storage.list()).keys(),
    ]);
    expect(stored).toEqual([]);
  });

  it("is one for each upstream", async () => {
    world.upstreams["users"] = upstream(["c"], CHECK);
    await firstRound();
    const users = env.POSTERN_HEALTH.getByName("users");
    await users.read("users");
    await expect.poll(() => users.read("users")).toEqual({ c: true });
    expect(await read()).toEqual({ a: true, b: true });
  });
});

/** Makes the last reading as long ago as that. */
const asLongAgo = (ms: number): Promise<void> =>
  runInDurableObject(object(), async (_, { storage }) => storage.put("askedMs", Date.now() - ms));
