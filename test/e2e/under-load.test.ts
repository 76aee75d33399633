import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, type Served, serve } from "../support/served.ts";
import type { Result } from "./load/client.ts";

const NAMES = ["a", "b", "c"] as const;
const CLIENTS = 6;
const EJECTION_MS = 2000;
const TRY_MS = 300;
/** What a test allows on a machine of two cores that others use too. */
const GRACE_MS = 700;
/** When the first origin falls ill, when it is well again, and when the load ends. */
const ILL_MS = 1000;
const WELL_MS = 2500;
const END_MS = 6000;

const module = (name: string): string => path.join(import.meta.dirname, "load", name);

const startOrigin = async (name: string, port: number): Promise<ChildProcess> => {
  const child = fork(module("origin.ts"), [name, String(port)]);
  await new Promise((resolve) => child.once("message", resolve));
  return child;
};

const load = (url: string): Promise<readonly Result[]> =>
  new Promise((resolve, reject) => {
    const child = fork(module("client.ts"), [url, String(CLIENTS), String(END_MS)]);
    child.once("message", (results) => resolve(results as Result[]));
    child.once("exit", (code) => reject(new Error(`the clients ended with ${code}`)));
  });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

let ports: number[] = [];
let origins: ChildProcess[] = [];
let served: Served;

/** The ways in which an origin falls ill, and how it gets well. */
const ILLNESSES: Readonly<Record<string, { fall(): void; recover(): Promise<void> }>> = {
  killed: {
    fall: () => void origins[0]!.kill("SIGKILL"),
    recover: async () => {
      origins[0] = await startOrigin("a", ports[0]!);
    },
  },
  stalls: {
    fall: () => void origins[0]!.kill("SIGSTOP"),
    recover: async () => void origins[0]!.kill("SIGCONT"),
  },
  fails: {
    fall: () => void origins[0]!.send(500),
    recover: async () => void origins[0]!.send(200),
  },
};

const policies = (): string => `
gateway: { name: load, hosts: { all: "*" } }
environments: { local: { development: true } }
upstreams:
${Object.keys(ILLNESSES)
  .map(
    (illness) => `  ${illness}:
    targets:
${NAMES.map((name, index) => `      ${name}: { url: "http://127.0.0.1:${ports[index]}" }`).join("\n")}
    timeout: 5s
    retry: { retries: 2, perTryTimeout: ${TRY_MS}ms, on: [connect-error, timeout, 500, 502, 503, 504] }
    outlierDetection: { baseEjection: ${EJECTION_MS}ms }`,
  )
  .join("\n")}
apis:
  load:
    public: true
    routes:
${Object.keys(ILLNESSES)
  .map((illness) => `      ${illness}: { match: { path: /${illness} }, upstream: ${illness} }`)
  .join("\n")}
`;

beforeAll(async () => {
  ports = await Promise.all(NAMES.map(freePort));
  origins = await Promise.all(NAMES.map((name, index) => startOrigin(name, ports[index]!)));
  served = await serve({ files: { "gateway.yaml": policies() }, args: ["--env", "local"] });
});

afterAll(async () => {
  await served?.stop();
  for (const origin of origins) origin.kill("SIGKILL");
});

const shareOfFirst = (results: readonly Result[], fromMs: number, toMs: number): number => {
  const within = results.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  return within.filter(({ body }) => body === "a").length / within.length;
};

describe("one of three targets, under load from another process", () => {
  it.each(Object.keys(ILLNESSES))(
    "%s: no request fails, it gets none while out, and its share returns",
    async (illness) => {
      const { fall, recover } = ILLNESSES[illness]!;
      const loading = load(`${served.url}/${illness}`);
      // The clients take a moment to start; what counts is when the origin falls ill by the clock.
      await pause(ILL_MS);
      fall();
      const illMs = Date.now();
      await pause(WELL_MS - ILL_MS);
      await recover();
      const wellMs = Date.now();
      const results = await loading;
      const failed = results.filter(({ status }) => status !== 200);
      expect(failed).toEqual([]);
      expect(results.length).toBeGreaterThan(300);
      expect(shareOfFirst(results, 0, illMs)).toBeGreaterThan(0.25);
      // Five failures eject it: at once where it is dead, after their time where it stalls.
      expect(shareOfFirst(results, illMs + TRY_MS + GRACE_MS, wellMs)).toBe(0);
      // Out since shortly after it fell ill, it is back when its ejection ends.
      expect(
        shareOfFirst(results, illMs + TRY_MS + GRACE_MS + EJECTION_MS, Number.POSITIVE_INFINITY),
      ).toBeGreaterThan(0.2);
    },
  );
});
