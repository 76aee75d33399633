import { expect } from "vitest";
import { dnsMessage, service } from "../support/dns.ts";
import { type Stage, startStage } from "./stage.ts";

export const INTERVAL_MS = 1000;
const TIMEOUT_MS = 400;
export const UNHEALTHY_AFTER = 3;
const HEALTHY_AFTER = 2;
/** The word of the checks comes to a gateway with the first request after an interval. */
export const COPY_MS = INTERVAL_MS;
/** What a test allows beside: two cores that others use too. */
const GRACE_MS = 1500;

/** How an origin answers its checks; clients it serves in any case, so that only the checks can tell. */
export type Health = "well" | "ill" | "stalls" | "refuses";

export interface Origin {
  readonly name: string;
  readonly stage: Stage;
  health: Health;
  /** When it was checked, and when a client's request came, in the test's milliseconds. */
  readonly checkedMs: number[];
  readonly servedMs: number[];
  /** What checks came with. */
  readonly fields: Record<string, string | undefined>[];
}

const NAME = "_http._tcp.origins.test";

/** Knows where the origins are. */
const startResolver = async (origins: readonly Origin[]): Promise<Stage> => {
  const stage = await startStage();
  stage.on("/dns-query", (_, response) => {
    const answers = origins.map(({ stage: { port } }) => service(NAME, "localhost", port));
    response.setHeader("content-type", "application/dns-message");
    response.end(dnsMessage({ name: NAME, type: "SRV", answers }));
  });
  return stage;
};

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
  for (const target of ["/base/who", "/base/found/who"])
    stage.on(target, (_, response) => {
      origin.servedMs.push(performance.now());
      response.end(name);
    });
  return origin;
};

const policies = (origins: readonly Origin[], resolver: Stage): Readonly<Record<string, string>> => ({
  "a.yaml": `
gateway: { name: checked, hosts: { public: 127.0.0.1 }, clientIp: connection }
upstreams:
  pool:
    balancer: roundRobin
    timeout: 2s
    healthCheck: { path: /healthz, interval: ${INTERVAL_MS}ms, timeout: ${TIMEOUT_MS}ms, unhealthyAfter: ${UNHEALTHY_AFTER}, healthyAfter: ${HEALTHY_AFTER} }
    targets:
${origins.map(({ name, stage }) => `      ${name}: { url: "${stage.url}/base", network: private }`).join("\n")}
  found:
    balancer: roundRobin
    healthCheck: { path: /healthz, interval: ${INTERVAL_MS}ms, timeout: ${TIMEOUT_MS}ms }
    discover: { dns: { name: ${NAME}, type: SRV, resolver: "${resolver.url}/dns-query" }, scheme: http, path: /base, network: private }
apis:
  a:
    public: true
    routes:
      listed: { upstream: pool, match: { pathPrefix: / } }
      found: { upstream: found, match: { pathPrefix: /found } }
`,
});

/** Three origins, and policies with one upstream that lists them and one that discovers them. */
export interface CheckedOrigins {
  readonly all: readonly Origin[];
  readonly policies: Readonly<Record<string, string>>;
  /** Forgets what was, and makes them well. */
  reset(): void;
  stop(): Promise<void>;
}

/** Starts origins a, b and c, and a resolver for them. */
export const startCheckedOrigins = async (): Promise<CheckedOrigins> => {
  const all = await Promise.all(["a", "b", "c"].map(startOrigin));
  const resolver = await startResolver(all);
  return {
    all,
    policies: policies(all, resolver),
    reset: () => {
      for (const origin of all) {
        origin.health = "well";
        for (const list of [origin.checkedMs, origin.servedMs, origin.fields]) list.length = 0;
      }
    },
    stop: async () =>
      void (await Promise.all([resolver, ...all.map(({ stage }) => stage)].map((it) => it.stop()))),
  };
};

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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
export const load = (url: string, forMs: number, everyMs?: number): Promise<number> => {
  const end = performance.now() + forMs;
  return loadUntil(url, () => performance.now() > end, everyMs);
};

export const since = (times: readonly number[], fromMs: number): number[] =>
  times.filter((ms) => ms >= fromMs).map((ms) => ms - fromMs);

/** For so long nothing may reach a target before its share counts as nothing: longer than any interval. */
const QUIET_MS = 1.5 * INTERVAL_MS;
const DEADLINE_MS = 12_000;

/** Makes one origin ill under requests, and then well again: when the last and the first of them reached it. */
export const course = async (url: string, origin: Origin, health: Health) => {
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
export const expectInTime = (
  { lastMs, firstMs }: { lastMs: number; firstMs: number },
  copyMs: number,
): void => {
  expect(lastMs).toBeGreaterThan((UNHEALTHY_AFTER - 1) * INTERVAL_MS - 100);
  expect(lastMs).toBeLessThan(UNHEALTHY_AFTER * INTERVAL_MS + TIMEOUT_MS + copyMs + GRACE_MS);
  expect(firstMs).toBeGreaterThan((HEALTHY_AFTER - 1) * INTERVAL_MS - 100);
  expect(firstMs).toBeLessThan(HEALTHY_AFTER * INTERVAL_MS + copyMs + GRACE_MS);
};
