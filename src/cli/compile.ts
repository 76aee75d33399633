import type { Command } from "commander";
import { writeBundle } from "../adapters/node/bundle.ts";
import { describing } from "./describing.ts";
import { type WorkspaceOptions, withWorkspace } from "./options.ts";
import { planOf } from "./workspace.ts";

/** `postern compile`: plan, entry and bundle into a folder. */
export const registerCompile = (program: Command): void => {
  const command = program.command("compile").description("write the plan and the Worker into dist/");
  withWorkspace(command)
    .option("--out <dir>", "folder for what is made", "dist")
    .action(async (options: WorkspaceOptions & { out: string }) => {
      const { plan } = await writeBundle(await planOf(options), options.out, describing(options));
      process.stdout.write(
        `${options.out}/worker.js holds ${plan.routes.length} routes (plan ${plan.hash})\n`,
      );
    });
};
