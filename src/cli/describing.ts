import type { Describe } from "../adapters/node/bundle.ts";
import { CommandFailed } from "./failure.ts";
import type { WorkspaceOptions } from "./options.ts";
import { chosenEnvironment, openWorkspace } from "./workspace.ts";

/**
 * Makes what describes the API to callers from the policies as they are when it is asked. What is wrong with them was printed
 * when they were compiled before.
 */
export const describing =
  (options: WorkspaceOptions): Describe =>
  async () => {
    // What makes it takes a while to load: a gateway without it need not wait.
    const { compileContract } = await import("../contract/compile.ts");
    const workspace = await openWorkspace(options);
    const environment = chosenEnvironment(workspace, options.env);
    const { tree, sources, diagnostics } = workspace;
    const { value } = compileContract(tree, sources, environment, diagnostics);
    if (value !== undefined) return value.document;
    throw new CommandFailed(1, "The policies changed while they were read.", "Run the command again.");
  };
