import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { record, stopRecording } from "./recording.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** A gateway of a test, served by the command itself: the production bundle on plain workerd. */
export interface Served {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Everything that it printed so far. */
  output(): string;
  /** Sends a signal and answers the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** What to serve: files of policies and of OpenAPI documents by name, or folders that exist. */
export interface ServeWords {
  readonly files?: Readonly<Record<string, string>>;
  readonly openapi?: Readonly<Record<string, string>>;
  readonly folders?: { readonly policies: string; readonly openapi: string };
  readonly args?: readonly string[];
  readonly cwd?: string;
}

/** A port of loopback that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

/** Writes files into folders of their own below a temporary one. */
export const writeWorkspace = async ({
  files = {},
  openapi = {},
}: ServeWords): Promise<{ folder: string; policies: string; openapi: string }> => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "postern-test-"));
  for (const [name, group] of Object.entries({ policies: files, openapi })) {
    await mkdir(path.join(folder, name), { recursive: true });
    for (const [file, text] of Object.entries(group)) await writeFile(path.join(folder, name, file), text);
  }
  return { folder, policies: path.join(folder, "policies"), openapi: path.join(folder, "openapi") };
};

/** The command as a process. */
export const postern = (args: readonly string[], cwd = ROOT): ChildProcess =>
  spawn(process.execPath, [path.join(ROOT, "src/launch.mjs"), ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });

/** Runs the command to its end. */
export const run = async (
  args: readonly string[],
  cwd = ROOT,
): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  const child = postern(args, cwd);
  let stdout = "";
  let stderr = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
};

/** Serves policies and waits for the line that says it is ready; rejects with what was printed when it ends before. */
export const serve = async (words: ServeWords): Promise<Served> => {
  const own = words.folders === undefined ? await writeWorkspace(words) : undefined;
  const { policies, openapi } = words.folders ?? own!;
  const port = await freePort();
  const child = postern(
    ["serve", "--policies", policies, "--openapi", openapi, "--port", String(port), ...(words.args ?? [])],
    words.cwd,
  );
  let printed = "";
  const url = `http://127.0.0.1:${port}`;
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  await new Promise<void>((resolve, reject) => {
    const read = (text: string): void => {
      printed += text;
      if (printed.includes(`ready on ${url}`)) resolve();
    };
    child.stdout!.setEncoding("utf8").on("data", read);
    child.stderr!.setEncoding("utf8").on("data", read);
    void ended.then((code) => reject(new Error(`postern serve ended with ${code}:\n${printed}`)));
  });
  await record(url, { policies, openapi }, words.args ?? []);
  return {
    url,
    port,
    process: child,
    output: () => printed,
    stop: async (signal = "SIGTERM") => {
      child.kill(signal);
      const code = await ended;
      stopRecording(url);
      if (own !== undefined) await rm(own.folder, { recursive: true, force: true });
      return code;
    },
  };
};
