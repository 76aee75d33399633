import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  serve as begin,
  freePort,
  postern,
  run,
  type Served,
  type ServeWords,
  writeWorkspace,
} from "../support/served.ts";
import { descendants, isAlive } from "./processes.ts";
import { ROOT } from "./project.ts";
import { type Stage, startStage } from "./stage.ts";
import { until } from "./until.ts";
import { ask, dial, requestText } from "./wire.ts";

const STACK = /^\s+at .+[:(]\d+:\d+\)?$|node:internal|Error: .*\n\s+at /m;

const HELLO = (body: string): string => `
gateway: { name: hello, hosts: { public: 127.0.0.1 } }
apis:
  hello:
    public: true
    routes: { hello: { match: { path: /hello }, respond: { status: 200, body: "${body}" } } }
`;

const folders: string[] = [];
const running: ChildProcess[] = [];

/** A workspace that goes away with the test. */
const workspace = async (
  files: Readonly<Record<string, string>>,
  openapi: Readonly<Record<string, string>> = {},
) => {
  const made = await writeWorkspace({ files, openapi });
  folders.push(made.folder);
  return { ...made, args: ["--policies", made.policies, "--openapi", made.openapi] };
};

/** The command as a process, with what it printed. */
const start = (args: readonly string[], cwd?: string) => {
  const child = postern(args, cwd);
  running.push(child);
  let output = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, output: () => output };
};

// A place of its own for temporary files: others run the command on this machine too.
const TEMPORARY = await mkdtemp(path.join(os.tmpdir(), "postern-command-"));
process.env["TMPDIR"] = TEMPORARY;

afterAll(() => rm(TEMPORARY, { recursive: true, force: true }));

/** Serves, and ends with the test, however that goes. */
const serve = async (words: ServeWords): Promise<Served> => {
  const served = await begin(words);
  running.push(served.process);
  return served;
};

afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const temporary = (): string[] => readdirSync(TEMPORARY).filter((name) => !name.startsWith("postern-test-"));

const text = async (url: string): Promise<string> => (await fetch(url)).text();

describe("postern serve ends when it is told to", () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage.stop());

  const slow = async (): Promise<{ served: Served; finish: () => void; begun: () => boolean }> => {
    let finish: (() => void) | undefined;
    stage.on("/slow", (_request, response) => {
      response.write("begun");
      finish = () => response.end(", finished");
    });
    const files = {
      "a.yaml": `
gateway: { name: slow, hosts: { public: api.example.com, local: 127.0.0.1 } }
upstreams: { stage: { targets: { only: { url: "${stage.url}", network: private } } } }
apis: { slow: { public: true, upstream: stage, routes: { slow: { match: { path: /slow } } } } }
`,
    };
    const served = await serve({ files });
    return { served, finish: () => finish!(), begun: () => finish !== undefined };
  };

  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "%s: exit code 0, what is under way is answered, and no process is left",
    async (signal) => {
      const before = temporary();
      const { served, finish, begun } = await slow();
      const processes = [served.process.pid!, ...descendants(served.process.pid!)];
      expect(processes.length).toBeGreaterThan(1);
      const [idle, wire] = [await dial(served.port), await dial(served.port)];
      wire.send(requestText("GET /slow", ["Connection: close"]));
      await until("the request under way", begun);
      idle.send(requestText("GET /__postern/health"));
      await idle.answer();
      const ended = served.stop(signal);
      await until("the end of connections without a request", idle.closed);
      finish();
      const answer = await wire.answer();
      expect([answer.status, answer.complete, answer.body.toString()]).toEqual([
        200,
        true,
        "begun, finished",
      ]);
      expect(await ended).toBe(0);
      expect(processes.filter(isAlive)).toEqual([]);
      expect(served.output()).not.toMatch(STACK);
      expect(temporary()).toEqual(before);
    },
  );

  it("the same signal twice, as a terminal and a launcher send it, changes nothing", async () => {
    const { served } = await slow();
    const processes = descendants(served.process.pid!);
    served.process.kill("SIGINT");
    expect(await served.stop("SIGINT")).toBe(0);
    expect(processes.filter(isAlive)).toEqual([]);
  });

  it("a signal while it starts ends it as well", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello") });
    const { child, ended } = start(["serve", ...args, "--port", String(await freePort())]);
    await until("its gateway", () => descendants(child.pid!).length > 0);
    const processes = descendants(child.pid!);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(processes.filter(isAlive)).toEqual([]);
  });

  it("Ctrl-C, which reaches everything that it started too, is no failure", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello") });
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [path.join(ROOT, "src/launch.mjs"), "serve", ...args, "--port", String(port)],
      {
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      },
    );
    running.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => (output += part));
    await until("the line that it is ready", () => output.includes("ready on"));
    const ended = new Promise((resolve) => child.once("close", resolve));
    process.kill(-child.pid!, "SIGINT");
    expect([await ended, output.trim()]).toEqual([0, `postern is ready on http://127.0.0.1:${port}`]);
  });

  it("when the gateway ends by itself, the command says so and ends with 2", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello") });
    const { child, ended, output } = start(["serve", ...args, "--port", String(await freePort())]);
    await until("the line that it is ready", () => output().includes("ready on"));
    for (const pid of descendants(child.pid!)) process.kill(pid, "SIGKILL");
    expect(await ended).toBe(2);
    expect(output()).toContain("The gateway ended by itself");
    expect(output()).not.toMatch(STACK);
  });
});

describe("postern serve tells what stands in the way", () => {
  it("prints one line when it is ready", async () => {
    const served = await serve({ files: { "a.yaml": HELLO("hello") } });
    expect(served.output()).toBe(`postern is ready on ${served.url}\n`);
    expect(await text(`${served.url}/hello`)).toBe("hello");
    expect(await served.stop()).toBe(0);
  });

  const loopback = Object.values(os.networkInterfaces()).flatMap((list) =>
    list!.map(({ address }) => address),
  );
  const hosts = ["localhost", ...(loopback.includes("::1") ? ["::1", "[::1]"] : [])];

  it.each(hosts)("listens on --host %s", async (host) => {
    const { args } = await workspace({ "a.yaml": HELLO("hello") });
    const port = await freePort();
    const { child, ended, output } = start(["serve", ...args, "--host", host, "--port", String(port)]);
    await until("the line that it is ready", () => output().includes("ready on"));
    const [url] = /http:\S+/.exec(output())!;
    expect((await fetch(`${url}/__postern/health`)).status).toBe(200);
    child.kill();
    expect(await ended).toBe(0);
  });

  /** Runs `serve` where it must not come to serving. */
  const failing = async (args: readonly string[], cwd?: string) => {
    const before = temporary();
    const { code, stdout, stderr } = await run(["serve", "--port", String(await freePort()), ...args], cwd);
    expect(stdout).toBe("");
    expect(stderr).not.toMatch(STACK);
    expect(temporary()).toEqual(before);
    return { code, stderr };
  };

  it("a port in use: 2", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello") });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { code, stderr } = await failing([...args, "--port", String(port)]);
    server.close();
    expect(code).toBe(2);
    expect(stderr).toContain(`The port ${port} is in use.`);
    expect(stderr).toContain("--port");
  });

  it("an address of another machine: 2", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello") });
    const { code, stderr } = await failing([...args, "--host", "192.0.2.1"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Cannot listen on 192\.0\.2\.1:\d+ .*\n.*--host/);
  });

  it("a secret that is missing: 2, and what is missing is named", async () => {
    const policies = `
gateway: { name: hello, hosts: { public: 127.0.0.1 } , control: { token: { env: CONTROL_TOKEN } } }
issuers: { main: { issuer: "https://issuer.example.com/", audiences: [x], algorithms: [HS256], secret: { env: SIGNING_SECRET } } }
apis: { a: { policies: { jwt: {} }, routes: { a: { match: { path: /a }, respond: { status: 200 } } } } }
`;
    const { args } = await workspace({ "a.yaml": policies });
    const { code, stderr } = await failing(args);
    expect(code).toBe(2);
    expect(stderr).toContain("Secrets are not set: CONTROL_TOKEN, SIGNING_SECRET.");
    expect(stderr).toContain("--var CONTROL_TOKEN=… --var SIGNING_SECRET=…");
    const one = await failing([...args, "--var", "SIGNING_SECRET=0123456789abcdef0123456789abcdef"]);
    expect(one.stderr).toContain("A secret is not set: CONTROL_TOKEN.");
  });

  it("secrets may stand in .dev.vars", async () => {
    const policies = HELLO("hello").replace(
      "127.0.0.1 }",
      "127.0.0.1 }, control: { token: { env: CONTROL_TOKEN } }",
    );
    const { folder, policies: here, openapi } = await workspace({ "a.yaml": policies });
    await writeFile(path.join(folder, ".dev.vars"), '# a comment\nCONTROL_TOKEN="open sesame"\n');
    const served = await serve({ folders: { policies: here, openapi }, cwd: folder });
    const headers = { authorization: "Bearer open sesame" };
    expect((await fetch(`${served.url}/__postern/plan`, { headers })).status).toBe(200);
    expect(await served.stop()).toBe(0);
  });

  it("policies at fault: 1, with every diagnostic, and nothing is served", async () => {
    const { args, policies } = await workspace({
      "a.yaml": HELLO("hello").replace("respond", "respnod").replace("public: true", "pubic: true"),
    });
    const { code, stderr } = await failing(args);
    expect(code).toBe(1);
    expect(stderr).toContain(`${path.join(policies, "a.yaml")}:6:`);
    expect(stderr).toMatch(/did you mean.*respond/i);
    expect(stderr).toMatch(/did you mean.*public/i);
    expect(stderr).toMatch(/\d+ errors?\n$/);
  });

  it("a service binding that nobody knows: 2, and how to say where it is", async () => {
    const { args } = await workspace({
      "a.yaml": `
gateway: { name: hello, hosts: { public: 127.0.0.1 } }
upstreams: { away: { targets: { worker: { binding: AWAY } } } }
apis: { a: { public: true, upstream: away, routes: { a: { match: { path: /a } } } } }
`,
    });
    const { code, stderr } = await failing(args, os.tmpdir());
    expect(code).toBe(2);
    expect(stderr).toContain("binding AWAY");
    expect(stderr).toContain("--binding AWAY=");
    const stage = await startStage();
    const served = await serve({
      folders: { policies: args[1]!, openapi: args[3]! },
      args: ["--binding", `AWAY=127.0.0.1:${stage.port}`],
    });
    expect((await fetch(`${served.url}/a`)).status).toBe(200);
    expect(stage.asked).toEqual(["GET /a"]);
    expect(await served.stop()).toBe(0);
    await stage.stop();
  });

  it("no policies, and no such environment: 2", async () => {
    const { folder, args } = await workspace({ "a.yaml": HELLO("hello") });
    expect(await failing(["--policies", path.join(folder, "nowhere")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("postern init"),
    });
    expect(await failing([...args, "--env", "local"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no environment "local"'),
    });
    const shop = { policies: path.join(ROOT, "policies"), openapi: path.join(ROOT, "openapi") };
    const unnamed = await failing(["--policies", shop.policies, "--openapi", shop.openapi]);
    expect(unnamed).toMatchObject({ code: 2, stderr: expect.stringMatching(/--env.*production/) });
    const misspelt = await failing([
      "--policies",
      shop.policies,
      "--openapi",
      shop.openapi,
      "--env",
      "prodution",
    ]);
    expect(misspelt).toMatchObject({ code: 2, stderr: expect.stringContaining('"production"') });
  });
});

describe("postern serve --watch", () => {
  it("serves what was changed, keeps the last good policies while they are wrong, and goes on when they are mended", async () => {
    const { policies, openapi } = await workspace({ "a.yaml": HELLO("one") });
    const file = path.join(policies, "a.yaml");
    const served = await serve({ folders: { policies, openapi }, args: ["--watch"] });
    const reloads = (): number => served.output().split("reloaded in").length - 1;
    const answers = (body: string) => async (): Promise<boolean> =>
      (await text(`${served.url}/hello`).catch(() => "")) === body;
    expect(await text(`${served.url}/hello`)).toBe("one");

    await writeFile(file, HELLO("two"));
    await until("the new policies", answers("two"));
    await until("the line that says so", () => reloads() === 1);

    await writeFile(file, HELLO("three").replace("respond", "respnod"));
    await until("the fault", () => served.output().includes("not reloaded:"));
    expect(served.output()).toMatch(/a\.yaml:6:\d+ error/);
    expect(await text(`${served.url}/hello`)).toBe("two");

    await writeFile(
      file,
      HELLO("three").replace("gateway: {", "gateway: { control: { token: { env: NOWHERE } },"),
    );
    await until("the missing secret", () => served.output().includes("NOWHERE"));
    expect(await text(`${served.url}/hello`)).toBe("two");

    await writeFile(
      path.join(policies, "b.yaml"),
      HELLO("four")
        .replaceAll("hello", "other")
        .replace(/gateway.*/, ""),
    );
    await writeFile(file, HELLO("five"));
    await until("the mended policies", answers("five"));
    await until("the new file", async () => (await text(`${served.url}/other`).catch(() => "")) === "four");

    await rm(path.join(policies, "b.yaml"));
    await until(
      "the file gone",
      async () => (await fetch(`${served.url}/other`).catch(() => undefined))?.status === 404,
    );
    expect(served.output()).not.toMatch(STACK);
    const processes = descendants(served.process.pid!);
    expect(await served.stop()).toBe(0);
    expect(processes.filter(isAlive)).toEqual([]);
  });
});

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  init: ["--policies"],
  check: ["--policies", "--openapi", "--env", "--format"],
  compile: ["--policies", "--openapi", "--env", "--out"],
  serve: ["--policies", "--openapi", "--env", "--port", "--host", "--var", "--binding", "--watch"],
  token: ["--policies", "--env", "--issuer", "--sub", "--scope", "--aud", "--claim", "--expires", "--format"],
  deploy: ["--policies", "--openapi", "--env", "--dry-run"],
};

// Each of these starts the command and does nothing else: several at a time, on all the cores that there are.
describe("a call of the command", () => {
  it.concurrent.each(Object.entries(OPTIONS))(
    "postern %s --help names its options",
    async (name, options) => {
      const { code, stdout } = await run([name, "--help"]);
      expect(code).toBe(0);
      for (const option of options) expect(stdout).toContain(option);
    },
  );

  it.concurrent("postern --help names its commands, and --version the version", async () => {
    const { code, stdout } = await run(["--help"]);
    expect(code).toBe(0);
    for (const name of Object.keys(OPTIONS)) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    const { version } = JSON.parse(await readFile(path.join(ROOT, "package.json"), "utf8")) as {
      version: string;
    };
    expect(await run(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it.concurrent.each([
    [[], "Usage: postern"],
    [["frob"], "unknown command 'frob'"],
    [["chekc"], "(Did you mean check?)"],
    [["serve", "--frob"], "unknown option '--frob'"],
    [["serve", "--plicies", "x"], "(Did you mean --policies?)"],
    [["serve", "more"], "too many arguments"],
    [["serve", "--port"], "argument missing"],
    [["serve", "--port", "http"], "A port is a number from 1 to 65535."],
    [["serve", "--var", "SECRET"], "NAME=VALUE"],
    [["serve", "--binding", "=127.0.0.1:1"], "NAME=VALUE"],
    [["check", "--format", "xml"], "Allowed choices are text, json, sarif, github."],
    [["token", "--expires", "soon"], "30s, 10m, 1h"],
    [["token", "--claim", "x"], "--claim tenant=acme"],
  ])("postern %j is a wrong call: 2", async (args, words) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(STACK);
  });
});

describe("the commands", () => {
  it("init, check, serve and a call are all it takes", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "postern-test-"));
    folders.push(folder);
    const init = await run(["init"], folder);
    expect([init.code, init.stderr]).toEqual([0, ""]);
    expect(init.stdout).toContain(path.join("policies", "gateway.yaml"));
    expect(await run(["check"], folder)).toEqual({ code: 0, stdout: "", stderr: "" });
    const again = await run(["init"], folder);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("holds policies already")]);
    const served = await serve({
      folders: { policies: "policies", openapi: "openapi" },
      cwd: folder,
      args: ["--env", "local"],
    });
    expect(await text(`${served.url}/hello`)).toBe("Hello from the gate.\n");
    expect((await fetch(`${served.url}/hello/developer`)).status).toBe(401);
    const token = (await run(["token", "--env", "local"], folder)).stdout.trim();
    const headers = { authorization: `Bearer ${token}` };
    expect(await (await fetch(`${served.url}/hello/developer`, { headers })).text()).toBe(
      "Hello, I know you.\n",
    );
    expect((await fetch(`${served.url}/hello/somebody`, { headers })).status).toBe(403);
    expect(await served.stop()).toBe(0);
  });

  it("compile writes the plan, the entry and the Worker", async () => {
    const { folder, args } = await workspace({ "a.yaml": HELLO("hello") });
    const out = path.join(folder, "dist");
    const { code, stdout, stderr } = await run(["compile", ...args, "--out", out]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(readdirSync(out).sort()).toEqual(["gateway.ts", "plan.json", "worker.js"]);
    const plan = JSON.parse(await readFile(path.join(out, "plan.json"), "utf8")) as {
      hash: string;
      routes: unknown[];
    };
    expect(stdout).toBe(`${path.join(out, "worker.js")} holds 1 routes (plan ${plan.hash})\n`);
  });

  it("check prints for machines as well", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello").replace("respond", "respnod") });
    const json = await run(["check", ...args, "--format", "json"]);
    expect([json.code, json.stderr]).toEqual([1, ""]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      diagnostics: [{ severity: "error", place: { line: 6 } }],
    });
    const github = await run(["check", ...args, "--format", "github"]);
    expect(github.stdout).toMatch(/^::error file=.*a\.yaml,line=6,/);
    const sarif = JSON.parse((await run(["check", ...args, "--format", "sarif"])).stdout) as {
      version: string;
    };
    expect(sarif.version).toBe("2.1.0");
  });

  it.each([
    [
      "a folder that cannot be made",
      (folder: string) => ["compile", "--out", path.join(folder, "policies/a.yaml/x")],
    ],
    [
      "a file in the place of a folder",
      (folder: string) => ["compile", "--out", path.join(folder, "policies/a.yaml")],
    ],
    [
      "a place for policies that is a file",
      (folder: string) => ["init", "--policies", path.join(folder, "policies/a.yaml/x")],
    ],
  ])("%s is told in a sentence: 2", async (_, args) => {
    const made = await workspace({ "a.yaml": HELLO("hello") });
    const [command, ...others] = args(made.folder);
    const { code, stderr } = await run([command!, ...(command === "init" ? [] : made.args), ...others]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error ".*a\.yaml.*" .*\(E[A-Z]+\)\.\n {2}\S/);
    expect(stderr).not.toMatch(STACK);
  });

  it("whoever reads only the beginning of the output sees no failure", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello").replace("respond", "respnod") });
    const { child, ended, output } = start(["check", ...args, "--format", "sarif"]);
    child.stdout!.destroy();
    await ended;
    expect(output()).not.toMatch(STACK);
  });
});

const OLD_NODE = ["/usr/local/bin/node", "/usr/bin/node"].find((file) => existsSync(file));

describe.skipIf(OLD_NODE === undefined)("with the Node of the machine", () => {
  it("the launcher finds a fitting one, passes signals on, and keeps the exit codes", async () => {
    const { args } = await workspace({ "a.yaml": HELLO("hello") });
    const port = await freePort();
    const launch = (...words: string[]): ChildProcess => {
      const child = spawn(OLD_NODE!, [path.join(ROOT, "src/launch.mjs"), ...words], {
        stdio: ["ignore", "pipe", "pipe"],
        env: { PATH: "/usr/bin:/bin" },
      });
      running.push(child);
      return child;
    };
    const wrong = launch("serve", "--frob");
    expect(await new Promise((resolve) => wrong.once("close", resolve))).toBe(2);
    const child = launch("serve", ...args, "--port", String(port));
    let output = "";
    child.stdout!.setEncoding("utf8").on("data", (part: string) => (output += part));
    await until("the line that it is ready", () => output.includes("ready on"));
    expect(
      (await ask(port, requestText("GET /hello", ["Connection: close"], "", "127.0.0.1"))).body.toString(),
    ).toBe("hello");
    const processes = descendants(child.pid!);
    expect(processes.length).toBeGreaterThan(0);
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    expect(processes.filter(isAlive)).toEqual([]);
  });
});
