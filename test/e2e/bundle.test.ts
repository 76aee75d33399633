import { spawn } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { build, type Metafile } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { balancerFiles } from "../../src/balancers/index.ts";
import { folderOf } from "../../src/compiler/emit.ts";
import type { Plan } from "../../src/core/plan.ts";
import { run, serve, writeWorkspace } from "../support/served.ts";
import { projectCopy, ROOT } from "./project.ts";

/** Everything here happens in a copy of the project: wrangler's builds write into the folder that they run in. */
let project: string;

beforeAll(() => {
  project = projectCopy();
});
afterAll(() => rm(project, { recursive: true, force: true }));

interface Compiled {
  readonly plan: Plan;
  readonly text: string;
  /** Files that the bundle is made of, from the project's folder on. */
  readonly files: readonly string[];
}

/** Compiles with the command, and asks esbuild of what the bundle is made. */
const compile = async (name: string, args: readonly string[]): Promise<Compiled> => {
  const out = path.join(project, "dist", name);
  const { code, stderr } = await run(["compile", ...args, "--out", out], project);
  expect([code, stderr]).toEqual([0, ""]);
  const text = await readFile(path.join(out, "worker.js"), "utf8");
  const { metafile, outputFiles } = await build({
    ...OPTIONS,
    entryPoints: [path.join(out, "gateway.ts")],
    outfile: path.join(out, "worker.js"),
    absWorkingDir: ROOT,
  });
  // The same text: so what is said of this build holds for the command's.
  expect(outputFiles[0]!.text).toBe(text);
  const plan = JSON.parse(await readFile(path.join(out, "plan.json"), "utf8")) as Plan;
  return { plan, text, files: filesOf(metafile) };
};

/** As in src/adapters/node/bundle.ts. */
const OPTIONS = {
  bundle: true,
  format: "esm" as const,
  target: "es2024",
  platform: "neutral" as const,
  mainFields: ["module", "main"],
  conditions: ["workerd", "worker", "browser", "import"],
  external: ["cloudflare:*", "node:*"],
  loader: { ".json": "text" as const },
  minify: true,
  legalComments: "none" as const,
  metafile: true as const,
  write: false as const,
};

const filesOf = ({ inputs }: Metafile): string[] =>
  Object.keys(inputs).map((file) => file.replace(/^.*\/postern-copy-[^/]+\//, ""));

const packagesOf = (files: readonly string[]): string[] =>
  [
    ...new Set(files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [])),
  ].sort();

/** Policy types and balancers whose code is in a bundle, by their folders and files. */
const policiesIn = (files: readonly string[]): string[] =>
  files.flatMap((file) => /src\/policies\/([^/]+)\/filter\.ts$/.exec(file)?.[1] ?? []).sort();
const balancersIn = (files: readonly string[]): string[] =>
  files
    .flatMap((file) => /src\/balancers\/([^/]+\.ts)$/.exec(file)?.[1] ?? [])
    .filter((file) => ALL_BALANCERS.includes(file))
    .sort();

const ALL_BALANCERS = [...new Set(Object.values(balancerFiles))].map((file) => path.basename(file));

const usedPolicies = ({ steps }: Plan): string[] => {
  const authenticators = steps.flatMap(
    ({ step }) => (step as { authenticators?: { policy: string }[] } | null)?.authenticators ?? [],
  );
  return [...new Set([...steps, ...authenticators].map(({ policy }) => folderOf(policy)))].sort();
};
const usedBalancers = ({ upstreams }: Plan): string[] =>
  [
    ...new Set(Object.values(upstreams).map(({ balancer }) => path.basename(balancerFiles[balancer.name]!))),
  ].sort();

/** Words that give away a library, or Node. */
const NAMES = [
  "ZodError",
  "$ZodType",
  "YAMLParseError",
  "YAMLMap",
  "cel-js",
  "EvaluationError",
  "CommanderError",
  "node:fs",
  "esbuild",
];

it("what is not in the gateway would be seen: a service holds zod, and its bundle gives it away", async () => {
  const entry = path.join(ROOT, "src/services/users/index.ts");
  const { metafile, outputFiles } = await build({ ...OPTIONS, entryPoints: [entry], absWorkingDir: ROOT });
  expect(packagesOf(filesOf(metafile))).toEqual(expect.arrayContaining(["@hono/zod-openapi", "hono", "zod"]));
  expect(NAMES.filter((name) => outputFiles[0]!.text.includes(name))).toContain("$ZodType");
});

describe.each(["production", "preview"])("the shop's bundle for %s", (environment) => {
  let shop: Compiled;
  beforeAll(async () => {
    shop = await compile(environment, ["--env", environment]);
  });

  it("holds no library but hono and jose", () => {
    expect(packagesOf(shop.files).filter((name) => !["hono", "jose"].includes(name))).toEqual([]);
  });

  it("holds nothing of the compiler, of the command, or of the services", () => {
    const foreign = shop.files.filter((file) =>
      /src\/(?:compiler|config|cli|services|adapters\/node)\/|\/policy\.ts$|policies\/(?:index|shapes)\.ts$/.test(
        file,
      ),
    );
    expect(foreign).toEqual([]);
  });

  it("holds none of their names", () => {
    for (const name of NAMES) expect([name, shop.text.includes(name)]).toEqual([name, false]);
  });

  it("holds the filters and balancers that its plan uses, and no others", () => {
    expect(policiesIn(shop.files)).toEqual(usedPolicies(shop.plan));
    expect(balancersIn(shop.files)).toEqual(usedBalancers(shop.plan));
  });

  it("evaluates no text", () => {
    expect(shop.text).not.toMatch(/\beval\(|new Function\(/);
  });
});

describe("a bundle", () => {
  const files = (extra: string): Record<string, string> => ({
    "a.yaml": `
gateway: { name: small, hosts: { public: 127.0.0.1 } }
upstreams:
  one: { ${extra} targets: { a: { url: "https://one.example.com" }, b: { url: "https://two.example.com" } } }
apis: { a: { public: true, upstream: one, routes: { a: { match: { path: /a } } } } }
`,
  });

  it.each([
    ["", ["smooth-weighted-round-robin.ts"]],
    ["balancer: leastRequest,", ["least-request.ts"]],
    ["balancer: { hash: { by: header, name: x-key } },", ["hash.ts"]],
  ])("grows only with what its plan uses: %s", async (balancer, expected) => {
    const { folder, policies, openapi } = await writeWorkspace({ files: files(balancer) });
    const small = await compile("small", ["--policies", policies, "--openapi", openapi]);
    await rm(folder, { recursive: true, force: true });
    expect(policiesIn(small.files)).toEqual([]);
    expect(balancersIn(small.files)).toEqual(expected);
    expect(packagesOf(small.files)).not.toContain("jose");
  });

  it("is the same to the byte when it is made again, and its plan when the files come in another order", async () => {
    const one = await compile("one", ["--env", "production"]);
    const again = await compile("again", ["--env", "production"]);
    expect(again.text).toBe(one.text);
    const names = await readdir(path.join(project, "policies"));
    const moved = await writeWorkspace({ files: {} });
    for (const [index, name] of names.filter((file) => file.endsWith(".yaml")).entries())
      await writeFile(
        path.join(moved.policies, `${9 - index}.yaml`),
        await readFile(path.join(project, "policies", name), "utf8"),
      );
    const other = await compile("other", ["--env", "production", "--policies", moved.policies]);
    await rm(moved.folder, { recursive: true, force: true });
    expect(other.plan.hash).toBe(one.plan.hash);
  });
});

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

const wrangler = (args: readonly string[]): Promise<Ran> =>
  start([path.join(ROOT, "node_modules/wrangler/bin/wrangler.js"), ...args]);

/** Runs a script with this Node in the copy of the project. */
const start = (args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: project,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("close", (code) => resolve({ code, output }));
  });

const ENVIRONMENTS = ["", "preview", "production"];

/** What an operator sets as secrets. */
const SECRETS = {
  USERS_KEY: "a key of the users service, of this test only",
  ORDERS_KEY: "a key of the orders service, of this test only",
};
const CONFIGS = [
  "wrangler.toml",
  "src/services/users/wrangler.toml",
  "src/services/orders/wrangler.toml",
  "src/services/orders/wrangler.second.toml",
];

/** Where wrangler puts what it would upload. */
const uploadOf = (config: string, environment: string): string =>
  path.join(project, "dist", "upload", `${config.replaceAll("/", "-")}-${environment}`);

describe("wrangler deploy --dry-run", () => {
  it.each(CONFIGS)("passes for %s, in every environment and in none", async (config) => {
    for (const environment of ENVIRONMENTS) {
      const out = uploadOf(config, environment);
      const { code, output } = await wrangler([
        "deploy",
        "-c",
        config,
        "--dry-run",
        "--outdir",
        out,
        `--env=${environment}`,
      ]);
      expect(code, output).toBe(0);
      expect(output).toContain("--dry-run: exiting now.");
      expect(output).not.toMatch(/WARNING|ERROR/);
      const suffix = environment === "" ? "" : `-${environment}`;
      if (config === "wrangler.toml")
        for (const name of ["users", "orders", "orders-second"])
          expect(output).toContain(`(postern-${name}${suffix})`);
      else expect(output).toMatch(/env\.DB \(\S+\)\s+D1 Database/);
    }
  });

  it.each(["preview", "production"])(
    "what would be uploaded for %s is what the command compiles for it",
    async (environment) => {
      const { text } = await compile(environment, ["--env", environment]);
      const uploaded = await readFile(path.join(uploadOf("wrangler.toml", environment), "worker.js"), "utf8");
      expect(uploaded).toBe(text);
    },
  );

  it.each(["preview", "production"])(
    "what would be uploaded for %s starts, the services too",
    async (environment) => {
      const module = async (name: string, config: string, file: string) => ({
        name,
        compatibilityDate: "2026-10-20",
        modules: [
          {
            type: "ESModule" as const,
            path: file,
            contents: await readFile(path.join(uploadOf(config, environment), file), "utf8"),
          },
        ],
      });
      const workers = [
        {
          ...(await module("gateway", CONFIGS[0]!, "worker.js")),
          bindings: SECRETS,
          serviceBindings: { USERS: "users", ORDERS: "orders", ORDERS_SECOND: "orders-second" },
        },
        ...(await Promise.all(
          ["users", "orders", "orders-second"].map(async (name, index) => ({
            ...(await module(name, CONFIGS[index + 1]!, "index.js")),
            bindings: SECRETS,
            d1Databases: { DB: name },
          })),
        )),
      ];
      const miniflare = new Miniflare({
        ...convertV4MiniflareOptions({ workers, cf: false }),
        telemetry: { enabled: false },
      });
      try {
        const host = environment === "preview" ? "api.preview.shop.example.com" : "api.shop.example.com";
        const health = await miniflare.dispatchFetch(`https://${host}/__postern/health`);
        expect(await health.json()).toMatchObject({ status: "ok", gateway: "shop" });
        expect((await miniflare.dispatchFetch(`https://${host}/users/42`)).status).toBe(401);
        expect((await miniflare.dispatchFetch("https://elsewhere.example.com/users/42")).status).toBe(404);
        for (const name of ["users", "orders", "orders-second"]) {
          const service = await miniflare.getWorker(name);
          expect([name, (await service.fetch("http://service/healthz")).status]).toEqual([name, 200]);
          const around = await service.fetch("http://service/orders", { headers: { "x-user-id": "42" } });
          expect([name, around.status]).toEqual([name, 401]);
        }
      } finally {
        await miniflare.dispose();
      }
    },
  );
});

describe("postern", () => {
  it("deploy --dry-run passes for production, services first and the gateway last", async () => {
    const { code, stdout, stderr } = await run(["deploy", "--env", "production", "--dry-run"], project);
    expect(code, stdout + stderr).toBe(0);
    const steps = [...(stdout + stderr).matchAll(/deploying (\S+) \(dry run\)/g)].map(([, name]) => name);
    expect(steps.length).toBe(4);
    expect(steps.at(-1)).toMatch(/^postern(?:-production)?$/);
    expect(new Set(steps.map((name) => name!.replace(/-production$/, "")))).toEqual(
      new Set(["postern", "postern-users", "postern-orders", "postern-orders-second"]),
    );
  });

  it.each(["preview", "production"])(
    "serve --env %s starts on plain workerd, closed to strangers",
    async (environment) => {
      const folders = { policies: "policies", openapi: "openapi" };
      const vars = Object.entries(SECRETS).flatMap(([name, value]) => ["--var", `${name}=${value}`]);
      const served = await serve({ folders, cwd: project, args: ["--env", environment, ...vars] });
      const answers = await Promise.all([
        fetch(`${served.url}/__postern/health`),
        fetch(`${served.url}/users/42`),
      ]);
      expect(await served.stop()).toBe(0);
      expect(answers.map(({ status }) => status)).toEqual([200, 404]);
    },
  );

  it("serve finds the same plan as compile", async () => {
    const served = await serve({
      folders: { policies: "policies", openapi: "openapi" },
      cwd: project,
      args: ["--env", "local"],
    });
    const { plan } = (await (await fetch(`${served.url}/__postern/health`)).json()) as { plan: string };
    expect(await served.stop()).toBe(0);
    expect(plan).toBe((await compile("local", ["--env", "local"])).plan.hash);
  });
});
