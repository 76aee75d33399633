import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { describe, it } from "vitest";
import { Connection } from "./resp.ts";

/** A real Redis of a test's own. */
export interface RedisServer {
  /** The Unix socket at which it listens: it has no port that another could take or reach. */
  readonly socket: string;
  /** Ends it, its data with it. */
  stop(): Promise<void>;
}

/** Whether the command is there; the package is called redis-server on Debian. */
export const isRedisInstalled = (): boolean => spawnSync("redis-server", ["--version"]).status === 0;

/**
 * A suite against a real Redis. Where none is installed its tests are skipped, and the suite's name says so; in CI they must
 * not be, so that there the suite fails.
 */
export const describeWithRedis = (name: string, suite: () => void): void => {
  if (isRedisInstalled()) return void describe(name, suite);
  const remedy = "no redis-server is installed: apt-get install redis-server";
  if (process.env.CI === undefined) {
    console.warn(`SKIPPED: ${name} (${remedy})`);
    return void describe.skip(name, suite);
  }
  it(`${name}: CI skips nothing, and needs redis-server`, () => {
    throw new Error(remedy);
  });
};

/** Starts a Redis that keeps nothing on disk, in a temporary folder. It ends with this process at the latest. */
export const startRedis = async (): Promise<RedisServer> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-redis-"));
  const socket = path.join(folder, "redis.sock");
  const settings = { port: "0", unixsocket: socket, dir: folder, save: "", appendonly: "no" };
  const child = spawn(
    "redis-server",
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(child);
    const connection = new Connection(socket);
    await connection.send([["PING"]]);
    connection.close();
    return { socket, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** Waits until it says that it takes connections. */
const ready = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = "";
    child.stdout!.on("data", (bytes) => {
      said += String(bytes);
      if (/ready to accept connections/i.test(said)) resolve();
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`redis-server ended: ${said}`)));
  });

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });
