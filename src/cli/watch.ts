import { watch } from "chokidar";
import colors from "picocolors";
import { failureOf, printFailure } from "./failure.ts";
import type { WorkspaceOptions } from "./options.ts";
import type { Serving } from "./serving.ts";
import { planOf } from "./workspace.ts";

/** How long after the last of several changes the policies are read again: editors write a file in steps. */
const SETTLE_MS = 100;

/** Serves the policies anew after each change; a wrong one is shown and leaves the last good one running. */
export const watchPolicies = async (
  options: WorkspaceOptions,
  serving: Serving,
): Promise<() => Promise<void>> => {
  let timer: NodeJS.Timeout | undefined;
  let busy: Promise<void> = Promise.resolve();
  const reload = async (): Promise<void> => {
    const begun = Date.now();
    try {
      await serving.serve(await planOf(options));
      process.stdout.write(`${colors.green("reloaded")} in ${Date.now() - begun} ms\n`);
    } catch (error) {
      const failure = failureOf(error);
      if (failure === undefined) process.stderr.write(`${(error as Error).stack}\n`);
      else printFailure(failure);
      process.stdout.write(`${colors.yellow("not reloaded:")} the last good policies are still running\n`);
    }
  };
  const watcher = watch([options.policies, options.openapi], { ignoreInitial: true });
  watcher.on("all", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      busy = busy.then(reload);
    }, SETTLE_MS);
  });
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return async () => {
    clearTimeout(timer);
    await watcher.close();
    await busy;
  };
};
