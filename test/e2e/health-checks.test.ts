import { type ChildProcess, spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { configText } from "../../src/adapters/node/workerd.ts";
import type { Plan } from "../../src/core/plan.ts";
import { freePort, run, type Served, serve, writeWorkspace } from "../support/served.ts";
import {
  type CheckedOrigins,
  COPY_MS,
  course,
  expectInTime,
  INTERVAL_MS,
  load,
  type Origin,
  since,
  sleep,
  startCheckedOrigins,
  UNHEALTHY_AFTER,
} from "./checked-origins.ts";
import { ROOT } from "./project.ts";
import { until } from "./until.ts";
import { dial, requestText } from "./wire.ts";

const WORKERD = path.join(ROOT, "node_modules/workerd/bin/workerd");

let checked: CheckedOrigins;
let origins: readonly Origin[];

beforeAll(async () => {
  checked = await startCheckedOrigins();
  origins = checked.all;
});
afterAll(() => checked.stop());
beforeEach(() => checked.reset());
afterEach(() => checked.reset());

describe("a Durable Object on plain workerd", () => {
  let served: Served;

  beforeAll(async () => {
    served = await serve({ files: checked.policies });
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

  it("checks targets that are discovered, too", async () => {
    expectInTime(await course(`${served.url}/found`, origins[1]!, "ill"), COPY_MS);
  });
});

describe("an isolate that has no Durable Objects", () => {
  let running: ChildProcess | undefined;
  let folder: string;
  let url: string;
  let port: number;

  beforeAll(async () => {
    const workspace = await writeWorkspace({ files: checked.policies });
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
  it("has none in a bundle whose plan checks nothing", async () => {
    const bare = await writeWorkspace({
      files: {
        "a.yaml": checked.policies["a.yaml"]!.replaceAll(/ {4}healthCheck: .*\n/g, "    retry: {}\n"),
      },
    });
    const out = path.join(bare.folder, "dist");
    const words = ["--policies", bare.policies, "--openapi", bare.openapi, "--out", out];
    expect(await run(["compile", ...words])).toMatchObject({ code: 0, stderr: "" });
    const trace = /postern-health-check|POSTERN_HEALTH|HealthChecks|DurableObject/g;
    expect((await readFile(path.join(out, "worker.js"), "utf8")).match(trace)).toBeNull();
    const checking = await readFile(path.join(folder, "dist", "worker.js"), "utf8");
    expect(new Set(checking.match(trace))).toEqual(
      new Set(["postern-health-check", "POSTERN_HEALTH", "HealthChecks", "DurableObject"]),
    );
    await rm(bare.folder, { recursive: true, force: true });
  });

  afterAll(async () => {
    const ended = new Promise((resolve) => running?.once("exit", resolve) ?? resolve(null));
    running?.kill("SIGTERM");
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
