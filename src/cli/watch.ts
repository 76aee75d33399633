import { watch } from "chokidar";
import colors from "picocolors";
import type { Plan } from "../core/plan.ts";
import { failureOf, printFailure } from "./failure.ts";
import type { WorkspaceOptions } from "./options.ts";
import type { Serving } from "./serving.ts";

/** How long after the last of several changes the policies are read again: editors write a file in steps. */
const SETTLE_MS = 100;

/** Reads and compiles the policies. */
export type ReadPlan = (options: WorkspaceOptions) => Promise<Plan>;

/** Policies that are looked at for changes. */
export interface Watching {
  /** From now on a change is served; one that came before is served now. */
  begin(): void;
  /** Ends it, when a reload that is under way is done. */
  stop(): Promise<void>;
}

/**
 * Serves the policies anew after each change; a wrong one is shown and leaves the last good one running. Begun before the
 * policies are first read, it misses no change.
 */
export const watchPolicies = async (
  options: WorkspaceOptions,
  serving: Serving,
  read: ReadPlan,
): Promise<Watching> => {
  let timer: NodeJS.Timeout | undefined;
  let begun = false;
  let changed = false;
  let busy: Promise<void> = Promise.resolve();
  const schedule = (): void => {
    changed = true;
    if (!begun) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      busy = busy.then(() => reload(options, serving, read));
    }, SETTLE_MS);
  };
  const watcher = watch([options.policies, options.openapi], { ignoreInitial: true });
  watcher.on("all", schedule);
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return {
    begin: () => {
      begun = true;
      if (changed) schedule();
    },
    stop: async () => {
      await watcher.close();
      clearTimeout(timer);
      await busy;
    },
  };
};

const reload = async (options: WorkspaceOptions, serving: Serving, read: ReadPlan): Promise<void> => {
  const begun = Date.now();
  try {
    await serving.serve(await read(options));
    process.stdout.write(`${colors.green("reloaded")} in ${Date.now() - begun} ms\n`);
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) process.stderr.write(`${(error as Error).stack}\n`);
    else printFailure(failure);
    process.stdout.write(`${colors.yellow("not reloaded:")} the last good policies are still running\n`);
  }
};
