import type { Command } from "commander";
import { Diagnostics, isError } from "../compiler/diagnostics.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { CommandFailed } from "./failure.ts";
import { type Format, type WorkspaceOptions, withFormat, withWorkspace } from "./options.ts";
import { printDiagnostics } from "./print.ts";
import { chosenEnvironment, compileWorkspace, openWorkspace, type Workspace } from "./workspace.ts";

/** Every fault of a workspace in one environment, or where none is named, in all of them. */
export const checkWorkspace = (workspace: Workspace, env: string | undefined): readonly Diagnostic[] => {
  const named = env === undefined ? [...workspace.environments] : [chosenEnvironment(workspace, env)];
  const runs = named.length === 0 ? [undefined] : named;
  return new Diagnostics(
    runs.flatMap((environment) => compileWorkspace(workspace, environment).diagnostics),
  ).list();
};

/** `postern check`: silent when all is well; without --env every environment is checked. */
export const registerCheck = (program: Command): void => {
  const command = program
    .command("check")
    .description("find mistakes in the policies: syntax, names, shadowed routes, missing identity");
  withFormat(withWorkspace(command), ["text", "json", "sarif", "github"]).action(
    async (options: WorkspaceOptions & { format: Format }) => {
      const workspace = await openWorkspace(options);
      const found = checkWorkspace(workspace, options.env);
      printDiagnostics(found, workspace.sources, options.format);
      if (found.some(isError)) throw new CommandFailed(1, "");
    },
  );
};
