import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { CommandFailed } from "./failure.ts";
import { EXAMPLE_FILES } from "./init-files.ts";
import { type WorkspaceOptions, withWorkspace } from "./options.ts";

/** `postern init`: a small, working set of policies. It never writes over anything. */
export const registerInit = (program: Command): void => {
  withWorkspace(program.command("init").description("write a small, working set of policies")).action(
    async ({ policies }: WorkspaceOptions) => {
      const present = await readdir(policies).catch(() => []);
      if (present.some((name) => name.endsWith(".yaml"))) {
        throw new CommandFailed(
          2,
          `"${policies}" holds policies already.`,
          "Name another folder with --policies.",
        );
      }
      await mkdir(policies, { recursive: true });
      for (const [name, text] of Object.entries(EXAMPLE_FILES)) {
        await writeFile(path.join(policies, name), text, { flag: "wx" });
        process.stdout.write(`${path.join(policies, name)}\n`);
      }
      process.stdout.write(
        `\nRun them:       postern serve --policies ${policies} --env local\nTry them:       curl http://127.0.0.1:8787/hello\nMake a token:   postern token --policies ${policies} --env local\n`,
      );
    },
  );
};
