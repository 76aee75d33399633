import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import ora from "ora";
import {
  findWranglerConfigs,
  readWranglerConfig,
  type WranglerConfig,
} from "../adapters/node/wrangler-config.ts";
import { compareAssets } from "./bound-assets.ts";
import { compareObjects } from "./bound-objects.ts";
import { CommandFailed } from "./failure.ts";
import { type WorkspaceOptions, withWorkspace } from "./options.ts";
import { planOf } from "./workspace.ts";

interface DeployOptions extends WorkspaceOptions {
  readonly dryRun?: boolean;
}

/** `postern deploy`: checks and compiles, then deploys the services that the gateway binds, their migrations first, and last the gateway. */
export const registerDeploy = (program: Command): void => {
  const command = program
    .command("deploy")
    .description("check, compile, and deploy the services and the gateway with wrangler");
  withWorkspace(command)
    .option("--dry-run", "do everything but the upload")
    .action(async (options: DeployOptions) => {
      const plan = await planOf(options);
      const gateway = await readWranglerConfig("wrangler.toml", options.env).catch(() => {
        throw new CommandFailed(
          2,
          "There is no wrangler.toml here.",
          "Run the command in the folder of the gateway's wrangler.toml.",
        );
      });
      compareAssets(plan, gateway);
      const note = compareObjects(plan, gateway);
      if (note !== undefined) process.stderr.write(`note: ${note}\n`);
      if (!options.dryRun) await refuseMissingSecrets(plan.secrets, options.env);
      for (const service of await boundServices(gateway, options.env)) {
        if (!options.dryRun)
          for (const { binding } of service.databases)
            await wrangler(
              `migrating ${service.name}`,
              ["d1", "migrations", "apply", binding, "--remote", "-c", service.file],
              options,
            );
        await wrangler(`deploying ${service.name}`, ["deploy", "-c", service.file], options);
      }
      await wrangler(`deploying ${gateway.name}`, ["deploy"], options);
    });
};

/** The Workers of ours that the gateway binds in this environment, each once. */
const boundServices = async (
  gateway: WranglerConfig,
  environment: string | undefined,
): Promise<readonly WranglerConfig[]> => {
  const bound = new Set(gateway.services.map(({ service }) => service));
  const configs = await findWranglerConfigs("src");
  return configs.filter(
    ({ name }) => bound.has(environment === undefined ? name : `${name}-${environment}`) || bound.has(name),
  );
};

/** A secret that is not set would keep the gateway from starting: better to know before. */
const refuseMissingSecrets = async (
  names: readonly string[],
  environment: string | undefined,
): Promise<void> => {
  if (names.length === 0) return;
  const listed = await run(["secret", "list", "--format", "json", ...environmentOf(environment)]);
  if (listed.code !== 0)
    throw new CommandFailed(2, "The secrets of the Worker cannot be listed.", listed.output.trim());
  const missing = names.filter((name) => !listed.output.includes(JSON.stringify(name)));
  if (missing.length > 0)
    throw new CommandFailed(
      2,
      `Secrets are not set: ${missing.join(", ")}.`,
      missing.map((name) => `wrangler secret put ${name}`).join("; "),
    );
};

const environmentOf = (environment: string | undefined): string[] =>
  environment === undefined ? [] : ["--env", environment];

const wrangler = async (what: string, args: readonly string[], options: DeployOptions): Promise<void> => {
  const spinner = ora(what).start();
  const dry = options.dryRun && args[0] === "deploy" ? ["--dry-run"] : [];
  const { code, output } = await run([...args, ...environmentOf(options.env), ...dry]);
  if (code === 0) {
    spinner.succeed(options.dryRun ? `${what} (dry run)` : what);
    return;
  }
  spinner.fail(what);
  throw new CommandFailed(2, `wrangler ${args.join(" ")} failed.`, output.trim());
};

const WRANGLER = path.join(
  path.dirname(fileURLToPath(import.meta.resolve("wrangler/package.json"))),
  "bin/wrangler.js",
);

const run = (args: readonly string[]): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRANGLER, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("exit", (code) => resolve({ code, output }));
  });
