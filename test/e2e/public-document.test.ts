import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/served.ts";
import { ROOT } from "./project.ts";

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "postern-public-"));
  file = path.join(folder, "public.yaml");
  await writeFile(path.join(folder, "spectral.yaml"), 'extends: ["spectral:oas"]\n');
  const { code, stderr } = await run(["openapi", "--env", "production", "--out", file]);
  expect([code, stderr]).toEqual([0, ""]);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a linter that is installed; it asks nobody else, and tells nobody. */
const lint = (name: string, args: readonly string[]): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    execFile(
      path.join(ROOT, "node_modules/.bin", name),
      args,
      {
        cwd: folder,
        env: {
          ...process.env,
          NO_COLOR: "1",
          REDOCLY_TELEMETRY: "off",
          REDOCLY_SUPPRESS_UPDATE_NOTICE: "true",
          http_proxy: "http://127.0.0.1:9",
          https_proxy: "http://127.0.0.1:9",
        },
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });

describe("the shop's public document", () => {
  it("is what the policies and documents make of it", async () => {
    const { code, stderr } = await run(["openapi", "--env", "production", "--check"]);
    expect([code, stderr]).toEqual([0, ""]);
  });

  it("is as Redocly recommends", async () => {
    // The shop is nobody's: its host is one of those that are reserved for examples (RFC 2606).
    const args = ["lint", "--extends", "recommended", "--skip-rule", "no-server-example.com"];
    const { code, output } = await lint("redocly", [...args, "--format", "json", file]);
    const report = JSON.parse(output.slice(output.indexOf("{"), output.lastIndexOf("}") + 1));
    expect([code, report.problems]).toEqual([0, []]);
  });

  it("is as Spectral's rules for OpenAPI have it", async () => {
    const args = ["lint", "--ruleset", path.join(folder, "spectral.yaml"), "--fail-severity", "hint"];
    const { code, output } = await lint("spectral", [...args, "--format", "json", file]);
    expect(JSON.parse(output.slice(output.indexOf("["), output.lastIndexOf("]") + 1))).toEqual([]);
    expect(code).toBe(0);
  });
});

describe("postern openapi", () => {
  it("says what is stale, and what to do", async () => {
    const stale = path.join(folder, "stale.yaml");
    await writeFile(stale, "openapi: 3.1.0\n");
    const { code, stderr } = await run(["openapi", "--env", "production", "--check", "--out", stale]);
    expect(code).toBe(1);
    expect(stderr).toContain("is not up to date");
    expect(stderr).toContain(`postern openapi --env production --out ${stale}`);
  });

  it("writes JSON too, and never reads what it wrote", async () => {
    const json = path.join(folder, "public.json");
    const { code } = await run(["openapi", "--env", "production", "--format", "json", "--out", json]);
    expect(code).toBe(0);
    const again = await run([
      "check",
      "--policies",
      path.join(ROOT, "policies"),
      "--openapi",
      path.join(ROOT, "openapi"),
    ]);
    expect([again.code, again.stderr]).toEqual([0, ""]);
  });
});
