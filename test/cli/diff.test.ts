import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../support/served.ts";

// The command over real folders and a real repository.

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "postern-diff-"));
  for (const name of ["policies", "openapi"]) await cp(name, path.join(folder, name), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const edit = async (file: string, from: string, to: string): Promise<() => Promise<void>> => {
  const place = path.join(folder, file);
  const text = await readFile(place, "utf8");
  expect(text).toContain(from);
  await writeFile(place, text.replace(from, to));
  return () => writeFile(place, text);
};

const diff = (...args: string[]) => run(["diff", ...args, "--env", "production"]);

interface Change {
  readonly id: string;
  readonly severity: string;
  readonly subject: string;
  readonly head?: { readonly file: string; readonly line: number };
}

const changesAfter = async (
  file: string,
  from: string,
  to: string,
): Promise<{ code: number | null; changes: Change[] }> => {
  const undo = await edit(file, from, to);
  const { code, stdout } = await diff(".", folder, "--contract", "--format", "json");
  await undo();
  return { code, changes: (JSON.parse(stdout) as { changes: Change[] }).changes };
};

describe("postern diff --contract", () => {
  it.each<[sentence: string, file: string, from: string, to: string, code: number, changes: string[]]>([
    ["a comment changes nothing", "policies/users.yaml", "upstreams:", "# A comment.\nupstreams:", 0, []],
    [
      "a limit that is tightened breaks every operation",
      "policies/gateway.yaml",
      "rate: 600/1m, key: ip",
      "rate: 60/1m, key: ip",
      1,
      ["breaking limit-tightened"],
    ],
    [
      "a limit that is widened breaks nothing",
      "policies/gateway.yaml",
      "rate: 600/1m, key: ip",
      "rate: 6000/1m, key: ip",
      0,
      ["compatible limit-widened"],
    ],
    [
      "a scope more breaks those who do not have it",
      "policies/orders.yaml",
      "scopes: { any: [orders.read] }",
      "scopes: { all: [orders.read, orders.list] }",
      1,
      ["breaking scope-added"],
    ],
    [
      "an origin less breaks its pages",
      "policies/gateway.yaml",
      "origins: [https://www.shop.example.com]",
      "origins: [https://m.shop.example.com]",
      1,
      ["breaking origin-removed"],
    ],
    [
      "a narrower schema breaks",
      "openapi/users.yaml",
      "maximum: 100",
      "maximum: 50",
      1,
      ["breaking parameter-bound-narrowed"],
    ],
    [
      "a path of another name breaks",
      "openapi/users.yaml",
      "  /users:",
      "  /people:",
      1,
      ["breaking operation-removed", "compatible operation-added"],
    ],
    [
      "another host is another server",
      "policies/gateway.yaml",
      "api.shop.example.com",
      "api2.shop.example.com",
      1,
      ["breaking server-removed"],
    ],
  ])("%s", async (_, file, from, to, code, changes) => {
    const seen = await changesAfter(file, from, to);
    expect([...new Set(seen.changes.map(({ severity, id }) => `${severity} ${id}`))]).toEqual(changes);
    expect(seen.code).toBe(code);
  });

  it("names the place in the files of each change", async () => {
    const { changes } = await changesAfter(
      "policies/gateway.yaml",
      "rate: 600/1m, key: ip",
      "rate: 60/1m, key: ip",
    );
    const line = (await readFile(path.join(folder, "policies/gateway.yaml"), "utf8"))
      .split("\n")
      .findIndex((text) => text.includes("per-ip"));
    expect(changes[0]!.head).toMatchObject({
      file: path.join(folder, "policies/gateway.yaml"),
      line: line + 1,
    });
  });

  it("tells people once what one line does to many operations", async () => {
    const undo = await edit("policies/gateway.yaml", "rate: 600/1m, key: ip", "rate: 60/1m, key: ip");
    const { stdout } = await diff(".", folder, "--contract");
    await undo();
    expect(stdout.match(/limit-tightened/g)).toHaveLength(1);
    expect(stdout).toMatch(/GET \/orders, .*GET \/users/);
  });

  it("reads a revision of the repository", async () => {
    const { code, stderr } = await diff("HEAD", ".", "--contract");
    expect(stderr).toBe("");
    expect([0, 1]).toContain(code);
  });

  it.each<[sentence: string, args: string[], said: RegExp]>([
    [
      "neither a folder nor a revision",
      ["no-such-revision", "--contract"],
      /neither a folder nor a revision/,
    ],
    [
      "something that looks like an option",
      ["--", "--help", "--contract"],
      /neither a folder nor a revision|Say what/,
    ],
    ["nothing to compare", ["HEAD"], /--contract/],
    ["a folder without policies", [os.tmpdir(), "--contract"], /no \*\.yaml below/],
  ])("says that it was called with %s", async (_, args, said) => {
    const { code, stderr } = await run([
      "diff",
      ...args,
      ...(args[0] === "--" ? [] : ["--env", "production"]),
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(said);
  });
});
