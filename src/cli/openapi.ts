import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Command, Option } from "commander";
import colors from "picocolors";
import { compileContract } from "../contract/compile.ts";
import type { PublicContract } from "../contract/public.ts";
import { renderContract } from "../contract/render.ts";
import { CommandFailed } from "./failure.ts";
import { type WorkspaceOptions, withWorkspace } from "./options.ts";
import { printDiagnostics } from "./print.ts";
import { chosenEnvironment, openWorkspace } from "./workspace.ts";

interface Options extends WorkspaceOptions {
  readonly out?: string;
  readonly format: "yaml" | "json";
  readonly check?: boolean;
}

/** `postern openapi`: writes the public document; `--check` only tells whether it is up to date. */
export const registerOpenapi = (program: Command): void => {
  const command = program
    .command("openapi")
    .description("write the OpenAPI document of what the gateway offers, policies applied");
  withWorkspace(command)
    .option("--out <file>", "file to write; default public.yaml among the OpenAPI documents")
    .addOption(new Option("--format <form>", "YAML or JSON").choices(["yaml", "json"]).default("yaml"))
    .option("--check", "only tell whether the file is up to date")
    .action(async (options: Options) => {
      const contract = await contractOf(options);
      const file = options.out ?? path.join(options.openapi, `public.${options.format}`);
      const text = renderContract(contract.document, options.format);
      const current = await readFile(file, "utf8").catch(() => undefined);
      if (options.check === true) {
        if (current === text) return;
        throw new CommandFailed(
          1,
          current === undefined ? `${file} is not there.` : `${file} is not up to date.`,
          `Run \`postern openapi${callOf(options)}\`.`,
        );
      }
      for (const { route, text: note } of contract.notes)
        process.stderr.write(`${colors.yellow("note")} ${route}: ${note}\n`);
      await mkdir(path.dirname(file), { recursive: true });
      if (current !== text) await writeFile(file, text);
      process.stdout.write(`${file} holds ${operationCount(contract)} operations\n`);
    });
};

/** Reads, compiles, prints what is wrong; fails with 1 where there is no plan. */
const contractOf = async (options: WorkspaceOptions): Promise<PublicContract> => {
  const { sources, tree, diagnostics: read, ...workspace } = await openWorkspace(options);
  const environment = chosenEnvironment({ sources, tree, diagnostics: read, ...workspace }, options.env);
  const { value, diagnostics } = compileContract(tree, sources, environment, read);
  printDiagnostics(diagnostics, sources);
  if (value === undefined) throw new CommandFailed(1, "");
  return value;
};

/** What was said to this command, so that the remedy can be copied. */
const callOf = ({ policies, openapi, env, out, format }: Options): string =>
  [
    policies === "policies" ? "" : ` --policies ${policies}`,
    openapi === "openapi" ? "" : ` --openapi ${openapi}`,
    env === undefined ? "" : ` --env ${env}`,
    out === undefined ? "" : ` --out ${out}`,
    format === "yaml" ? "" : ` --format ${format}`,
  ].join("");

const METHODS = /^(get|put|post|delete|options|head|patch|trace)$/;

const operationCount = ({ document }: PublicContract): number =>
  Object.values(document["paths"] as Record<string, object>)
    .flatMap((item) => Object.keys(item))
    .filter((key) => METHODS.test(key)).length;
