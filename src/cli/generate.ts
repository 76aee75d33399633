import { readFile, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { referenceFiles } from "../compiler/reference.ts";
import { CommandFailed } from "./failure.ts";

/** `postern generate`: writes what follows from the schemas; `--check` only tells whether it is up to date. */
export const registerGenerate = (program: Command): void => {
  program
    .command("generate", { hidden: true })
    .description("write the editor's schema and the reference")
    .option("--check", "only tell whether they are up to date")
    .action(async ({ check }: { check?: boolean }) => {
      for (const [file, text] of Object.entries(referenceFiles())) {
        const current = await readFile(file, "utf8").catch(() => "");
        if (current === text) continue;
        if (check) throw new CommandFailed(1, `${file} is not up to date.`, "Run `npm run generate`.");
        await writeFile(file, text);
        process.stdout.write(`${file}\n`);
      }
    });
};
