import { spawnSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import createClient from "openapi-fetch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, type Served, serve } from "../support/served.ts";
import { ROOT } from "./project.ts";

// The types of `postern client`: TypeScript takes right calls and refuses wrong ones, and a right call is answered.

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "postern-client-"));
  await symlink(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
  const { code, stderr } = await run(["client", "--env", "local", "--out", path.join(folder, "shop.d.ts")]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What TypeScript says of a program that uses the client. */
const faultsOf = async (call: string): Promise<string> => {
  const file = path.join(folder, "program.ts");
  const text = `import createClient from "openapi-fetch";
import type { paths } from "./shop.d.ts";
const shop = createClient<paths>({ baseUrl: "https://api.shop.example.com" });
${call}
export {};
`;
  await writeFile(file, text);
  const options = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--target",
    "esnext",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
  ];
  const tsc = path.join(ROOT, "node_modules/typescript/bin/tsc");
  return spawnSync(process.execPath, [tsc, ...options, file], { cwd: folder, encoding: "utf8" }).stdout;
};

describe("TypeScript", () => {
  it.each<[sentence: string, call: string, said: RegExp]>([
    [
      "takes a call as it is documented",
      'const { data } = await shop.GET("/users/{userId}", { params: { path: { userId: "42" } } });\nconst email: string | undefined = data?.email;',
      /^$/,
    ],
    ["refuses a path that is not offered", 'await shop.GET("/healthz");', /error TS/],
    [
      "refuses a method that is not offered",
      'await shop.DELETE("/users/{userId}", { params: { path: { userId: "42" } } });',
      /error TS/,
    ],
    ["refuses a call without its parameter", 'await shop.GET("/users/{userId}");', /error TS/],
    [
      "refuses a body of another form",
      'await shop.POST("/orders", { body: { items: [{ sku: 1 }] } });',
      /error TS/,
    ],
    [
      "knows the form of an answer",
      'const { data } = await shop.GET("/users/{userId}", { params: { path: { userId: "42" } } });\nconst wrong: number | undefined = data?.email;',
      /error TS/,
    ],
  ])("%s", async (_, call, said) => {
    expect(await faultsOf(call)).toMatch(said);
  });
});

describe("a call", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({
      folders: { policies: "policies", openapi: "openapi" },
      args: ["--env", "local", "--mock"],
      cwd: ROOT,
    });
  });
  afterAll(() => served.stop());

  it("is answered", async () => {
    const { stdout } = await run(["token", "--env", "local", "--sub", "42", "--scope", "users.read"]);
    const shop = createClient<{
      "/users/{userId}": {
        get: {
          parameters: { path: { userId: string } };
          responses: { 200: { content: { "application/json": { email: string } } } };
        };
      };
    }>({
      baseUrl: served.url,
      headers: { authorization: `Bearer ${stdout.trim()}` },
    });
    const { data, response } = await shop.GET("/users/{userId}", { params: { path: { userId: "42" } } });
    expect(response.status).toBe(200);
    expect(data?.email).toBe("ada@example.com");
  });
});
