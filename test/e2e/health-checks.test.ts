import { type ChildProcess, spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configText } from "../../src/adapters/node/workerd.ts";
import type { Plan } from "../../src/core/plan.ts";
import { freePort, run, type Served, serve, writeWorkspace } from "../support/served.ts";
import { ROOT } from "./project.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { dial, requestText } from "./wire.ts";

const WORKERD = path.join(ROOT, "node_modules/workerd/bin/workerd");

const INTERVAL_MS = 1000;
const TIMEOUT_MS = 400;
const UNHEALTHY_AFTER = 3;
const HEALTHY_AFTER = 2;
/** The word of the checks comes to a gateway with the first request after an interval. */
const COPY_MS = INTERVAL_MS;
/** What a test allows beside: two cores that others use too. */
const GRACE_MS = 1500;

/** How an origin answers its checks; clients it serves in any case, so that only the checks can tell. */
type Health = "well" | "ill" | "stalls" | "refuses";

interface Origin {
  readonly name: string;
  readonly stage: Stage;
  health: Health;
  /** When it was checked, and when a client's request came, in the test's milliseconds. */
  readonly checkedMs: number[];
  readonly servedMs: number[];
  /** What checks came with. */
  readonly fields: Record<string, string | undefined>[];
}

let origins: Origin[];

const startOrigin = async (name: string): Promise<Origin> => {
  const stage = await startStage();
  const origin: Origin = { name, stage, health: "well", checkedMs: [], servedMs: [], fields: [] };
  stage.on("/base/healthz", ({ headers, socket }, response) => {
    origin.checkedMs.push(performance.now());
    origin.fields.push(headers as Record<string, string>);
    if (origin.health === "stalls") return;
    if (origin.health === "refuses") return void socket.resetAndDestroy();
    response.statusCode = origin.health === "well" ? 200 : 503;
    // A body that nobody reads to its end.
    response.end("x".repeat(200_000));
  });
  stage.on("/base/slow", (_, response) => void setTimeout(() => response.end(name), 300));
  stage.on("/base/who", (_, response) => {
    origin.servedMs.push(performance.now());
    response.end(name);
  });
  return origin;
};

const policies = (): Record<string, string> => ({
  "a.yaml": `
gateway: { name: checked, hosts: { public: 127.0.0.1 }, clientIp: connection }
upstreams:
  pool:
    balancer: roundRobin
    timeout: 2s
    healthCheck: { path: /healthz, interval: ${INTERVAL_MS}ms, timeout: ${TIMEOUT_MS}ms, unhealthyAfter: ${UNHEALTHY_AFTER}, healthyAfter: ${HEALTHY_AFTER} }
    targets:
${origins.map(({ name, stage }) => `      ${name}: { url: "${stage.url}/base", network: private }`).join("\n")}
apis: { a: { public: true, upstream: pool, routes: { a: { match: { pathPrefix: / } } } } }
`,
});

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends requests one after the other until something holds; every one has to be served. Answers how many there were. */
const loadUntil = async (url: string, isOver: () => boolean, everyMs = 20): Promise<number> => {
  let count = 0;
  while (!isOver()) {
    const response = await fetch(`${url}/who`);
    expect([response.status, ["a", "b", "c"].includes(await response.text())]).toEqual([200, true]);
    count++;
    if (everyMs > 0) await sleep(everyMs);
  }
  return count;
};

/** The same for so long. */
const load = (url: string, forMs: number, everyMs?: number): Promise<number> => {
  const end = performance.now() + forMs;
  return loadUntil(url, () => performance.now() > end, everyMs);
};

const since = (times: readonly number[], fromMs: number): number[] =>
  times.filter((ms) => ms >= fromMs).map((ms) => ms - fromMs);

/** For so long nothing may reach a target before its share counts as nothing: longer than any interval. */
const QUIET_MS = 1.5 * INTERVAL_MS;
const DEADLINE_MS = 12_000;

/** Makes one origin ill under requests, and then well again: when the last and the first of them reached it. */
const course = async (url: string, origin: Origin, health: Health) => {
  const { servedMs } = origin;
  await load(url, 500);
  const illMs = performance.now();
  expect(since(servedMs, illMs - 500).length).toBeGreaterThan(2);
  origin.health = health;
  await loadUntil(url, () => performance.now() - Math.min(servedMs.at(-1)!, illMs + DEADLINE_MS) > QUIET_MS);
  const lastMs = since(servedMs, illMs).at(-1)!;
  const wellMs = performance.now();
  origin.health = "well";
  await loadUntil(url, () => servedMs.at(-1)! > wellMs || performance.now() > wellMs + DEADLINE_MS);
  return { lastMs, firstMs: since(servedMs, wellMs)[0] ?? DEADLINE_MS };
};

/** The check that begins a run comes within an interval; the first and the last of it are one interval less apart. */
const expectInTime = ({ lastMs, firstMs }: { lastMs: number; firstMs: number }, copyMs: number): void => {
  expect(lastMs).toBeGreaterThan((UNHEALTHY_AFTER - 1) * INTERVAL_MS - 100);
  expect(lastMs).toBeLessThan(UNHEALTHY_AFTER * INTERVAL_MS + TIMEOUT_MS + copyMs + GRACE_MS);
  expect(firstMs).toBeGreaterThan((HEALTHY_AFTER - 1) * INTERVAL_MS - 100);
  expect(firstMs).toBeLessThan(HEALTHY_AFTER * INTERVAL_MS + copyMs + GRACE_MS);
};

beforeAll(async () => {
  origins = await Promise.all(["a", "b", "c"].map(startOrigin));
});
afterAll(() => Promise.all(origins.map(({ stage }) => stage.stop())));

beforeEach(() => {
  for (const { checkedMs, servedMs, fields } of origins)
    for (const list of [checkedMs, servedMs, fields]) list.length = 0;
});
afterEach(() => {
  for (const origin of origins) origin.health = "well";
});

describe("a Durable Object on plain workerd", () => {
  let served: Served;

  beforeAll(async () => {
    served = await serve({ files: policies() });
  });
  afterAll(async () => expect(await served.stop()).toBe(0));

  it("begins with the first request, and goes on by its alarm while no request comes", async () => {
    await sleep(2 * INTERVAL_MS);
    expect(origins.map(({ checkedMs }) => checkedMs.length)).toEqual([0, 0, 0]);
    await load(served.url, 1);
    const fromMs = performance.now();
    await sleep(6 * INTERVAL_MS);
    for (const { checkedMs } of origins) {
      const count = since(checkedMs, fromMs).length;
      expect(count).toBeGreaterThanOrEqual(5);
      expect(count).toBeLessThanOrEqual(7);
    }
  });

  it("checks no more often for many requests", async () => {
    const fromMs = performance.now();
    const counts = await Promise.all([1, 2, 3, 4].map(() => load(served.url, 3 * INTERVAL_MS, 0)));
    expect(counts.reduce((sum, count) => sum + count)).toBeGreaterThan(200);
    for (const { checkedMs } of origins) expect(since(checkedMs, fromMs).length).toBeLessThanOrEqual(4);
  });

  it("asks as what it is, past every cache", async () => {
    await sleep(1.5 * INTERVAL_MS);
    for (const { fields } of origins) {
      expect(fields[0]).toMatchObject({
        "user-agent": "postern-health-check",
        via: "1.1 postern",
        "cache-control": "no-cache",
      });
      expect(Object.keys(fields[0]!)).not.toContain("traceparent");
    }
  });

  it.each(["ill", "stalls", "refuses"] as const)(
    "takes the share of a target that is or does this to nothing, and gives it back: %s",
    async (health) => {
      expectInTime(await course(served.url, origins[1]!, health), COPY_MS);
    },
  );

  it("says who was taken out, once", () => {
    const words =
      served.output().match(/Health checks took a target (?:out|back in)[^}]*"target":"b"/g) ?? [];
    expect(words).toHaveLength(6);
  });
});

describe("an isolate that has no Durable Objects", () => {
  let running: ChildProcess;
  let folder: string;
  let url: string;
  let port: number;

  beforeAll(async () => {
    const workspace = await writeWorkspace({ files: policies() });
    folder = workspace.folder;
    const out = path.join(folder, "dist");
    const { code, stderr } = await run([
      "compile",
      ...["--policies", workspace.policies, "--openapi", workspace.openapi, "--out", out],
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    const plan = JSON.parse(await readFile(path.join(out, "plan.json"), "utf8")) as Plan;
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const { healthCheck: _, ...pool } = plan.upstreams["pool"]!;
    // The bundle as it is, but a configuration without the binding.
    const config = configText({
      plan: { ...plan, upstreams: { pool } },
      worker: path.join(out, "worker.js"),
      host: "127.0.0.1",
      port,
      secrets: {},
      bindings: {},
    });
    expect(config).not.toContain("POSTERN_HEALTH");
    await writeFile(path.join(out, "workerd.capnp"), config);
    running = spawn(WORKERD, ["serve", path.join(out, "workerd.capnp")], { stdio: "ignore" });
    await until("an answer of the gateway", () =>
      fetch(`${url}/__postern/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => void running.once("exit", resolve));
    running.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true, force: true });
  });

  it("checks beside requests once an interval, and not while none comes", async () => {
    const fromMs = performance.now();
    await Promise.all([1, 2, 3, 4].map(() => load(url, 3 * INTERVAL_MS, 0)));
    const counts = (): number[] => origins.map(({ checkedMs }) => since(checkedMs, fromMs).length);
    for (const count of counts()) {
      expect(count).toBeGreaterThanOrEqual(3);
      expect(count).toBeLessThanOrEqual(4);
    }
    const before = counts();
    await sleep(3 * INTERVAL_MS);
    expect(counts()).toEqual(before);
  });

  it.each(["ill", "stalls"] as const)(
    "takes the share of a target that is or does this to nothing, and gives it back: %s",
    async (health) => {
      expectInTime(await course(url, origins[1]!, health), 0);
    },
  );

  it("checks also where every client goes away before it is answered", async () => {
    origins[2]!.health = "stalls";
    const end = performance.now() + (UNHEALTHY_AFTER + 2) * INTERVAL_MS;
    while (performance.now() < end) {
      const wire = await dial(port);
      wire.send(requestText("GET /slow", [], "", "127.0.0.1"));
      await sleep(30);
      wire.socket.destroy();
    }
    const fromMs = performance.now();
    await load(url, 500);
    expect(since(origins[2]!.servedMs, fromMs)).toEqual([]);
    expect(since(origins[0]!.servedMs, fromMs).length).toBeGreaterThan(2);
  });
});
