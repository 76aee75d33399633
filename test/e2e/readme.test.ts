import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Every line of every shell block of the README, in its order. */
const commands = [
  ...readFileSync(path.join(ROOT, "README.md"), "utf8").matchAll(/```sh\n([\s\S]*?)```/g),
].flatMap(([, block]) => block!.trim().split("\n"));

/** A copy of the project as git would clone it, so that what the commands write stays out of this one. */
const copy = (): string => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "postern-readme-"));
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of files.split("\0").filter((name) => name !== "" && existsSync(path.join(ROOT, name)))) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(folder, file));
  }
  symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "ignore" });
  git("init", "--quiet");
  git("add", "--all");
  git(
    "-c",
    "user.name=reader",
    "-c",
    "user.email=reader@example.com",
    "commit",
    "--quiet",
    "-m",
    "As cloned",
  );
  return folder;
};

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

describe("the commands of the README", () => {
  let folder: string;
  let token = "";
  const started: ChildProcess[] = [];
  const shell = (command: string): ChildProcess =>
    spawn("bash", ["-c", command], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      env: { ...process.env, TOKEN: token, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" },
    });

  /** Runs a command to its end, or until it says that it is ready. */
  const run = (command: string): Promise<Ran> =>
    new Promise((resolve) => {
      const child = shell(command);
      started.push(child);
      let output = "";
      const read = (text: string): void => {
        output += text;
        if (/ready on http/.test(output)) resolve({ code: 0, output });
      };
      child.stdout!.setEncoding("utf8").on("data", read);
      child.stderr!.setEncoding("utf8").on("data", read);
      child.once("close", (code) => resolve({ code, output }));
    });

  beforeAll(() => {
    folder = copy();
  });

  afterAll(() => {
    for (const { pid, exitCode } of started) {
      try {
        if (pid !== undefined && exitCode === null) process.kill(-pid, "SIGTERM");
      } catch {
        // It is gone already.
      }
    }
    rmSync(folder, { recursive: true, force: true });
  });

  /** What a person should see of each command; those without an entry only have to succeed. */
  const seen: readonly [command: RegExp, sees: RegExp][] = [
    [/^npm start$/, /ready on http:\/\/127\.0\.0\.1:8787/],
    [/^curl .*-d .*\/orders$/, /HTTP\/1\.1 201 [\s\S]*x-served-by: first/],
    [/^curl .*Bearer.*\/users\/42$/, /HTTP\/1\.1 200 [\s\S]*Ada Lovelace/],
    [/^curl .*Bearer.*\/orders$/, /HTTP\/1\.1 200 [\s\S]*CANDLE-WAX/],
    [/^curl -i http:\S+\/users\/42$/, /HTTP\/1\.1 401 [\s\S]*www-authenticate: Bearer/i],
    [/^npx postern serve/, /ready on http:\/\/127\.0\.0\.1:8788/],
    [/^npx postern init/, /gateway\.yaml/],
    [/^npx postern explain/, /users\.getUser[\s\S]*cache/],
    [/^npx postern diff/, /Nothing changes for callers\./],
    [/^npx postern client/, /shop\.d\.ts/],
  ];

  it("there are some", () => expect(commands.length).toBeGreaterThan(8));

  it.each(commands.map((command, index) => [command, index] as const))("%s", async (line, index) => {
    if (line === "npm install && npm test") {
      // This very run; the continuous integration makes it from an empty folder.
      expect(JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")).scripts.test).toBe(
        "vitest run",
      );
      return;
    }
    const command = line.replace(/^npm install && /, "");
    const assignment = /^TOKEN=\$\((.*)\)$/.exec(command);
    const { code, output } = await run(assignment?.[1] ?? command);
    expect(code, output).toBe(0);
    if (assignment !== null)
      token =
        output
          .trim()
          .split("\n")
          .find((text) => text.startsWith("eyJ")) ?? "";
    const sees = seen.find(([pattern]) => pattern.test(command))?.[1];
    if (sees !== undefined) expect(output).toMatch(sees);
    if (commands.indexOf(line) < index)
      expect(output, "the second time it comes from the cache").toMatch(/cache-status: postern; hit/i);
  });
});
