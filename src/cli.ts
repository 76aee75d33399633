import { Command, CommanderError } from "commander";
import { registerCheck } from "./cli/check.ts";
import { registerClient } from "./cli/client.ts";
import { registerCompile } from "./cli/compile.ts";
import { registerDeploy } from "./cli/deploy.ts";
import { registerDiff } from "./cli/diff.ts";
import { registerExplain } from "./cli/explain.ts";
import { failureOf, printFailure } from "./cli/failure.ts";
import { registerGenerate } from "./cli/generate.ts";
import { registerImport } from "./cli/import.ts";
import { registerInit } from "./cli/init.ts";
import { registerKey } from "./cli/key.ts";
import { registerOpenapi } from "./cli/openapi.ts";
import { registerPurge } from "./cli/purge.ts";
import { registerServe } from "./cli/serve.ts";
import { registerToken } from "./cli/token.ts";
import { loadIssuers } from "./cli/workspace.ts";

/** The `postern` command. Exits 0 when all is well, 1 when the policies are at fault, 2 when the call was wrong. */
const program = new Command("postern")
  .description(
    "An API gateway for the edge: declarative policies kept in Git, compiled, and run on Workers or plain workerd.",
  )
  .version("0.1.0", "-V, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .showHelpAfterError("Run the command with --help to see what it takes.")
  .showSuggestionAfterError(true)
  .exitOverride();

registerInit(program);
registerImport(program);
registerCheck(program);
registerCompile(program);
registerExplain(program);
registerServe(program);
registerToken(program, loadIssuers);
registerKey(program);
registerPurge(program);
registerOpenapi(program);
registerDiff(program);
registerClient(program);
registerDeploy(program);
registerGenerate(program);
for (const command of program.commands)
  command.exitOverride().showHelpAfterError("Run the command with --help to see what it takes.");

// Whoever reads the output may have seen enough, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  const failure = failureOf(error);
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (failure !== undefined) {
    printFailure(failure);
    process.exitCode = failure.exitCode;
  } else throw error;
}
