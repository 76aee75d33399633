import type { Command } from "commander";
import { Diagnostics, isError } from "../compiler/diagnostics.ts";
import { CommandFailed } from "./failure.ts";
import { type Format, type WorkspaceOptions, withFormat, withWorkspace } from "./options.ts";
import { printDiagnostics } from "./print.ts";
import { chosenEnvironment, compileWorkspace, openWorkspace } from "./workspace.ts";

/** `postern check`: silent when all is well; without --env every environment is checked. */
export const registerCheck = (program: Command): void => {
  const command = program
    .command("check")
    .description("find mistakes in the policies: syntax, names, shadowed routes, missing identity");
  withFormat(withWorkspace(command), ["text", "json", "sarif", "github"]).action(
    async (options: WorkspaceOptions & { format: Format }) => {
      const workspace = await openWorkspace(options);
      const named = options.env === undefined ? [] : [chosenEnvironment(workspace, options.env)];
      const environments = options.env === undefined ? [...workspace.environments] : named;
      const runs = environments.length === 0 ? [undefined] : environments;
      const found = new Diagnostics(
        runs.flatMap((environment) => compileWorkspace(workspace, environment).diagnostics),
      ).list();
      printDiagnostics(found, workspace.sources, options.format);
      if (found.some(isError)) throw new CommandFailed(1, "");
    },
  );
};
